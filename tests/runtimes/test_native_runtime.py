"""In-process plugins: generations of their own, and packages that the host has imported (RT01)."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host, PluginState, UnknownSymbol, hookimpl
from pluginkit.contracts.samples import Animal
from pluginkit.runtimes import Instance, OpenRequest, Runtime
from pluginkit.testing import write_plugin
from tests.support.dists import Wheel

MAIN = """
import threading
from pluginkit import hookimpl
go = threading.Event()
class Cat:
    @hookimpl
    def speak(self, is_loud): return "Meow"
class Fast: ...
def wait(): go.wait(30)
"""
MANIFEST = """
plugin:
  {name: imported-cat, type: animal, format: native, entrypoint: "main:Cat", language: python, version: "1.0.0",
   implementations: {fast: "main:Fast"}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files = {
        "imported_cat/__init__.py": "",
        "imported_cat/main.py": MAIN,
        "imported_cat/manifest.yaml": MANIFEST,
    }
    wheel = Wheel(
        name="imported-cat", version="1.0.0", files=files, plugins={"imported-cat": "imported_cat.main:Cat"}
    )
    wheel.unpack(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield tmp_path / "site"
    for name in [key for key in sys.modules if key.startswith("imported_cat")]:
        del sys.modules[name]


def make_host(tmp_path: Path, **arguments: Any) -> Host:
    arguments = {
        "contracts": {"animal": Animal},
        "state_dir": tmp_path / "state",
        "include": ["*cat*"],
        **arguments,
    }
    return Host(**arguments)


def test_an_installed_plugin_is_a_generation_of_its_own(site: Path, tmp_path: Path) -> None:
    with make_host(tmp_path) as host:
        plugin = host.plugins["imported-cat"]
        assert plugin.state is PluginState.RUNNING, plugin.reason
        assert plugin.reloadable
        assert plugin.get("imported_cat.main:Fast") is plugin.get("main:Fast")
        assert type(host.dispense("imported-cat", "fast")) is plugin.get("Fast")


def test_a_package_that_the_host_imported_is_used_as_it_is(site: Path, tmp_path: Path) -> None:
    module = importlib.import_module("imported_cat.main")
    host = make_host(tmp_path)
    with host:
        plugin = host.plugins["imported-cat"]
        assert (plugin.reloadable, plugin.generation) == (False, None)
        assert plugin.get("Cat") is module.Cat
        assert plugin.get("imported_cat.main:Fast") is module.Fast
        assert type(host.dispense("imported-cat", "fast")) is module.Fast
        with pytest.raises(UnknownSymbol):
            plugin.get("Fats")
        thread = threading.Thread(target=module.wait, name="stray")
        thread.start()
        report = host.unload("imported-cat", timeout=0.0)
        module.go.set()
        thread.join(10)
        assert [leftover.name for leftover in report.running] == ["stray"]
    assert sys.modules["imported_cat.main"] is module


class Answer:
    number = 7
    reloadable = False
    public_name = None

    def imports(self, other: Instance) -> bool:
        return False

    def commit(self) -> None: ...

    def is_current(self, found: Any, snapshot: Any) -> bool:
        return True

    def entered(self) -> Any:
        return nullcontext()

    def create(self, entrypoint: Any, context: Any) -> Any:
        class Remote:
            @hookimpl
            def speak(self, is_loud: bool) -> str:
                return f"{entrypoint} of {context.name}"

        return Remote()

    def symbol(self, name: str) -> Any:
        raise AttributeError(name)

    def symbols(self) -> dict[str, object]:
        return {}

    def running(self) -> tuple[()]:
        return ()

    def alive(self) -> tuple[()]:
        return ()

    def holders(self) -> tuple[()]:
        return ()

    def left_open(self, target: object) -> tuple[()]:
        return ()

    def close(self) -> None: ...


def test_rt01_a_host_can_bring_a_runtime_of_its_own(tmp_path: Path) -> None:
    class Elsewhere:
        name = "elsewhere"

        def open(self, request: OpenRequest) -> Instance:
            return Answer()

    runtime: Runtime = Elsewhere()
    write_plugin(
        tmp_path / "plugins", "cat", "", type="animal", plugin={"format": "elsewhere"}, entrypoint="cat:X"
    )
    with make_host(
        tmp_path, plugins_dir=tmp_path / "plugins", entry_point_group=None, runtimes=[runtime]
    ) as host:
        assert host.hook.speak(is_loud=True) == ["cat:X of cat"]
        assert (host.plugins["cat"].runtime, host.plugins["cat"].generation) == ("elsewhere", 7)
    other = make_host(tmp_path, plugins_dir=tmp_path / "plugins", entry_point_group=None)
    other.refresh()
    assert "elsewhere" in str(other.plugins["cat"].reason)
    other.close()
