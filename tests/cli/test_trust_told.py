"""What commands say of trust and capabilities beside verify, lock, approve and sign themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin

from .test_trust_commands import Cli, configure, state

READS = """
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        try:
            return self.ctx.fs.read_text("/etc/hostname")
        except PermissionError:
            return "denied"
"""


def edit_cat(project: Path) -> None:
    with (project / "plugins/cat/cat.py").open("a") as file:
        file.write("# changed\n")


def findings(cli: Cli) -> list[tuple[str, list[str], str]]:
    found = cli("doctor", "--json", status=None).data["findings"]
    return [(one["check"], one["plugins"], one["advice"] or "") for one in found]


def test_cl06_doctor_finds_what_the_next_load_will_refuse(project: Path, cli: Cli) -> None:
    cli("lock")
    assert findings(cli) == []
    edit_cat(project)
    assert findings(cli) == [("trust", ["cat"], "look at it, then: pluginkit lock cat")]
    cli("lock")
    assert findings(cli) == []


@pytest.mark.parametrize(
    ("trust", "advice"),
    [
        ({"checksums": "required"}, "look at it, then: pluginkit verify cat --write"),
        ({"signatures": "required"}, "look at it, then: pluginkit sign cat --key FILE"),
        ({"lock": "required"}, "look at it, then: pluginkit lock cat"),
    ],
)
def test_cl06_advice_about_trust_is_the_command_that_helps(
    project: Path, cli: Cli, trust: dict[str, Any], advice: str
) -> None:
    configure(project, **trust)
    ((_, plugins, told),) = findings(cli)
    assert (plugins, told) == (["cat"], advice)


def test_cl06_what_was_locked_since_counts_no_longer_as_failed(project: Path, cli: Cli) -> None:
    cli("lock")
    edit_cat(project)
    cli("call", "speak", "is_loud=true", status=None)
    assert state(cli, "cat") == ("failed", "tree-changed")
    assert [check for check, _, _ in findings(cli)] == ["plugins"]
    cli("lock")
    assert state(cli, "cat") == ("discovered", None)
    assert findings(cli) == []


def test_cl06_without_its_lock_a_plugin_counts_no_longer_as_failed(project: Path, cli: Cli) -> None:
    cli("lock")
    edit_cat(project)
    cli("call", "speak", "is_loud=true", status=None)
    (project / "plugins.lock").unlink()
    assert state(cli, "cat") == ("discovered", None)


def test_cp09_a_denial_in_a_call_is_told(project: Path, cli: Cli) -> None:
    write_plugin(project / "plugins", "cat", READS, type="animal", entrypoint="cat:Cat")
    done = cli("call", "speak", "is_loud=true")
    assert done.stdout == "cat: denied\n"
    notice = "pluginkit: notice: plugin 'cat' was denied fs.read of /etc/hostname: no grant covers this path"
    assert notice in done.stderr


def test_cp10_a_policy_for_a_plugin_that_is_not_there_is_noticed(project: Path, cli: Cli) -> None:
    with (project / "config.yaml").open("a") as file:
        file.write("capabilities: {plugins: {cta: {allow: requested}, Cat: {allow: requested}}}\n")
    (one,) = cli("doctor", "--json").data["findings"]
    assert one["severity"] == "notice"
    assert one["text"] == "capabilities.plugins.cta: no plugin has this name; did you mean 'cat'?"


def test_se05_a_plugin_that_does_not_fit_is_told_when_a_hook_is_called(project: Path, cli: Cli) -> None:
    handshake = {"protocol_version": 2, "magic_cookie_key": "A", "magic_cookie_value": "b"}
    write_plugin(project / "plugins", "dog", "", type="animal", handshake=handshake)
    done = cli("call", "speak", "is_loud=true", status=None)
    assert "speaks protocol 2, this host protocol 1" in done.stderr
    assert "to do: use a version of it that speaks one of the host's protocols" in done.stderr
