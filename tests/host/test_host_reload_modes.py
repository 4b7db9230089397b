"""`plugin.reload`: a gate while state is handed over, and plugins that are stopped before their successor starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import CallTimeout, PluginState

COUNTER = """
from pluginkit import hookimpl
VERSION = {version}
class Cat:
    def __init__(self):
        self.count = 0
    @hookimpl
    def speak(self, is_loud):
        self.count += 1
        return str(self.count)
    def export_state(self): return self.count
    def import_state(self, data): self.count = data
"""


def write(zoo: Any, name: str, source: str) -> None:
    (zoo.plugins / name / f"{name}.py").write_text(source)


@pytest.mark.soak
def test_lc11_with_a_gate_no_call_is_lost_between_export_and_import(
    zoo: Any, soak_length: Callable[[int], int]
) -> None:
    """Case 108 of the catalogue: eight threads count during 200 reloads, and every count arrives."""
    zoo.add("cat", COUNTER.format(version=0), plugin={"reload": "gated"})
    host = zoo.started()
    stop, calls, wrong = threading.Event(), [], []

    def call() -> None:
        number = 0
        while not stop.is_set():
            answers = host.hook.speak(is_loud=True)
            number += 1
            if len(answers) != 1:
                wrong.append(answers)
            stop.wait(0.0005)
        calls.append(number)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for version in range(1, soak_length(200) + 1):
            write(zoo, "cat", COUNTER.format(version=version))
            report = host.reload("cat", timeout=60.0)
            assert report.ok, report
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    # `count += 1` of eight threads is itself no step that cannot be divided; the switch interval of
    # 5 ms makes a loss there all but impossible in a body as short as this.
    assert wrong == []
    assert host.plugins["cat"].instance.count == sum(calls)


BLOCKING = """
import threading
from pluginkit import hookimpl
entered, go = threading.Event(), threading.Event()
class Cat:
    @hookimpl
    def speak(self, is_loud):
        if is_loud:
            entered.set()
            go.wait(30)
        return "{word}"
"""


def busy(zoo: Any, **manifest: Any) -> tuple[Any, threading.Event, threading.Thread, list[Any]]:
    """A host in whose plugin a call is under way."""
    zoo.add("cat", BLOCKING.format(word="old"), plugin=manifest)
    host = zoo.started()
    entered, go = host.plugins["cat"].get("entered"), host.plugins["cat"].get("go")
    results: list[Any] = []
    caller = threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=True)))
    caller.start()
    assert entered.wait(30)
    write(zoo, "cat", BLOCKING.format(word="new"))
    return host, go, caller, results


@pytest.mark.parametrize("mode", ["gated", "stop_first"])
def test_lc06_a_gate_that_does_not_come_to_rest_fails_the_reload_and_opens_again(zoo: Any, mode: str) -> None:
    host, go, caller, results = busy(zoo, reload=mode)
    report = host.reload("cat", timeout=0.05)
    assert report.failure is not None
    assert (report.failure.step, report.failure.reason.code) == ("drain", "calls-running")
    assert host.hook.speak(is_loud=False) == ["old"]
    go.set()
    caller.join(30)
    assert results == [["old"]]
    assert host.reload("cat", timeout=30).ok
    assert host.hook.speak(is_loud=False) == ["new"]


def test_calls_wait_at_the_gate_and_run_on_the_new_version(zoo: Any) -> None:
    host, go, caller, results = busy(zoo, reload="gated")
    reports: list[Any] = []
    reloading = threading.Thread(target=lambda: reports.append(host.reload("cat", timeout=30)))
    reloading.start()
    hook = host.hook.speak
    # Once the gate is closed a call with a timeout gives up there.
    while True:
        try:
            hook.using(timeout=0.05)(is_loud=False)
        except CallTimeout:
            break
    with pytest.raises(CallTimeout, match="no answer from: none"):
        hook.using(timeout=0.05)(is_loud=False)
    ways = (
        lambda: hook(is_loud=False),
        lambda: [one.result for one in hook.attributed(is_loud=False)],
        lambda: [host.plugins["cat"].call("speak", is_loud=False)],
        lambda: hook.using(errors="raise")(is_loud=False),
    )
    waiting = [threading.Thread(target=lambda way=way: results.append(way())) for way in ways]
    for thread in waiting:
        thread.start()
    go.set()
    for thread in (caller, reloading, *waiting):
        thread.join(30)
    assert reports[0].ok, reports[0]
    assert sorted(results) == [["new"]] * 4 + [["old"]]


def test_an_awaited_call_waits_at_the_gate_beside_its_loop(zoo: Any) -> None:
    import asyncio

    host, go, caller, _ = busy(zoo, reload="gated")
    reports: list[Any] = []
    reloading = threading.Thread(target=lambda: reports.append(host.reload("cat", timeout=30)))

    async def main() -> tuple[Any, int]:
        reloading.start()
        hook = host.hook.speak
        while True:
            try:
                hook.using(timeout=0.05)(is_loud=False)
            except CallTimeout:
                break
        waiting = asyncio.create_task(hook.awaited(is_loud=False))
        turns = 0
        for _ in range(3):
            await asyncio.sleep(0.01)
            turns += 1
        go.set()
        return await waiting, turns

    assert asyncio.run(main()) == (["new"], 3)
    caller.join(30)
    reloading.join(30)
    assert reports[0].ok


NESTING = """
from pluginkit import hookimpl
class Cat:
    def __init__(self, ctx): self.ctx = ctx
    @hookimpl
    def speak(self, is_loud):
        if is_loud:
            self.ctx.functions.entered()
            return self.ctx.hook.speak(is_loud=False)[0]
        return "{word}"
