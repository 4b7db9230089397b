"""Hosts over a directory of small plugins, written by each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host, hookspec
from pluginkit.testing import write_plugin


class Animal:
    """The contract that most tests use."""

    @hookspec
    def speak(self, is_loud: bool) -> str:
        """What the animal says."""
        raise NotImplementedError

    @hookspec(required=False)
    def legs(self) -> int:
        """How many legs it has."""
        raise NotImplementedError


CAT = """
from pluginkit import hookimpl

class Cat:
    @hookimpl
    def speak(self, is_loud):
        return "MEOW!" if is_loud else "Meow"
"""


class Zoo:
    """A plugins directory, and hosts over it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugins = directory / "plugins"
        self.plugins.mkdir()
        self.hosts: list[Host] = []

    def add(self, name: str, source: str = CAT, entrypoint: str | None = None, **arguments: Any) -> Path:
        arguments.setdefault("type", "animal")
        package = name.replace("-", "_")
        if entrypoint is None and "class Cat" in source:
            entrypoint = f"{package}:Cat"
        return write_plugin(self.plugins, name, source, entrypoint=entrypoint, **arguments)

    def speaker(self, name: str, says: str | None = None, **arguments: Any) -> Path:
        return self.add(name, CAT.replace("Meow", says or name), **arguments)

    def host(self, **arguments: Any) -> Host:
        arguments.setdefault("contracts", {"animal": Animal})
        arguments.setdefault("plugins_dir", self.plugins)
        arguments.setdefault("entry_point_group", None)
        arguments.setdefault("state_dir", self.directory / "state")
        host = Host(**arguments)
        self.hosts.append(host)
        return host

    def started(self, **arguments: Any) -> Host:
        return self.host(**arguments).__enter__()


@pytest.fixture(autouse=True)
def no_module_stays() -> Iterator[None]:
    """With its host, every private module of a plugin has to go."""
    before = {name for name in sys.modules if "#" in name}
    yield
    assert {name for name in sys.modules if "#" in name} - before == set()


@pytest.fixture
def zoo(tmp_path: Path, no_module_stays: None) -> Iterator[Zoo]:
    made = Zoo(tmp_path)
    yield made
    for host in made.hosts:
        host.close()


@pytest.fixture
def journal() -> Iterator[Callable[[], list[str]]]:
    """What plugins note with `import builtins; builtins.pk_journal.append(…)`, in order."""
    import builtins

    notes: list[str] = []
    builtins.pk_journal = notes  # type: ignore[attr-defined]  # plugins have no other way to the test
    yield lambda: list(notes)
    del builtins.pk_journal  # type: ignore[attr-defined]  # as above
