"""The kit that plugin authors test with (QA02), used as they would: in a project of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pluginkit import LoadFailures, UsageError, hookimpl
from pluginkit.contracts.samples import Animal
from pluginkit.testing import IsolatedHost, write_plugin

CAT = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud):
        return "MEOW!" if is_loud else "Meow"
"""
AUTHORS_TEST = """
import pytest
from pluginkit import hookimpl
from pluginkit.contracts.samples import Animal

class Loud:
    @hookimpl
    def speak(self, is_loud):
        return "LOUD"

def test_my_cat(isolated_host):
    host = isolated_host(contracts={"animal": Animal}, plugin="plugins/cat")
    assert host.hook.speak(is_loud=True) == ["MEOW!"]
    with host.temporary(Loud(), type="animal") as loud:
        assert host.hook.speak(is_loud=True) == ["LOUD", "MEOW!"]
    assert host.hook.speak(is_loud=True) == ["MEOW!"]

def test_a_broken_plugin_fails_its_test(isolated_host):
    with pytest.raises(Exception, match="ZeroDivisionError"):
        isolated_host(contracts={"animal": Animal}, plugin="plugins/bad")
"""


def test_qa02_the_fixture_works_in_an_authors_project(tmp_path: Path, child_env: dict[str, str]) -> None:
    write_plugin(tmp_path / "plugins", "cat", CAT, type="animal", entrypoint="cat:Cat")
    write_plugin(tmp_path / "plugins", "bad", "1 / 0", type="animal")
    (tmp_path / "test_cat.py").write_text(AUTHORS_TEST)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "pluginkit.testing.plugin",
        "-p",
        "no:cacheprovider",
        ".",
    ]
    env = {**child_env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_qa02_a_temporary_plugin_is_gone_even_if_the_block_raises() -> None:
    class Loud:
        @hookimpl
        def speak(self, is_loud: bool) -> str:
            return "LOUD"

    with IsolatedHost(contracts={"animal": Animal}) as host:
        block = host.temporary(Loud(), type="animal", name="loud")
        with pytest.raises(ZeroDivisionError), block as loud:
            1 / (loud.speak(True) != "LOUD")
        assert host.hook.speak(is_loud=True) == []


def test_an_isolated_host_sees_no_installed_plugin_and_leaves_no_file(tmp_path: Path) -> None:
    with IsolatedHost() as host:
        assert host.setup.entry_point_group is None
        host.setup.state_dir.mkdir(exist_ok=True)
        state_dir = host.setup.state_dir
    assert not state_dir.exists()


def test_single_files_and_unloadable_plugins(tmp_path: Path) -> None:
    (tmp_path / "shrug.py").write_text(
        CAT.replace("class Cat:", "").replace("    @", "@").replace("    def", "def").replace("(self, ", "(")
    )
    with IsolatedHost(contracts={"animal": Animal}, plugin=tmp_path / "shrug.py") as host:
        assert host.hook.speak(is_loud=False) == ["Meow"]
    write_plugin(tmp_path, "bad", "1 / 0", type="animal")
    with IsolatedHost(contracts={"animal": Animal}, plugin=tmp_path / "bad", must_load=False) as lenient:
        assert str(lenient.plugins["bad"].state) == "failed"
    strict = IsolatedHost(contracts={"animal": Animal}, plugin=tmp_path / "bad")
    with pytest.raises(LoadFailures, match="ZeroDivisionError"):
        strict.__enter__()
    strict.close()
    with pytest.raises(UsageError, match="there is no plugin at"):
        IsolatedHost(plugin=tmp_path / "nobody")


def test_errors_in_calls_are_raised_in_tests() -> None:
    class Bad:
        @hookimpl
        def speak(self, is_loud: bool) -> Any:
            raise KeyError("seen")

    host = IsolatedHost(contracts={"animal": Animal})
    with host, host.temporary(Bad(), type="animal"), pytest.raises(KeyError, match="seen"):
        host.hook.speak(is_loud=True)
