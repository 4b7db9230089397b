"""The command line as its users have it: in this process, in a child of its own, or on a terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli import main
from pluginkit.testing import write_plugin

ROOT = Path(__file__).parents[2]
CONFIG = """\
contracts:
  animal: "pluginkit.contracts.samples:Animal"
  transformer: "pluginkit.contracts.samples:Transformer"
"""
CAT = """\
from pluginkit import hookimpl

class Cat:
    @hookimpl
    def speak(self, is_loud):
        return "MEOW!" if is_loud else "Meow"
"""


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    status: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.stdout)


class Stream(io.TextIOWrapper):
    """Standard output or error of a command that runs in this process, seen while it runs."""

    def __init__(self, *, encoding: str = "utf-8", terminal: bool = False) -> None:
        self.bytes = io.BytesIO()
        self.terminal = terminal
        self.changed = threading.Condition()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        with self.changed:
            written = super().write(text)
            self.changed.notify_all()
        return written

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode(self.encoding)

    def wait_for(self, words: str, timeout: float = 60.0) -> bool:
        """Wait until `words` were printed."""
        with self.changed:
            return self.changed.wait_for(lambda: words in self.text, timeout)


Cli = Callable[..., Done]


@pytest.fixture
def make_stream() -> Callable[[str], Stream]:
    """A stream of an encoding."""
    return lambda encoding: Stream(encoding=encoding)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests changes what is printed."""
    for name in list(os.environ):
        if name.startswith("PLUGINKIT_") or name in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Path:
    """The current directory of a user: a config.yaml with two contracts, and the plugin cat."""
    directory = tmp_path / "project"
    directory.mkdir()
    directory.joinpath("config.yaml").write_text(CONFIG, "utf-8")
    write_plugin(directory / "plugins", "cat", CAT, type="animal", entrypoint="cat:Cat")
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def sample_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Path:
    """The project of this repository, in a copy."""
    directory = tmp_path / "sample"
    directory.mkdir()
    for name in ("plugins", "plugin_configs"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.yaml", directory)
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def cli() -> Cli:
    """Run a command in this process: `cli("list", "--json").data`; on a terminal with `terminal=True`."""

    def run(*arguments: str, terminal: bool = False, encoding: str = "utf-8", status: int | None = 0) -> Done:
        out = Stream(encoding=encoding, terminal=terminal)
        err = Stream(encoding=encoding, terminal=terminal)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as exit_:
            main(arguments)
        done = Done(int(exit_.value.code or 0), out.text, err.text)
        if status is not None and done.status != status:
            pytest.fail(f"exit code {done.status}, not {status}\n{done.stdout}\n{done.stderr}")
        return done

    return run


@pytest.fixture
def process(child_env: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `pluginkit` as a process of its own, in the current directory; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pluginkit", *arguments]
        started.append(subprocess.Popen(command, env={**child_env, **(env or {})}, **options))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.wait(60)
        for pipe in (one.stdin, one.stdout, one.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def user(child_env: dict[str, str]) -> Cli:
    """Run `pluginkit` as a user does, in a process of its own."""

    def run(*arguments: str, env: dict[str, str] | None = None, status: int | None = 0) -> Done:
        command = [sys.executable, "-m", "pluginkit", *arguments]
        done = subprocess.run(
            command,
            env={**child_env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        if status is not None and done.returncode != status:
            pytest.fail(f"exit code {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
        return Done(done.returncode, done.stdout, done.stderr)

    return run