"""


def test_a_call_from_within_a_call_passes_the_gate(zoo: Any) -> None:
    zoo.add("cat", NESTING.format(word="old"), plugin={"reload": "gated"})
    entered, go = threading.Event(), threading.Event()

    def enter() -> None:
        entered.set()
        go.wait(30)

    host = zoo.started(functions={"entered": enter})
    results: list[Any] = []
    caller = threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=True)))
    caller.start()
    assert entered.wait(30)
    write(zoo, "cat", NESTING.format(word="new"))
    reports: list[Any] = []
    reloading = threading.Thread(target=lambda: reports.append(host.reload("cat", timeout=30)))
    reloading.start()
    while True:
        try:
            host.hook.speak.using(timeout=0.05)(is_loud=False)
        except CallTimeout:
            break
    go.set()
    caller.join(30)
    reloading.join(30)
    assert results == [["old"]]
    assert reports[0].ok


# An exclusive resource: a lock file that is there while somebody has it.

EXCLUSIVE = """
from pathlib import Path
from pluginkit import hookimpl
LOCK = Path({lock!r})
class Cat:
    def __init__(self): self.count = 0
    @hookimpl
    def speak(self, is_loud):
        self.count += 1
        return "{word}" + str(self.count)
    def on_load(self, ctx):
        LOCK.open("x").close()
        ctx.callback(LOCK.unlink)
        {step}
    def on_start(self): note("start {word}")
    def on_stop(self): note("stop {word}")
    def export_state(self): return self.count
    def import_state(self, data): self.count = data
def note(text):
    import builtins
    builtins.pk_journal.append(text)
