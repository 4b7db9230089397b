"""The host's side under clients that are many, slow, silent, or talk nonsense."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.control.claim import running_hosts
from pluginkit.control.client import ControlClient, HostGone
from pluginkit.control.connection import Connection
from pluginkit.control.identity import Identity, Wanted
from pluginkit.control.places import ControlError
from pluginkit.control.protocol import MAX_REQUEST, RemoteUsageError
from pluginkit.control.server import ControlServer
from pluginkit.testing import write_plugin
from tests.control.conftest import the_running

Make = Callable[..., Host]


@pytest.fixture
def serve(make_host: Make) -> Iterator[Callable[..., ControlServer]]:
    """A server of its own with these limits, for a host without one."""
    servers: list[ControlServer] = []

    def start(**limits: Any) -> ControlServer:
        servers.append(ControlServer(make_host(control=False), Identity("app", None, ()), **limits))
        servers[-1].open()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        assert server.join() == ()


@contextmanager
def raw(server_path: Path | None = None) -> Iterator[Any]:
    """A client that can say anything, as a file of lines, after the host has said hello."""
    path = server_path or the_running().socket
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        with connection.makefile("rwb") as lines:
            assert json.loads(lines.readline())["hello"] == "pluginkit"
            yield lines


def say(lines: Any, line: bytes) -> Any:
    lines.write(line + b"\n")
    lines.flush()
    return json.loads(lines.readline())


def control_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pluginkit-control")]


def test_the_host_says_who_it_is(host: Host, client: ControlClient, plugins: Path) -> None:
    from pluginkit import __version__

    assert client.hello == {
        "hello": "pluginkit",
        "protocol": 1,
        "pluginkit": __version__,
        "pid": os.getpid(),
        "name": "pluginkit",
        "config": None,
        "plugins_dirs": [str(plugins)],
    }


def test_start_and_stop_may_come_twice_and_leave_no_thread_and_no_file(
    make_host: Make, runtime: Path
) -> None:
    server = ControlServer(make_host(control=False), Identity("app", None, ()))
    server.stop()
    for _ in range(2):
        assert server.start()
        path = server.path
        assert server.start()
        assert server.path == path
        with ControlClient(the_running()) as client:
            assert client.ask("ping") == {"plugins": 1}
            server.stop()
            server.stop()
            assert server.join() == ()
        assert server.path is None
        assert list(runtime.iterdir()) == []
        assert control_threads() == []


def test_a_second_host_of_the_same_identity_works_without_a_socket_and_says_so(
    host: Host, make_host: Make, client: ControlClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "pluginkit"):
        second = make_host()
    assert "another host has the socket already" in caplog.text
    assert second.hook.speak(is_loud=True) == ["MEOW!"]
    second.close()
    assert client.ask("ping")
    assert len(running_hosts(Wanted())) == 1


def test_two_hosts_are_told_apart_by_name(make_host: Make) -> None:
    make_host(control="red")
    blue = make_host(control="blue")
    blue.unload("cat")
    for name, state in (("red", "running"), ("blue", "unloaded")):
        with ControlClient(the_running(name=name)) as client:
            assert client.ask("list")["plugins"][0]["state"] == state


def test_a_host_without_control_imports_and_starts_nothing(child: Callable[..., Any]) -> None:
    done = child(
        "import sys, threading\nfrom pluginkit import Host\n"
        "with Host(entry_point_group=None):\n"
        "    print(threading.active_count(), [m for m in sys.modules if m.startswith('pluginkit.control')])"
    )
    assert done.stdout == "1 []\n"


def test_the_socket_opens_when_all_plugins_have_started_and_closes_before_they_stop(
    make_host: Make, plugins: Path
) -> None:
    seen: list[int] = []
    write_plugin(
        plugins,
        "watch",
        "class Watch:\n"
        "    def on_start(self, ctx):\n        self.look = ctx.functions.look\n        self.look()\n"
        "    def on_stop(self):\n        self.look()\n",
        entrypoint="watch:Watch",
        type="pluggy",
    )
    host = make_host(functions={"look": lambda: seen.append(len(running_hosts(Wanted())))})
    seen.append(len(running_hosts(Wanted())))
    host.close()
    assert seen == [0, 1, 0]


def test_fifty_clients_at_once_are_all_answered(host: Host) -> None:
    running, barrier = the_running(), threading.Barrier(50)
    answers: list[Any] = []

    def ask() -> None:
        with ControlClient(running, timeout=60) as client:
            barrier.wait(60)
            for _ in range(5):
                answers.extend(client.ask("call", hook="speak", values={"is_loud": True})["results"])

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["result"] for answer in answers] == ["MEOW!"] * 250


def test_one_client_too_many_is_told_to_come_again(serve: Callable[..., ControlServer]) -> None:
    server = serve(max_clients=2)
    with ControlClient(the_running()) as first, ControlClient(the_running()):
        with pytest.raises(RemoteUsageError, match="2 clients already"):
            ControlClient(the_running())
        assert first.ask("ping")
    # Both have left: as soon as the host has noticed, there is room again.
    threads = [thread for thread in threading.enumerate() if thread.name == "pluginkit-control-client"]
    for thread in threads:
        thread.join(30)
    with ControlClient(the_running()) as client:
        assert client.ask("ping")
    assert server.path is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"hello?", "one line of JSON"),
        (b"\xff\xfe\x00", "one line of JSON"),
        (b"", "one line of JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "one line of JSON"),
        (b"[]", "an object"),
        (b"{}", "an object"),
        (b'{"do": 1}', "an object"),
        (b'{"do": "list", "with": []}', '"with" is an object'),
        (b'{"do": "list", "id": {}}', '"id" is a number or a text'),
        (b'{"do": "list", "id": true}', '"id" is a number or a text'),
        (b'{"do": "lst"}', "did you mean 'list'?"),
        (b'{"do": "reload"}', "'reload' needs the argument 'name'"),
        (b'{"do": "reload", "with": {"name": null}}', "needs the argument 'name'"),
        (b'{"do": "reload", "with": {"nam": "cat"}}', "no argument 'nam'; did you mean 'name'?"),
        (b'{"do": "reload", "with": {"host": "x", "name": "cat"}}', "no argument 'host'"),
        (b'{"do": "reload", "with": {"name": 1}}', "'name' of 'reload' is the name"),
        (b'{"do": "reload", "with": {"name": "cat", "force": 1}}', "true or false"),
        (b'{"do": "unload", "with": {"name": "cat", "timeout": true}}', "a number of seconds"),
        (b'{"do": "unload", "with": {"name": "cat", "timeout": NaN}}', "a number of seconds"),
        (b'{"do": "unload", "with": {"name": "cat", "timeout": 1e9}}', "a number of seconds"),
        (b'{"do": "call", "with": {"hook": "speak", "text": {}, "values": {}}}', "not as both"),
        (b'{"do": "call", "with": {"hook": "speak", "text": {"is_loud": 1}}}', "maps each argument to text"),
        (b'{"do": "call", "with": {"hook": "speak", "text": [1]}}', "an object of texts"),
        (b'{"do": "events", "with": {"kinds": ["loded"]}}', "did you mean 'loaded'?"),
        (b'{"do": "events", "with": {"kinds": "loaded"}}', "a list of event kinds"),
    ],
)
def test_nonsense_is_answered_with_what_is_wrong_and_the_client_may_go_on(
    host: Host, line: bytes, words: str
) -> None:
    with raw() as lines:
        answer = say(lines, line)
        assert answer["ok"] is False
        assert answer["error"]["blame"] == "usage"
        assert words in answer["error"]["message"]
        assert say(lines, b'{"do": "ping", "id": "x"}') == {"id": "x", "ok": True, "result": {"plugins": 1}}


def test_a_huge_line_is_refused_and_ends_the_connection(host: Host) -> None:
    with raw() as lines, raw() as other:

        def send() -> None:
            try:
                lines.write(b"x" * (4 * MAX_REQUEST))
                lines.flush()
            except OSError:
                sent.append("refused")

        sent: list[str] = []
        sending = threading.Thread(target=send)
        sending.start()
        try:
            assert f"{MAX_REQUEST} bytes at most" in lines.readline().decode()
        except ConnectionResetError:
            sent.append("reset")  # what the host had said is lost with what it has not read
        sending.join()
        assert sent
        assert say(other, b'{"do": "ping"}')["ok"]


def test_a_line_of_the_greatest_length_is_taken(host: Host) -> None:
    with raw() as lines:
        start = b'{"do": "ping", "id": "'
        number = b"x" * (MAX_REQUEST - len(start) - 2)
        assert say(lines, start + number + b'"}')["id"] == number.decode()
        assert "bytes at most" in say(lines, start + number + b'x"}')["error"]["message"]
        assert lines.readline() == b""


def test_who_leaves_in_the_middle_of_a_line_harms_nobody(host: Host, client: ControlClient) -> None:
    with raw() as lines:
        lines.write(b'{"do": "pi')
        lines.flush()
    assert client.ask("ping")


@pytest.mark.parametrize("drips", [b"", b'{"do"'])
def test_who_says_nothing_or_only_half_is_let_go_and_others_are_served(
    serve: Callable[..., ControlServer], drips: bytes
) -> None:
    server = serve(idle_timeout=0.2)
    with raw(server.path) as silent, raw(server.path) as lines:
        silent.write(drips)
        silent.flush()
        assert say(lines, b'{"do": "ping"}')["ok"]
        assert silent.readline() == b""


def test_a_client_that_never_reads_while_events_stream_blocks_nobody(make_host: Make) -> None:
    host = make_host(control=False)
    server = ControlServer(host, Identity("app", None, ()), send_timeout=0.3)
    server.open()
    try:
        with raw(server.path) as deaf:
            (deafs_thread,) = [t for t in threading.enumerate() if t.name == "pluginkit-control-client"]
            with raw(server.path) as lines:
                assert say(deaf, b'{"do": "events"}')["result"] == {"following": True}
                for number in range(2000):
                    host.events.publish("loaded", "cat", text="x" * 1000, number=number)
                assert say(lines, b'{"do": "ping"}')["ok"]
                deafs_thread.join(60)
                assert not deafs_thread.is_alive()
                assert say(lines, b'{"do": "ping"}')["ok"]
            # What was sent until the host gave up, and then nothing.
            assert deaf.read().count(b"\n") < 2000
    finally:
        server.stop()
        assert server.join() == ()
    assert host.events._subscriptions == ()


class Slow:
    """A host with a plugin whose hook ends when it may, a server for it, and a client that calls it."""

    def __init__(self, make_host: Make, plugins: Path) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        code = (
            "from pluginkit import hookimpl\n"
            "class Slow:\n    def __init__(self, ctx):\n        self.ctx = ctx\n"
            "    @hookimpl\n    def speak(self, is_loud):\n        return self.ctx.functions.wait()\n"
        )
        write_plugin(plugins, "slow", code, type="animal", entrypoint="slow:Slow")
        self.server = ControlServer(
            make_host(control=False, functions={"wait": self.wait}), Identity("app", None, ())
        )
        self.server.open()
        self.answers: list[Any] = []
        self.asking = threading.Thread(target=self.ask)
        self.asking.start()
        assert self.begun.wait(60)

    def wait(self) -> str:
        self.begun.set()
        self.go_on.wait(60)
        return "at last"

    def ask(self) -> None:
        with ControlClient(the_running()) as client:
            try:
                answer = client.ask("call", hook="speak", plugin="slow", values={"is_loud": True})
                self.answers.append(answer["results"][0]["result"])
            except HostGone as error:
                self.answers.append(error)


def test_what_has_begun_is_answered_when_the_host_closes(make_host: Make, plugins: Path) -> None:
    slow = Slow(make_host, plugins)
    slow.server.stop()
    assert running_hosts(Wanted()) == []
    slow.go_on.set()
    assert slow.server.join(60) == ()
    slow.asking.join()
    assert slow.answers == ["at last"]


def test_a_call_that_does_not_end_keeps_nobody_waiting_and_is_named(make_host: Make, plugins: Path) -> None:
    slow = Slow(make_host, plugins)
    slow.server.stop()
    assert slow.server.join(0.05) == ("pluginkit-control-client",)
    slow.asking.join()
    assert isinstance(slow.answers[0], HostGone)
    slow.go_on.set()
    assert slow.server.join(60) == ()


def test_what_a_plugin_raises_is_an_answer_and_no_end_of_the_server(
    host: Host, client: ControlClient, plugins: Path
) -> None:
    from pluginkit.control.protocol import RemotePluginError

    for name, code in {
        "leaves": "raise SystemExit(7)\n",
        "breaks": "1 / 0\n",
        "presses": "raise KeyboardInterrupt\n",
    }.items():
        write_plugin(plugins, name, code, type="animal")
        with pytest.raises(RemotePluginError):
            client.ask("load", name=name)
        assert client.ask("ping")
    rude = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    raise SystemExit('no')\n"
    write_plugin(plugins, "rude", rude, type="animal")
    client.ask("load", name="rude")
    results = client.ask("call", hook="speak", text={"is_loud": "no"})["results"]
    assert [result["plugin"] for result in results] == ["cat", "rude"]
    assert results[1]["error"] == {"type": "SystemExit", "message": "no"}
    assert results[1]["failure"]["file"].endswith("rude.py")


def test_a_plugin_that_is_called_by_a_client_may_close_its_host(make_host: Make, plugins: Path) -> None:
    code = (
        "from pluginkit import hookimpl\n"
        "class Ending:\n    def __init__(self, ctx):\n        self.ctx = ctx\n"
        "    @hookimpl\n    def speak(self, is_loud):\n        self.ctx.functions.close()\n        return 'done'\n"
    )
    write_plugin(plugins, "ending", code, type="animal", entrypoint="ending:Ending")
    hosts: list[Host] = []
    hosts.append(make_host(functions={"close": lambda: hosts[0].close(timeout=0.1)}))
    with ControlClient(the_running()) as client:
        answer = client.ask("call", hook="speak", plugin="ending", values={"is_loud": True})
    assert answer["results"][0]["result"] == "done"
    assert hosts[0].is_closed


def test_who_is_of_another_user_gets_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        monkeypatch.setattr("pluginkit.control.connection.peer_uid", lambda _: os.geteuid() + 1)
        Connection(host, ours, {"hello": "pluginkit"}).run()
        assert theirs.recv(100) == b""


def test_what_json_cannot_hold_is_no_end_of_the_connection(
    host: Host, client: ControlClient, plugins: Path
) -> None:
    code = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    return [10 ** 6000, object, '\\ud800']\n"
    write_plugin(plugins, "odd", code, type="animal")
    client.ask("load", name="odd")
    (result,) = client.ask("call", hook="speak", plugin="odd", values={"is_loud": 1})["results"]
    assert result["result"][0].startswith("0x")
    assert client.ask("ping")


def test_a_server_that_cannot_be_opened_is_a_control_error(
    make_host: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    server = ControlServer(make_host(control=False), Identity("app", None, ()), directory=tmp_path / "file")
    with pytest.raises(ControlError):
        server.open()
    assert server.start() is False
    assert "cannot ask this host while it runs" in caplog.text
