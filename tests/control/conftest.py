"""Hosts with a socket in a runtime directory of the test's own, in this process and in others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.contracts.samples import Animal
from pluginkit.control.claim import Running, running_hosts
from pluginkit.control.client import ControlClient
from pluginkit.control.identity import Wanted
from pluginkit.testing import write_plugin

CAT = """\
from pluginkit import hookimpl

class Cat:
    @hookimpl
    def speak(self, is_loud):
        return "MEOW!" if is_loud else "Meow"
"""
# A host that says when it serves, and ends when its standard input does.
CHILD = """\
import sys
from pluginkit import Host
from pluginkit.contracts.samples import Animal
with Host(contracts={"animal": Animal}, plugins_dir=sys.argv[1], entry_point_group=None,
          state_dir=sys.argv[1] + "-state", control=sys.argv[2]):
    print("serving", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sockets lie in this test; it does not exist yet."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "pluginkit"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A plugins directory with the plugin cat."""
    write_plugin(tmp_path / "plugins", "cat", CAT, type="animal", entrypoint="cat:Cat")
    return tmp_path / "plugins"


@pytest.fixture
def make_host(runtime: Path, plugins: Path) -> Iterator[Callable[..., Host]]:
    """A host over `plugins` that runs and has a socket."""
    hosts: list[Host] = []

    def make(**arguments: Any) -> Host:
        defaults = {"contracts": {"animal": Animal}, "plugins_dir": plugins, "entry_point_group": None}
        state = plugins.parent / f"state-{len(hosts)}"
        hosts.append(Host(**{**defaults, "state_dir": state, "control": True, **arguments}))
        return hosts[-1].__enter__()

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    return make_host()


def the_running(**wanted: Any) -> Running:
    """The one host that runs and is meant."""
    (found,) = running_hosts(Wanted(**wanted))
    return found


@pytest.fixture
def client(host: Host) -> Iterator[ControlClient]:
    """A client of `host`."""
    with ControlClient(the_running()) as client:
        yield client


@pytest.fixture
def start_child(runtime: Path, child_env: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a host in a process of its own, and wait until it serves."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, code: str = CHILD) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**child_env, "XDG_RUNTIME_DIR": str(runtime.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("serving")
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
