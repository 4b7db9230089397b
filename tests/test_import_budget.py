"""DESIGN's budget of imports: what a program pays for pluginkit before it asks for anything.

Modules instead of seconds: exact, and the same on every machine. Seconds stand in docs/benchmarks.md.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from pluginkit.testing import write_plugin

Child = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = {
    "asyncio",
    "click",
    "importlib.metadata",
    "importlib_metadata",
    "jsonschema",
    "loguru",
    "packaging",
    "platformdirs",
    "rich",
    "sqlite3",
    "watchdog",
    "yaml",
}


def modules_after(child: Child, statement: str) -> set[str]:
    # -S: what site's .pth files import (an editable install's finder, coverage) is not ours.
    return set(child("-S", "-c", f"import sys\n{statement}\nprint('\\n'.join(sys.modules))").stdout.split())


@pytest.fixture
def without_site(child_env: dict[str, str]) -> None:
    """Installed libraries stay importable without `site`, by their directory alone."""
    child_env["PYTHONPATH"] += f":{Path(click.__file__).parent.parent}"


@pytest.mark.parametrize(
    "statement",
    ["import pluginkit", "from pluginkit import Host, hookspec, hookimpl"],
)
@pytest.mark.usefixtures("without_site")
def test_importing_pluginkit_imports_nothing_heavy(child: Child, statement: str) -> None:
    assert modules_after(child, statement) & HEAVY == set()


USED = """
from pluginkit import Host
with Host(plugins_dir="plugins", entry_point_group=None, state_dir="state") as host:
    host.plugins["cat"], host.jobs(), host.reload("cat", force=True), host.unload("cat")
"""


def test_wp20_a_host_without_jobs_imports_none_and_starts_no_thread_for_them(
    child: Child, tmp_path: Path
) -> None:
    write_plugin(tmp_path / "plugins", "cat", "", type="pluggy")
    said = child("-c", USED + "import sys\nprint([name for name in sys.modules if 'job' in name])").stdout
    assert said == "[]\n"


LISTED = """
from pluginkit import Config, Host
host = Host(Config.load(None))
print(sorted(host.refresh()), sorted(set(sys.modules) & NOT_FOR_A_LIST))
"""
NOT_FOR_A_LIST = {
    "hashlib",
    "pluginkit.loading",
    "pluginkit.manifest.grants",
    "pluginkit.security.checksums",
    "pluginkit.security.growth",
    "pluginkit.security.signatures",
    "pluginkit.services.files",
    "pluginkit.snapshot",
}


def test_cl01_a_list_without_a_lock_imports_nothing_that_hashes_or_compares(
    child: Child, tmp_path: Path
) -> None:
    write_plugin(tmp_path / "plugins", "cat", "", type="pluggy")
    said = child("-c", f"import sys\nNOT_FOR_A_LIST = {NOT_FOR_A_LIST!r}\n{LISTED}").stdout
    assert said == "['cat'] []\n"


@pytest.mark.usefixtures("without_site")
def test_the_guard_sees_a_heavy_import(child: Child) -> None:
    assert {"yaml", "sqlite3"} <= modules_after(child, "import yaml, sqlite3")
