"""The other side: what the host gives comes back, what it raises is raised, and nobody waits for ever."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.control.claim import Running
from pluginkit.control.client import ControlClient, HostGone
from pluginkit.control.identity import Identity
from pluginkit.control.places import ControlError
from pluginkit.control.protocol import RemoteBug, RemotePluginError, RemoteUsageError, blame_of, failure
from pluginkit.errors import CallTimeout
from pluginkit.testing import write_plugin

HELLO = {"hello": "pluginkit", "protocol": 1, "pluginkit": "0.1.0", "pid": 1}


@pytest.fixture
def pretender(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """A process that has a socket and says these bytes to each who connects, and after each request."""
    threads: list[threading.Thread] = []
    listeners: list[socket.socket] = []

    def make(*says: bytes) -> Running:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listeners.append(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                for number, said in enumerate(says):
                    if number:
                        lines.readline()
                    connection.sendall(said)
                if says[-1:] == (b"",):
                    lines.readline()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return Running(Identity("app", None, ()), 1, tmp_path / "s")

    yield make
    for thread in threads:
        thread.join(60)
    for listener in listeners:
        listener.close()


def line(data: Any) -> bytes:
    return json.dumps(data).encode() + b"\n"


def test_a_socket_where_nobody_listens_is_told(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="does not answer"):
        ControlClient(Running(Identity("app", None, ()), 1, tmp_path / "nothing"))


def test_a_host_that_does_not_say_hello_is_not_waited_for(pretender: Callable[..., Running]) -> None:
    with pytest.raises(ControlError, match=r"does not answer within 0\.1 s"):
        ControlClient(pretender(b""), timeout=0.1)


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        (b"", "ended before it answered"),
        (b"welcome\n", "no JSON"),
        (b"[]\n", "no object"),
        (b"{}\n", "speaks version None"),
        (line({**HELLO, "protocol": 2}), "speaks version 2 of the protocol .* this one version 1; restart"),
        (line({"hello": "another", "protocol": 1}), "speaks version 1"),
    ],
)
def test_who_says_something_else_is_no_host_of_ours(
    pretender: Callable[..., Running], hello: bytes, words: str
) -> None:
    with pytest.raises(ControlError, match=words):
        ControlClient(pretender(hello) if hello else pretender())


def test_a_host_that_ends_in_the_middle_of_a_request_is_told(pretender: Callable[..., Running]) -> None:
    with ControlClient(pretender(line(HELLO), b'{"id": 1, "ok"')) as client, pytest.raises(HostGone):
        client.ask("ping")


def test_a_host_that_has_ended_is_told(host: Host, client: ControlClient) -> None:
    assert client.ask("ping")
    host.close()
    with pytest.raises(HostGone):
        client.ask("ping")


def test_a_bug_in_the_host_comes_with_its_traceback(pretender: Callable[..., Running]) -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        answer = failure(1, error)
    assert answer["error"]["blame"] == "bug"
    words = r"in the running host: Traceback[\s\S]*by zero"
    running = pretender(line(HELLO), line(answer))
    with ControlClient(running) as client, pytest.raises(RemoteBug, match=words):
        client.ask("ping")


def test_an_error_of_the_system_and_a_timeout_are_no_bugs() -> None:
    error = PermissionError(13, "Permission denied", "/state.json")
    assert failure(None, error)["error"]["message"] == "/state.json: Permission denied"
    assert blame_of(error) == "usage"
    assert blame_of(OSError("?")) == "bug"
    assert blame_of(CallTimeout("speak", 1.0, ["cat"])) == "plugin"
    assert blame_of(SystemExit()) == "plugin"


def test_unknown_names_come_with_the_nearest(client: ControlClient) -> None:
    with pytest.raises(RemoteUsageError, match="did you mean 'cat'") as raised:
        client.ask("reload", name="cta")
    assert (raised.value.type, raised.value.nearest) == ("UnknownName", "cat")


def test_a_plugin_that_cannot_be_loaded_is_to_blame(client: ControlClient, plugins: Path) -> None:
    write_plugin(plugins, "broken", "1 / 0\n", type="animal")
    with pytest.raises(RemotePluginError, match="plugin 'broken': import failed") as raised:
        client.ask("load", name="broken")
    assert (raised.value.plugin, raised.value.type) == ("broken", "LoadError")


def test_every_request_does_what_it_says(host: Host, client: ControlClient, plugins: Path) -> None:
    (row,) = client.ask("list")["plugins"]
    assert (row["name"], row["state"], row["generation"], row["last_run"]) == (
        "cat", "running", host.plugins["cat"].generation, None,
    )  # fmt: skip
    assert client.ask("info", name="cat")["plugin"]["manifest"]["plugin"]["entrypoint"] == "cat:Cat"
    (hook,) = client.ask("hooks", name="speak")["hooks"]
    assert [one["plugin"] for one in hook["implementations"]] == ["cat"]
    assert [hook["name"] for hook in client.ask("hooks")["hooks"]] == ["execute", "speak"]

    for given in ({"text": {"is_loud": "yes"}}, {"values": {"is_loud": True}}):
        called = client.ask("call", hook="speak", **given)
        assert called["arguments"] == {"is_loud": True}
        assert called["results"][0]["result"] == "MEOW!"

    assert client.ask("disable", name="cat")["plugin"]["state"] == "disabled"
    assert client.ask("enable", name="cat")["plugin"]["state"] == "running"
    assert client.ask("unload", name="cat")["report"]["is_gone"]
    assert host.plugins["cat"].state == "unloaded"
    assert client.ask("load", name="cat")["plugin"]["state"] == "running"
    write_plugin(plugins, "dog", "", type="pluggy")
    report = client.ask("load")["report"]
    assert (report["loaded"], report["ok"]) == (["dog"], True)


def test_a_reload_tells_the_generations_or_the_step_that_failed(
    host: Host, client: ControlClient, plugins: Path
) -> None:
    before = host.plugins["cat"].generation
    unchanged = client.ask("reload", name="cat")["report"]
    assert (unchanged["ok"], unchanged["is_unchanged"], unchanged["new_generation"]) == (True, True, before)
    code = plugins / "cat" / "cat.py"
    code.write_text(code.read_text().replace("MEOW!", "MIAOW!"))
    checked = client.ask("reload", name="cat", check=True)["report"]
    assert (checked["ok"], checked["is_check"], host.plugins["cat"].generation) == (True, True, before)
    report = client.ask("reload", name="cat")["report"]
    assert report["old_generation"] == before
    assert report["new_generation"] == host.plugins["cat"].generation != before
    assert host.hook.speak(is_loud=True) == ["MIAOW!"]
    code.write_text("1 / 0\n")
    failed = client.ask("reload", name="cat")["report"]
    assert (failed["ok"], failed["failure"]["step"], failed["failure"]["line"]) == (False, "import", 1)
    assert host.hook.speak(is_loud=True) == ["MIAOW!"]


def test_a_historic_hook_can_only_be_called_by_its_host(make_host: Callable[..., Host]) -> None:
    from pluginkit import hookspec
    from tests.control.conftest import the_running

    class Past:
        @hookspec(historic=True)
        def happened(self, what: str) -> None:
            """What has happened."""

    make_host(contracts={"past": Past}, control="past", plugins_dir=None)
    with ControlClient(the_running(name="past")) as client:
        with pytest.raises(RemoteUsageError, match="historic"):
            client.ask("call", hook="happened", text={"what": "x"})
        with pytest.raises(RemoteUsageError, match="no hook named 'hapened'"):
            client.ask("call", hook="hapened")
