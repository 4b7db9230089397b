"""What every test has at hand: child processes as users start them, lengths of stress tests, a leak guard."""

from __future__ import annotations

import builtins
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.own_process import REPORTS, pytest_runtest_logreport, pytest_runtest_protocol

__all__ = ["pytest_runtest_logreport", "pytest_runtest_protocol"]  # hooks of pytest's

SOAK = os.environ.get("PLUGINKIT_SOAK") == "1"

# No deadlines: the machines that run this are shared, and speed is the benchmarks' subject.
settings.register_profile("dev", deadline=None)
# The same commit must get the same verdict each time; new examples are what `make soak` is for.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile("soak" if SOAK else "ci" if os.environ.get("CI") else "dev")

# A shell that starts the tests in the background has them, and all their children, ignore Ctrl-C.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long a thread may take to notice that its test is over.
_GRACE_SECONDS = 5.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hostile texts that were logged or printed have to get from a worker to the terminal: no lone surrogates."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode("utf-8")) for title, text in report.sections
    ]
    return report


@pytest.fixture
def soak_length() -> Callable[[int], int]:
    """How many rounds to go: the full number in `make soak`, a tenth of it otherwise."""

    def length(full: int) -> int:
        return full if SOAK else max(1, full // 10)

    return length


@pytest.fixture
def child_env() -> dict[str, str]:
    """The environment of a user's process.

    Bytecode is written as usual, coverage does not slip its own imports in, and pluginkit is found
    whether it is installed or not.
    """
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "COVERAGE_", "COV_CORE_", "PYTEST_", "PLUGINKIT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env["PYTHONPATH"] = str(_where_pluginkit_is())
    return env


@pytest.fixture
def child(tmp_path: Path, child_env: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in a process of its own: `child("import x; print(x)")` or `child("-m", "pluginkit")`.

    `env` is added to a user's environment, `stdin` is the text to read, `status` the exit status that is
    right (None for any), `timeout` in seconds.
    """

    def run(
        *arguments: str,
        cwd: Path = tmp_path,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        status: int | None = 0,
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *(arguments if arguments[0].startswith("-") else ("-c", *arguments))]
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**child_env, **(env or {})},
            input=stdin,
            timeout=timeout,
            text=True,
            capture_output=True,
            check=False,
        )
        if status is not None and done.returncode != status:
            pytest.fail(f"exit status {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
        return done

    return run


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves threads, plugins' modules, or a changed interpreter behind.

    The next test of the process would fail for it, far from the cause.
    """
    threads, modules = set(threading.enumerate()), plugin_modules()
    path, directory, import_function = list(sys.path), Path.cwd(), builtins.__import__
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in left:
        thread.join(_GRACE_SECONDS)
    alive = [thread.name for thread in left if thread.is_alive()]
    assert not alive, f"threads still run: {alive}"
    if plugin_modules() - modules:
        gc.collect()
    assert plugin_modules() <= modules, f"still loaded: {plugin_modules() - modules}; was the host closed?"
    assert sys.path == path, "sys.path was changed"
    assert Path.cwd() == directory, "the working directory was changed"
    assert builtins.__import__ is import_function, "builtins.__import__ was replaced"
    assert not guard_is_installed() or REPORTS in os.environ, "a guard was installed; mark it own_process"


def guard_is_installed() -> bool:
    """Whether this process has the audit hook, which can never be taken out again."""
    guard = sys.modules.get("pluginkit.security.guard")
    return guard is not None and guard._is_installed


def plugin_modules() -> set[str]:
    """What loaded plugins have in `sys.modules`: the modules of generations and their façades."""
    modules = list(sys.modules.items())
    return {name for name, module in modules if "#" in name or type(module).__name__ == "Facade"}


def _where_pluginkit_is() -> Path:
    spec = find_spec("pluginkit")
    if spec is None or spec.origin is None:
        pytest.exit("pluginkit is not importable: run `make test`, or pytest from the checkout")
    return Path(spec.origin).parent.parent
