"""SE08, SE09: rules of a contract hold for whatever calls a host's hooks: code, jobs, the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from pluginkit import Host, InvalidArgument, InvalidValue, PluginState, Text, hookspec
from pluginkit.testing import write_plugin


class Greeter:
    @hookspec
    def greet(self, name: Annotated[str, Text(max_characters=5)]) -> Annotated[str, Text(max_characters=9)]:
        """Greets."""

    @hookspec(required=False)
    async def fetch(
        self, name: Annotated[str, Text(max_characters=5, sanitise=True)]
    ) -> Annotated[str, Text(max_characters=9)]:
        """Takes its time."""


GOOD = """
from pluginkit import hookimpl

@hookimpl
def greet(name):
    return f"Hi {name}"

@hookimpl
async def fetch(name):
    return name
"""
BAD = r"""
from pluginkit import hookimpl

@hookimpl
def greet():
    return "\x1b[2J"
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Any]:
    for name, source in (("bad", BAD), ("good", GOOD)):
        write_plugin(tmp_path / "plugins", name, source, type="greeter")
    with Host(
        contracts={"greeter": Greeter},
        plugins_dir=tmp_path / "plugins",
        entry_point_group=None,
        state_dir=tmp_path / "state",
        quarantine=(3, 60.0),
    ) as host:
        yield host


def test_se08_a_plugin_that_gives_bad_text_is_told_of_and_quarantined(
    host: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert host.hook.greet(name="Tom") == ["Hi Tom"]
    bad = host.plugins["bad"]
    assert bad.error_count == 1
    assert "InvalidValue: hook 'greet', result: control character U+001B" in str(bad.errors[-1])
    assert "bad" in caplog.text
    assert "\x1b" not in caplog.text
    for _ in range(3):
        assert host.hook.greet(name="Tom") == ["Hi Tom"]
    assert bad.state is PluginState.QUARANTINED
    assert bad.error_count == 3


def test_se08_a_caller_that_gives_bad_text_brings_no_plugin_into_quarantine(host: Any) -> None:
    host.unload("bad")
    for _ in range(5):
        with pytest.raises(InvalidArgument, match="hook 'greet', argument 'name': 6 characters"):
            host.hook.greet(name="Thomas")
    assert host.hook.greet(name="Tom") == ["Hi Tom"]
    assert host.plugins["good"].error_count == 0


def test_se08_a_call_of_one_plugin_is_checked(host: Any) -> None:
    assert host.plugins["good"].call("greet", name="Tom") == "Hi Tom"
    with pytest.raises(InvalidArgument):
        host.plugins["good"].call("greet", name="T\0m")
    with pytest.raises(InvalidValue, match="hook 'greet', result: control character") as raised:
        host.plugins["bad"].call("greet", name="Tom")
    assert not isinstance(raised.value, InvalidArgument)
    assert "plugin 'bad'" in raised.value.__notes__[0]


def test_se08_jobs_are_checked(host: Any) -> None:
    bad, good = host.submit("greet", name="Tom").result(30)
    assert isinstance(bad.error, InvalidValue)
    assert (good.plugin, good.result) == ("good", "Hi Tom")
    for plugins in ((), ("good",)):
        with pytest.raises(InvalidArgument, match="argument 'name': NUL"):
            host.submit("greet", *plugins, name="T\0m")
    assert host.plugins["good"].error_count == 0


def test_se09_jobs_of_hooks_that_are_awaited_are_cleaned_and_checked(host: Any) -> None:
    (outcome,) = host.submit("fetch", name="\0Thomas").result(30)
    assert outcome.result == "Thoma"
    with pytest.raises(InvalidArgument, match="it has to be str, not int"):
        host.submit("fetch", "good", name=3)


CONTRACT = """
from __future__ import annotations
from typing import Annotated
from pluginkit import Text, hookspec

class Greeter:
    @hookspec
    def greet(self, name: Annotated[str, Text(max_characters=5)]) -> Annotated[str, Text(max_characters=9)]:
        "Greets."
"""
PLUGIN = "from pluginkit import hookimpl\n\n@hookimpl\ndef greet(name):\n    return f'Hello {name}'\n"


def test_se08_on_the_command_line_it_is_the_users_mistake_or_the_plugins(
    tmp_path: Path, child: Callable[..., Any], child_env: dict[str, str]
) -> None:
    (tmp_path / "zoo_contracts.py").write_text(CONTRACT, "utf-8")
    (tmp_path / "config.yaml").write_text(
        "directories: {plugins: plugins}\ncontracts: {greeter: 'zoo_contracts:Greeter'}\n", "utf-8"
    )
    write_plugin(tmp_path / "plugins", "cat", PLUGIN, type="greeter")

    path = f"{child_env['PYTHONPATH']}:{tmp_path}"

    def call(name: str, status: int) -> str:
        arguments = ("call", "greet", f"name={name}")
        done = child("-m", "pluginkit", *arguments, env={"PYTHONPATH": path}, status=status)
        return str(done.stdout + done.stderr)

    assert "Hello Tom" in call("Tom", 0)
    said = call("Thomas", 2)
    assert "hook 'greet', argument 'name': 6 characters are more than the 5 characters allowed" in said
    assert "hook 'greet', result: 10 characters are more than the 9 characters allowed" in call("Anna", 3)
