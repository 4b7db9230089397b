"""Whose an operation is, and what the guard does then, without an audit hook in this process.

The operations are told to the hook by hand; tests/host/test_host_guard.py has real ones.
"""

from __future__ import annotations

import builtins
import os
import queue
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from pluginkit import PermissionDenied
from pluginkit.security import guard as guards
from pluginkit.security.guard import Guard
from tests.support.granting import grants_of

Mode = Literal["observe", "block"]


class Told:
    """A guard whose hook is not installed, and code of a plugin under it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.events: list[tuple[str, str | None, dict[str, Any]]] = []
        self.guards: list[Guard] = []

    def guard(self, mode: Mode = "block") -> Guard:
        made = Guard(mode, lambda kind, plugin, **data: self.events.append((kind, plugin, data)))
        self.guards.append(made)
        return made

    def plugin(self, guard: Guard, text: str, name: str = "plugin_of_test") -> Any:
        """Run the text as a plugin's module; return its function `act`."""
        marked = vars(builtins) | guard.marks(grants_of({}, self.data))
        module: dict[str, Any] = {
            "__builtins__": marked,
            "__name__": name,
            # Through the module, as Python's own call of the hook stands right on the frame that acts.
            "told": guards._hook,
            "threading": threading,
        }
        exec(textwrap.dedent(text), module)
        return module["act"]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr(guards, "_install", lambda: None)
    made = Told(tmp_path / "data")
    yield made
    for guard in made.guards:
        guard.close()


ACT = """
    def act(event, *args):
        told(event, args)
"""


def denied(act: Any, *args: Any) -> PermissionDenied:
    with pytest.raises(PermissionDenied) as caught:
        act(*args)
    return caught.value


def test_cp11_the_hook_asks_the_frame_that_acts(told: Told) -> None:
    act = told.plugin(told.guard(), ACT)
    error = denied(act, "open", "/etc/passwd", "r", 0)
    assert (error.plugin, error.operation, error.target) == ("cat", "fs.open", "/etc/passwd")
    guards._hook("open", ("/etc/passwd", "r", 0))  # of the host


def test_cp11_observe_lets_it_be_and_tells(told: Told) -> None:
    guard = told.guard("observe")
    act = told.plugin(guard, ACT)
    act("open", "/etc/passwd", "r", 0)
    guard.flush()
    ((kind, plugin, data),) = told.events
    assert (kind, plugin) == ("guard", "cat")
    assert data == {
        "operation": "fs.open",
        "target": "/etc/passwd",
        "decision": "observed",
        "code": "no-grant",
        "reason": data["reason"],
        "repeated": 0,
    }


@pytest.mark.parametrize(
    ("event", "args", "target"),
    [
        ("socket.connect", (None, ("10.0.0.1", 80)), "10.0.0.1:80"),
        ("socket.connect", (None, "/run/docker.sock"), "/run/docker.sock"),
        ("subprocess.Popen", ("/bin/ls", ["ls", "-l"], None, None), "ls -l"),
        ("os.exec", ("/bin/ls", "ls -l", None), "ls -l"),
        ("os.fork", (), ""),
    ],
)
def test_cp11_the_target_is_told_as_people_write_it(
    told: Told, event: str, args: tuple[Any, ...], target: str
) -> None:
    assert guards._target_of(event, args) == target


def test_cp11_what_cannot_be_read_is_told_and_never_refused(told: Told) -> None:
    unreadable = ("subprocess.Popen", None)  # too few arguments
    blocking, observing = told.guard("block"), told.guard("observe")
    told.plugin(blocking, ACT)(*unreadable)
    told.plugin(observing, ACT)(*unreadable)
    blocking.flush()
    observing.flush()
    ((_, _, data),) = told.events
    assert (data["code"], data["decision"], data["target"]) == (
        "unreadable",
        "observed",
        "(subprocess.Popen)",
    )


def test_cp11_what_pluginkit_does_for_a_plugin_is_the_hosts(told: Told) -> None:
    guard = told.guard()
    served: dict[str, Any] = {"__name__": "pluginkit.services.anything", "told": guards._hook}
    exec("def serve(event, *args):\n    told(event, args)\n", served)
    act = told.plugin(guard, "def act(serve, *args):\n    serve(*args)\n")
    act(served["serve"], "open", "/etc/passwd", "r", 0)
    served["__name__"] = "another.library"
    assert denied(act, served["serve"], "open", "/etc/passwd", "r", 0).plugin == "cat"


