"""Exit codes and messages: who is to blame is told by both, and nobody but us gets a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli.boundary import guarded
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.program import MODULES
from pluginkit.cli.session import Session
from pluginkit.testing import write_plugin

pytestmark = pytest.mark.usefixtures("project")
RAISING = """\
from pluginkit import hookimpl

class Rude:
    @hookimpl
    def speak(self, is_loud):
        raise ValueError("not today")
"""

MISTAKES = [
    (["lst"], "no command named 'lst'; did you mean 'list'?"),
    (["list", "--jsn"], "--json"),
    (["list", "superfluous"], "superfluous"),
    (["info"], "NAME"),
    (["info", "cta"], "no plugin named 'cta'; did you mean 'cat'?"),
    (["enable", "cta"], "did you mean 'cat'?"),
    (["disable", "cta"], "did you mean 'cat'?"),
    (["call", "speek"], "no hook named 'speek'; did you mean 'speak'?"),
    (["call", "speak"], "is_loud: is missing"),
    (["call", "speak", "is_lout=1", "is_loud=1"], "did you mean 'is_loud'?"),
    (["call", "speak", "is_loud=perhaps"], "must be true or false"),
    (["call", "speak", "is_loud"], "key=value"),
    (["call", "speak", "=1"], "key=value"),
    (["call", "speak", "is_loud=1", "is_loud=0"], "is_loud' is given twice"),
    (["call", "speak", "is_loud=1", "--plugin", "cta"], "did you mean 'cat'?"),
    (["call", "transform", "text=x", "--plugin", "cat"], "'cat' does not implement the hook 'transform'"),
    (["call", "speak", "is_loud=1", "--timeout", "0"], "--timeout"),
    (["hooks", "speek"], "did you mean 'speak'?"),
    (["hooks", "--source"], "name it"),
    (["config", "loging"], "did you mean 'logging'?"),
    (["config", "logging.log_levle"], "did you mean 'logging.log_level'?"),
    (["validate"], "PATH"),
    (["validate", "nothing-here"], "there is nothing at nothing-here"),
    (["new", "x", "--type", "animol"], "no type of plugins named 'animol'; did you mean 'animal'?"),
    (["new", "x"], "--type"),
    (["completion", "tcsh"], "bash"),
    (["--config", "no.yaml", "list"], "no.yaml"),
    (["--strict", "--config", "odd.yaml", "list"], "unknown key; did you mean 'hooks'?"),
    (["--config", "bad.yaml", "list"], "bad.yaml:1"),
    (["--config", "contract.yaml", "list"], "no module 'no_such_module'"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda value: " ".join(value)[:40])
def test_cl07_a_users_mistake_is_told_without_a_traceback_and_exits_2(
    cli: Callable[..., Any], arguments: list[str], words: str
) -> None:
    Path("odd.yaml").write_text("hoks: {}\n", "utf-8")
    Path("bad.yaml").write_text("hooks: {errors: sometimes}\n", "utf-8")
    Path("contract.yaml").write_text("contracts: {a: 'no_such_module:A'}\n", "utf-8")

    done = cli(*arguments, status=2)

    assert done.stdout == ""
    assert words in done.stderr
    assert "pluginkit: error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_cl07_debug_shows_the_traceback_of_a_users_mistake_too(cli: Callable[..., Any]) -> None:
    assert "Traceback" in cli("info", "cta", "--debug", status=2).stderr


def test_cl07_a_plugin_that_fails_in_a_call_exits_3_and_the_others_answer(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "rude", RAISING, type="animal", entrypoint="rude:Rude")

    done = cli("call", "speak", "is_loud=true", status=3)

    assert done.stdout == "cat: MEOW!\n"
    assert "plugin 'rude' 1.0.0: it failed in hook speak: ValueError: not today" in done.stderr
    assert "at: plugins/rude/rude.py:6" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in cli("call", "speak", "is_loud=true", "--debug", status=3).stderr


def test_cl07_a_plugin_that_was_asked_for_and_cannot_be_loaded_exits_3(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", "1 / 0\n", type="animal", entrypoint="broken:Broken")

    done = cli("call", "speak", "is_loud=true", "--plugin", "broken", status=3)

    assert "plugin 'broken': import failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_cl07_a_broken_plugin_that_was_not_asked_for_is_told_and_changes_no_exit_code(
    cli: Callable[..., Any],
) -> None:
    write_plugin("plugins", "broken", "1 / 0\n", type="animal", entrypoint="broken:Broken")

    done = cli("call", "speak", "is_loud=true")

    assert done.stdout == "cat: MEOW!\n"
    assert "plugin 'broken' 1.0.0: its import failed: ZeroDivisionError" in done.stderr
    assert "at: plugins/broken/broken.py:1" in done.stderr
    assert "to do: mend it, or switch it off: pluginkit disable broken" in done.stderr


def test_cl07_our_own_bug_shows_its_traceback_and_asks_for_a_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(Session(), lambda: 1 // 0) == Exit.BUG
    shown = capsys.readouterr()
    assert "ZeroDivisionError" in shown.err
    assert "Traceback" in shown.err
    assert "please report it" in shown.err
    assert shown.out == ""


def test_an_error_of_the_system_names_the_place_and_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise PermissionError(13, "Permission denied", "/somewhere/state.json")

    assert guarded(Session(), work) == Exit.USAGE
    assert capsys.readouterr().err == "pluginkit: error: /somewhere/state.json: Permission denied\n"


def test_ctrl_c_in_any_command_exits_130(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        signal.raise_signal(signal.SIGINT)
        return 0

    assert guarded(Session(), work) == Exit.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_cl07_a_reader_that_goes_away_ends_the_command_quietly(
    process: Callable[..., subprocess.Popen[bytes]],
) -> None:
    for number in range(400):
        write_plugin("plugins", f"plugin-{number}", "")
    # Nothing is read: the pipe's buffer is too small for this table, and its other end is closed.
    reading, writing = os.pipe()
    os.close(reading)
    listing = process("list", "--json", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert listing.stderr is not None
    assert listing.stderr.read() == b""
    assert listing.wait(60) == Exit.PIPE_CLOSED


def test_cl07_help_lists_every_command_and_every_exit_code(cli: Callable[..., Any]) -> None:
    text = cli("--help").stdout
    assert all(f"\n  {name} " in text for name in MODULES)
    assert all(f"\n  {int(code)} " in text for code in Exit)
    assert cli().stdout == text


@pytest.mark.parametrize("name", MODULES)
def test_cl07_the_help_of_every_command_has_examples(cli: Callable[..., Any], name: str) -> None:
    text = cli(name, "--help").stdout
    assert "Examples:\n  pluginkit " in text
    assert text.isascii()


def test_version_names_pluginkit_and_python(user: Callable[..., Any]) -> None:
    from pluginkit import __version__

    assert user("--version").stdout.startswith(f"pluginkit {__version__} (Python 3.")


@pytest.mark.parametrize("before", [True, False])
def test_global_options_stand_before_or_after_the_command(cli: Callable[..., Any], before: bool) -> None:
    write_plugin("elsewhere", "dog", "", type="animal")
    option = ["--plugins-dir", "elsewhere"]
    arguments = [*option, "list", "--json"] if before else ["list", "--json", *option]
    assert [row["name"] for row in cli(*arguments).data["plugins"]] == ["dog"]


def test_the_option_nearest_to_the_end_wins(cli: Callable[..., Any]) -> None:
    write_plugin("one", "dog", "")
    write_plugin("two", "pig", "")
    done = cli("--plugins-dir", "one", "list", "--json", "--plugins-dir", "two")
    assert [row["name"] for row in done.data["plugins"]] == ["pig"]


def test_cf01_without_a_config_file_there_is_a_notice_on_stderr_and_the_defaults_hold(
    cli: Callable[..., Any],
) -> None:
    Path("config.yaml").unlink()
    done = cli("list", "--json")
    assert done.stderr == "pluginkit: notice: no configuration file; the built-in defaults hold\n"
    assert done.data["plugins"][0]["state"] == "failed"  # no contract `animal` without the file


def test_cf01_a_config_json_is_found_too(cli: Callable[..., Any]) -> None:
    Path("config.yaml").unlink()
    Path("config.json").write_text('{"application": {"app_name": "zoo"}}', "utf-8")
    assert cli("config", "application.app_name").stdout.splitlines()[1].split() == [
        "application.app_name",
        "zoo",
    ]


def test_the_command_can_be_asked_for_as_a_click_program_by_others() -> None:
    from click.testing import CliRunner

    from pluginkit.cli.program import program

    result = CliRunner().invoke(program, ["list", "--json"])
    assert result.exit_code == 0
    assert '"name": "cat"' in result.output
