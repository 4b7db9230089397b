"""What a command pays for: modules instead of seconds, which are exact and the same on every machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

Child = Callable[..., subprocess.CompletedProcess[str]]

NEVER = {"asyncio", "loguru", "watchdog", "sqlite3", "rich", "pluggy", "packaging", "platformdirs"}
SCRIPT = """\
import sys
from pluginkit.cli import main
try:
    main(sys.argv[1:])
except SystemExit as exit_:
    code = exit_.code
print(*sys.modules, file=sys.stderr)
raise SystemExit(code)
"""


@pytest.fixture
def modules_of(child: Child, child_env: dict[str, str], project: Path) -> Callable[..., set[str]]:
    """The modules that a command imports, from its start to its end."""
    # -S: what site's .pth files import is not ours; the libraries are found by their directory.
    child_env["PYTHONPATH"] += f":{Path(click.__file__).parent.parent}"

    def modules(*arguments: str) -> set[str]:
        return set(child("-S", "-c", SCRIPT, *arguments, cwd=project).stderr.split())

    return modules


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "bash"]], ids=" ".join)
def test_cl07_help_pays_for_click_only(modules_of: Callable[..., set[str]], arguments: list[str]) -> None:
    imported = modules_of(*arguments)
    assert imported & (NEVER | {"importlib_metadata", "jsonschema", "yaml"}) == set()
    assert not any(
        name.startswith(("pluginkit.host", "pluginkit.config", "pluginkit.hooks")) for name in imported
    )


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--json"], ["info", "cat"], ["disable", "cat"]], ids=" ".join
)
def test_cl01_list_pays_for_what_it_shows(modules_of: Callable[..., set[str]], arguments: list[str]) -> None:
    imported = modules_of(*arguments)
    assert imported & (NEVER | {"jsonschema"}) == set()
    assert "yaml" in imported


@pytest.mark.parametrize("arguments", [["config"], ["validate", "plugins/cat"], ["hooks"]], ids=" ".join)
def test_cl07_the_other_commands_stay_light_too(
    modules_of: Callable[..., set[str]], arguments: list[str]
) -> None:
    assert modules_of(*arguments) & (NEVER | {"jsonschema"}) == set()


def test_cl07_calls_start_no_event_loop_unless_a_plugin_needs_one(
    modules_of: Callable[..., set[str]],
) -> None:
    assert modules_of("call", "speak", "is_loud=1") & NEVER == set()


def test_cl07_a_run_that_writes_no_log_imports_nothing_for_it(
    modules_of: Callable[..., set[str]], project: Path
) -> None:
    (project / "config.yaml").unlink()
    assert modules_of("run", "--once") & {"asyncio", "loguru", "sqlite3"} == set()
