"""Shell completion: through click's own mechanism, from manifests and contracts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli.commands.completion import SHELLS
from pluginkit.testing import write_plugin

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(project: Path, user: Callable[..., Any]) -> Complete:
    """What bash is offered for the last word of a line."""

    def offers(line: str) -> list[str]:
        words = line.split(" ")
        done = user(
            env={
                "_PLUGINKIT_COMPLETE": "bash_complete",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(words) - 1),
            }
        )
        assert done.stderr == ""
        return [text.partition(",")[2] for text in done.stdout.splitlines() if text]

    return offers


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pluginkit dis", ["disable"]),
        ("pluginkit list --js", ["--json"]),
        ("pluginkit info ", ["cat", "dog"]),
        ("pluginkit disable cat d", ["dog"]),
        ("pluginkit call sp", ["speak"]),
        ("pluginkit call speak ", ["is_loud="]),
        ("pluginkit call speak is_loud=1 ", []),
        ("pluginkit call nothing ", []),
        ("pluginkit call speak --plugin d", ["dog"]),
        ("pluginkit hooks tran", ["transform", "transformations"]),
        ("pluginkit new x --type ani", ["animal"]),
        ("pluginkit config logging.log_l", ["logging.log_level", "logging.log_levels"]),
        ("pluginkit completion z", ["zsh"]),
        ("pluginkit --plugins-dir elsewhere info ", ["pig"]),
        ("pluginkit info --plugins-dir elsewhere ", ["pig"]),
    ],
)
def test_cl07_completion_knows_commands_names_hooks_and_keys(
    complete: Complete, line: str, expected: list[str]
) -> None:
    write_plugin("plugins", "dog", "raise SystemExit\n", type="animal")
    write_plugin("elsewhere", "pig", "")
    assert complete(line) == expected


def test_cl07_completion_stays_silent_when_the_configuration_is_broken(complete: Complete) -> None:
    Path("config.yaml").write_text("hooks: [\n", "utf-8")
    assert complete("pluginkit info ") == []
    assert complete("pluginkit inf") == ["info"]


def test_cl07_completion_stays_silent_without_a_configuration(complete: Complete) -> None:
    Path("config.yaml").unlink()
    assert complete("pluginkit info ") == ["cat"]


@pytest.mark.parametrize("shell", SHELLS)
def test_cl07_the_script_of_each_shell_is_printed(cli: Callable[..., Any], shell: str) -> None:
    script = cli("completion", shell).stdout
    assert f"{shell}_complete" in script
    assert "_PLUGINKIT_COMPLETE" in script


@pytest.mark.usefixtures("project")
def test_cl07_bash_completes_with_the_script(
    cli: Callable[..., Any], child_env: dict[str, str], tmp_path: Path
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    program = tmp_path / "bin" / "pluginkit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pluginkit "$@"\n', "utf-8")
    program.chmod(0o755)
    script = cli("completion", "bash").stdout + (
        "COMP_WORDS=(pluginkit info c); COMP_CWORD=2; _pluginkit_completion pluginkit; echo ${COMPREPLY[@]}\n"
    )
    env = {**child_env, "PATH": f"{program.parent}:{child_env['PATH']}"}
    done = subprocess.run(
        [bash, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "cat\n"
    assert done.stderr == ""