"""


def exclusive(tmp_path: Path, word: str, step: str = "pass") -> str:
    return EXCLUSIVE.format(lock=str(tmp_path / "lock"), word=word, step=step)


def test_stop_first_gives_the_new_version_what_only_one_can_have(
    journal: Callable[[], list[str]], zoo: Any, tmp_path: Path
) -> None:
    zoo.add("cat", exclusive(tmp_path, "old"), plugin={"reload": "stop_first"})
    host = zoo.started()
    assert host.hook.speak(is_loud=True) == ["old1"]
    write(zoo, "cat", exclusive(tmp_path, "new"))
    assert host.reload("cat", check=True).ok
    assert journal() == ["start old"]
    report = host.reload("cat")
    assert report.ok, report
    assert journal() == ["start old", "stop old", "start new"]
    assert host.hook.speak(is_loud=True) == ["new2"]
    assert (report.problems, report.alive) == ((), ())
    host.unload("cat")
    assert not (tmp_path / "lock").exists()


def test_stop_first_starts_the_old_version_again_with_its_state_if_the_new_one_fails(
    journal: Callable[[], list[str]], zoo: Any, tmp_path: Path
) -> None:
    zoo.add("cat", exclusive(tmp_path, "old"), plugin={"reload": "stop_first"})
    host = zoo.started()
    generation = host.plugins["cat"].generation
    assert host.hook.speak(is_loud=True) == ["old1"]
    for step, failing in (("1 / 0", "on_load"), ("raise SystemExit", "on_load")):
        write(zoo, "cat", exclusive(tmp_path, "new", step))
        report = host.reload("cat")
        assert report.failure is not None
        assert report.failure.step == failing
    assert journal() == ["start old", *["stop old", "start old"] * 2]
    assert host.hook.speak(is_loud=True) == ["old2"]
    assert host.plugins["cat"].generation == generation
    assert host.plugins["cat"].state is PluginState.RUNNING
    write(zoo, "cat", exclusive(tmp_path, "mended"))
    assert host.reload("cat").ok
    assert host.hook.speak(is_loud=True) == ["mended3"]


def test_an_import_error_stops_nothing_that_is_to_be_stopped_first(
    journal: Callable[[], list[str]], zoo: Any, tmp_path: Path
) -> None:
    zoo.add("cat", exclusive(tmp_path, "old"), plugin={"reload": "stop_first"})
    host = zoo.started()
    write(zoo, "cat", "1 / 0")
    assert not host.reload("cat").ok
    assert journal() == ["start old"]
    assert host.hook.speak(is_loud=True) == ["old1"]


def test_if_even_the_old_version_cannot_start_again_the_plugin_has_failed_and_the_report_says_both(
    journal: Callable[[], list[str]], zoo: Any, tmp_path: Path
) -> None:
    zoo.add("cat", exclusive(tmp_path, "old"), plugin={"reload": "stop_first"})
    zoo.speaker("dog", requires={"plugins": ["cat"]})
    host = zoo.started()
    # A careless version takes the lock and fails before it has said how to give it back.
    write(zoo, "cat", exclusive(tmp_path, "new").replace("ctx.callback(LOCK.unlink)", "1 / 0"))
    report = host.reload("cat")
    assert report.failure is not None
    assert report.failure.step == "on_load"
    assert [(one.plugin, one.step) for one in report.problems] == [
        ("cat", "on_load"),
        ("dog", "requirements"),
    ]
    assert "FileExistsError" in report.problems[0].error
    assert [host.plugins[name].state for name in ("cat", "dog")] == [PluginState.FAILED] * 2
    assert host.hook.speak(is_loud=True) == []
    (tmp_path / "lock").unlink()
    write(zoo, "cat", exclusive(tmp_path, "mended"))
    host.load("dog")
    assert host.hook.speak(is_loud=True) == ["mended1", "MEOW!"]


# The state's version

OLD_STATE = "    STATE_VERSION = {}\n    def export_state(self): return 5\n"
SAYS = """
from pluginkit import hookimpl
class Cat:
    state = None
    @hookimpl
    def speak(self, is_loud): return repr(self.state)
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (OLD_STATE.format(1), "    def import_state(self, data): self.state = data\n", "5"),
        (
            OLD_STATE.format(2),
            "    def import_state(self, data, version): self.state = data, version\n",
            "(5, 2)",
        ),
        (
            OLD_STATE.format(1),
            "    def import_state(self, data, *, version): self.state = data, version\n",
            "(5, 1)",
        ),
        (OLD_STATE.format(3), "", "None"),
    ],
)
def test_lc11_the_new_version_gets_state_that_it_can_read(zoo: Any, old: str, new: str, said: str) -> None:
    zoo.add("cat", SAYS + old)
    host = zoo.started()
    write(zoo, "cat", SAYS + new)
    assert host.reload("cat").ok
    assert host.hook.speak(is_loud=True) == [said]


def test_lc11_state_of_another_version_is_refused_if_nobody_asks_for_the_version(zoo: Any) -> None:
    zoo.add("cat", SAYS + OLD_STATE.format(2))
    host = zoo.started()
    write(zoo, "cat", SAYS + "    def import_state(self, data): self.state = data\n")
    report = host.reload("cat")
    assert report.failure is not None
    assert report.failure.step == "import_state"
    assert "of STATE_VERSION 2, this one's of 1" in report.failure.error
    assert "def import_state(self, data, version)" in report.failure.error
    write(zoo, "cat", SAYS + "    STATE_VERSION = 'x'\n    def import_state(self, data): ...\n")
    assert "STATE_VERSION must be a whole number, not 'x'" in str(host.reload("cat"))


def test_quiet_waits_until_nobody_writes(zoo: Any) -> None:
    zoo.add("cat", BLOCKING.format(word="old"))
    host = zoo.started()
    began = time.monotonic()
    write(zoo, "cat", BLOCKING.format(word="new"))
    assert host.reload("cat", quiet=0.2).ok
    assert time.monotonic() - began >= 0.2
