"""Hosts that watch a directory of small plugins, and what they say meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host, hookspec
from pluginkit.events import Event
from pluginkit.testing import write_plugin

DEADLINE = 20.0
"""Seconds that anything here may take; only a defect takes so long."""


class Teller:
    """The contract: what the version of the code says."""

    @hookspec
    def tell(self) -> str:
        """What this version says."""
        raise NotImplementedError


CODE = """
from pluginkit import hookimpl

class Told:
    @hookimpl
    def tell(self):
        return {says!r}
"""


def until(holds: Callable[[], object], what: str = "", deadline: float = DEADLINE) -> None:
    """Wait until `holds()`, and fail if it takes longer than any defect-free machine needs."""
    end = time.monotonic() + deadline
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline:g} s: {what or holds}")
        time.sleep(0.002)


class Yard:
    """A project directory with plugins, and one host that watches it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugins = directory / "plugins"
        self.plugins.mkdir()
        self.configs = directory / "plugin_configs"
        self.configs.mkdir()
        self.hosts: list[Host] = []
        self.events: list[Event] = []

    def add(self, name: str, says: str = "", code: str | None = None, **arguments: Any) -> Path:
        """A plugin of the type `teller`; gives its directory."""
        package = name.replace("-", "_")
        arguments.setdefault("type", "teller")
        arguments.setdefault("entrypoint", f"{package}:Told")
        write_plugin(self.plugins, name, code or CODE.format(says=says or name), **arguments)
        return self.plugins / name

    def code_of(self, name: str) -> Path:
        return self.plugins / name / f"{name.replace('-', '_')}.py"

    def watch(self, keys: str = "", **arguments: Any) -> Host:
        """A started host that watches; `keys` are those of `file_watcher`. It has had its first look."""
        config = self.directory / "config.yaml"
        config.write_text(f"file_watcher: {{{keys}}}\n", "utf-8")
        arguments.setdefault("contracts", {"teller": Teller})
        arguments.setdefault("entry_point_group", None)
        host = Host(config, watch=True, **arguments)
        self.hosts.append(host)
        host.events.subscribe(self.events.append)
        host.load()
        host.start()
        if host.watching() is not None:
            until(lambda: health(host).looks > 0, "the first look")
        return host

    def close(self) -> None:
        for host in self.hosts:
            host.close()

    def kinds(self, *wanted: str) -> list[tuple[str, str | None]]:
        """What happened to plugins, in order."""
        return [(event.kind, event.plugin) for event in list(self.events) if event.kind in wanted]


def health(host: Host) -> Any:
    """How the watcher does, of a host that has one."""
    found = host.watching()
    assert found is not None
    return found


def says(host: Host, *wanted: str) -> Callable[[], bool]:
    """Whether the plugins tell these, in any order."""
    return lambda: sorted(host.hook.tell()) == sorted(wanted)


def settled(host: Host) -> None:
    """Wait until everything that has changed by now has been looked at."""
    before = health(host)
    marker = host.setup.plugins_dirs[0] / f"marker-{time.monotonic_ns()}"
    marker.mkdir()
    until(lambda: health(host).changes > before.changes, "the marker is seen")
    until(lambda: health(host).looks > before.looks, "a look after the marker")
    looks = health(host).looks
    marker.rmdir()
    until(lambda: health(host).looks > looks, "a look after the marker was removed")


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="pluginkit")