def test_cp11_what_the_import_system_opens_itself_is_the_hosts(told: Told) -> None:
    guard = told.guard()
    system: dict[str, Any] = {"__name__": "importlib._bootstrap_external", "told": guards._hook}
    exec(
        "def load(event, *args):\n    told(event, args)\ndef run(function, *args):\n    function(*args)\n",
        system,
    )
    act = told.plugin(guard, "def act(load, *args):\n    load(*args)\n")
    act(system["load"], "os.listdir", "/etc")
    # But what an imported library's own code does on the way is the plugin's who imports it.
    library: dict[str, Any] = {"__name__": "library", "told": guards._hook}
    exec("def body(event, *args):\n    told(event, args)\n", library)
    error = denied(act, system["run"], library["body"], "os.listdir", "/etc")
    assert error.operation == "fs.list"


def test_cp11_finders_forget_what_they_could_not_see(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = queue.SimpleQueue[bool]()
    monkeypatch.setattr("importlib.invalidate_caches", lambda: forgotten.put(True))
    guard = told.guard()
    system: dict[str, Any] = {"__name__": "importlib._bootstrap"}
    exec("def run(function, *args):\n    function(*args)\n", system)
    library: dict[str, Any] = {"__name__": "library", "told": guards._hook}
    exec("def body(event, *args):\n    told(event, args)\n", library)
    act = told.plugin(guard, "def act(run, *args):\n    run(*args)\n")
    denied(act, system["run"], library["body"], "os.listdir", "/etc")
    assert forgotten.get(timeout=10)


def test_cp11_a_thread_without_a_frame_of_its_own_is_its_starters(told: Told) -> None:
    guard = told.guard()
    failed: queue.SimpleQueue[BaseException] = queue.SimpleQueue()

    def body() -> None:  # no plugin's code
        try:
            guards._hook("open", ("/etc/passwd", "r", 0))
        except PermissionDenied as error:
            failed.put(error)

    def starts_one() -> None:  # neither, but run by a thread of a plugin's
        inner = threading.Thread(target=body)
        guards._hook("_thread.start_new_thread", (inner._bootstrap, (), None))  # type: ignore[attr-defined]  # what Python 3.12 tells
        inner.start()
        inner.join()

    act = told.plugin(
        guard,
        """
        def act(thread):
            told("_thread.start_new_thread", (thread._bootstrap, (), None))
        """,
    )
    outer = threading.Thread(target=starts_one)
    act(outer)
    outer.start()
    outer.join()
    assert failed.get(timeout=10).plugin == "cat"  # type: ignore[attr-defined]  # PermissionDenied

    free = threading.Thread(target=body)
    guards._hook("_thread.start_new_thread", (free._bootstrap, (), None))  # type: ignore[attr-defined]  # as above
    free.start()
    free.join()
    assert failed.empty()


def test_cp11_a_thread_that_the_host_starts_meanwhile_is_the_hosts(told: Told) -> None:
    guard = told.guard()
    pool: dict[str, Any] = {"__name__": "pluginkit.jobs.pool", "told": guards._hook}
    exec("def start(thread):\n    told('_thread.start_new_thread', (thread._bootstrap, (), None))\n", pool)
    act = told.plugin(guard, "def act(start, thread):\n    start(thread)\n")
    thread = threading.Thread(target=lambda: None)
    act(pool["start"], thread)
    assert thread not in guards._owners
    pool["__name__"] = "pluginkit.services.background"  # ctx.thread is for the plugin
    act(pool["start"], thread)
    assert thread in guards._owners


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later versions tell of threads themselves")
def test_cp11_python_3_11_tells_of_threads_by_their_start(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    guards._watch_thread_starts()
    act = told.plugin(
        told.guard(),
        """
        def act():
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
            return thread
        """,
    )
    assert act() in guards._owners
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread not in guards._owners


def test_cp11_a_closed_guard_sees_nothing(told: Told) -> None:
    guard = told.guard()
    act = told.plugin(guard, ACT)
    guard.close()
    guard.close()
    guard.flush()
    act("open", "/etc/passwd", "r", 0)
    other = told.guard()  # so that the hook asks at all
    told.plugin(other, ACT)
    act("open", "/etc/passwd", "r", 0)
    assert guard.marks(grants_of({}, told.data))  # a plugin loaded in the last moment is not watched either
    assert told.events == []


def test_cp11_what_the_guard_itself_does_is_not_judged(told: Told, tmp_path: Path) -> None:
    act = told.plugin(told.guard(), ACT)

    class Nosy(os.PathLike[str]):
        """A path that opens another one when it is asked for its text."""

        def __fspath__(self) -> str:
            guards._hook("open", ("/etc/shadow", "r", 0))
            return "/etc/passwd"

    assert denied(act, "open", Nosy(), "r", 0).operation == "fs.open"


def test_cp11_the_hook_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Any] = []
    monkeypatch.setattr(guards, "_is_installed", False)
    monkeypatch.setattr(sys, "addaudithook", installed.append)
    monkeypatch.setattr(guards, "_watch_thread_starts", lambda: installed.append("threads"))
    guards._install()
    guards._install()
    assert [one for one in installed if one != "threads"] == [guards._hook]
    assert installed.count("threads") == (sys.version_info < (3, 12))
