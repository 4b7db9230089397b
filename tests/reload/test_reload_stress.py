"""Promise 3 under eight threads: no call fails, is doubled, reordered, mixes versions or goes back in time."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluginkit import Host, hookspec
from pluginkit.testing import write_plugin

CALLERS = 8
RELOADS = 500


class Chain:
    """Each answer carries the versions of the modules that it has passed."""

    @hookspec
    def ask(self, depth: int) -> tuple[str, tuple[int, ...]]:
        """The plugin's name and those versions; with `depth`, by way of a nested call."""
        raise NotImplementedError


# Every module has the version; `deep` and `late` are imported when the call gets there.
CODE = """
from pluginkit import hookimpl
from . import part
V = {version}
STATE = []

class Plugin:
    def __init__(self, ctx):
        self.ctx = ctx
    {step}

    def passed(self):
        from .deep import V as deep
        yield V
        yield part.V
        from . import late
        yield late.V
        yield deep
        yield part.again()

    {marker}
"""
PLAIN = """@hookimpl
    def ask(self, depth):
        if depth:
            for answer in self.ctx.hook.ask(depth=depth - 1):
                assert len(set(answer[1])) == 1, answer
        return (NAME, tuple(self.passed()))"""
WRAPPER = """@hookimpl(wrapper=True)
    def ask(self, depth):
        before = tuple(self.passed())
        results = yield
        return [*results, (NAME, (*before, *self.passed()))]"""
PART = "V = {version}\ndef again():\n    from .deep import V as deep\n    return deep\n"

FAILING = {
    "import": "",
    "create": "def __new__(cls, ctx): raise ValueError('create')",
    "contract": "",
    "on_load": "def on_load(self): raise ValueError('on_load')",
    "on_start": "def on_start(self): raise SystemExit('on_start')",
    "health": "def health(self): return False",
    "import_state": "def import_state(self, data): raise ValueError('import_state')",
}
EXPORT = "def export_state(self): return list(STATE)"


def release(plugins: Path, name: str, version: int, failing: str | None = None) -> None:
    step = f"{EXPORT}\n    {FAILING.get(failing or '', '')}"
    marker = (WRAPPER if name == "mantle" else PLAIN).replace("NAME", repr(name))
    if failing == "contract":
        marker = marker.replace("depth)", "dept)", 1)
    text = CODE.format(version=version, step=step, marker=marker)
    files = {
        "part.py": PART.format(version=version),
        "deep.py": f"V = {version}\n",
        "late.py": f"V = {version}\n",
        f"{name}.py": text + ("1 / 0\n" if failing == "import" else ""),
    }
    for file, source in files.items():
        (plugins / name / file).write_text(source)


NAMES = ("alpha", "beta", "mantle")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    for name in NAMES:
        write_plugin(tmp_path / "plugins", name, "", type="chain", entrypoint=f"{name}:Plugin")
        release(tmp_path / "plugins", name, 0)
    with Host(
        contracts={"chain": Chain},
        plugins_dir=tmp_path / "plugins",
        entry_point_group=None,
        state_dir=tmp_path / "state",
    ) as made:
        assert [plugin.state.is_live for plugin in made.plugins.values()] == [True] * 3
        yield made


class Watch:
    """What one calling thread has seen."""

    def __init__(self) -> None:
        self.newest = dict.fromkeys(NAMES, 0)
        self.calls = 0
        self.wrong: str | None = None

    def look(self, results: list[tuple[str, tuple[int, ...]]]) -> None:
        self.calls += 1
        if [name for name, _ in results] != list(NAMES):
            self.wrong = f"dropped, doubled or reordered: {results}"
        for name, versions in results:
            if len(set(versions)) != 1:
                self.wrong = f"mixed: {name} {versions}"
            elif versions[0] < self.newest[name]:
                self.wrong = f"back in time: {name} {versions} after {self.newest[name]}"
            self.newest[name] = versions[0]


def call_until(stop: threading.Event, host: Host, watch: Watch, number: int) -> None:
    while not stop.is_set() and watch.wrong is None:
        try:
            watch.look(host.hook.ask.using(errors="raise")(depth=number % 3))
        except BaseException as error:
            watch.wrong = f"{type(error).__name__}: {error}"
        # Callers that only compute would hand the interpreter over every 5 ms at most, and each file
        # that a reload reads would wait for all eight of them.
        stop.wait(0.0005)


@pytest.mark.soak
def test_i1_i2_i4_eight_threads_calling_three_plugins_during_reloads_that_fail_at_every_step(
    host: Host, tmp_path: Path, soak_length: Callable[[int], int]
) -> None:
    stop, watches = threading.Event(), [Watch() for _ in range(CALLERS)]
    threads = [
        threading.Thread(target=call_until, args=(stop, host, watch, number))
        for number, watch in enumerate(watches)
    ]
    for thread in threads:
        thread.start()
    versions = dict.fromkeys(NAMES, 0)
    steps, failed = itertools.cycle(FAILING), []
    try:
        for number in range(soak_length(RELOADS)):
            name = NAMES[number % 3]
            failing = next(steps) if number % 5 == 4 else None
            release(tmp_path / "plugins", name, versions[name] + 1, failing)
            report = host.reload(name, timeout=60.0)
            assert report.ok == (failing is None), f"{failing}: {report}"
            if report.failure is None:
                versions[name] += 1
            else:
                failed.append((failing, report.failure.step))
            assert not any(watch.wrong for watch in watches)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert [watch.wrong for watch in watches] == [None] * CALLERS
    assert len(failed) == soak_length(RELOADS) // 5
    assert all(step == failing for failing, step in failed), failed
    assert min(watch.calls for watch in watches) > 0
    watch = Watch()
    watch.look(host.hook.ask(depth=1))
    assert (watch.wrong, watch.newest) == (None, versions)
    assert [plugin.error_count for plugin in host.plugins.values()] == [0, 0, 0]


MANY = """
import gc, json, sys, threading
from pathlib import Path
from pluginkit import Host, hookspec
from pluginkit.testing import write_plugin

class Chain:
    @hookspec
    def ask(self, depth: int) -> tuple: "The versions of three modules."

rounds, where = int(sys.argv[1]), Path(sys.argv[2])
modules = [f"m{number}" for number in range(19)]
piece = "V = {version}\\nclass C: ...\\ndef f(): return C, V\\n"
source = (
    "from pluginkit import hookimpl\\nfrom . import " + ", ".join(modules) + "\\nV = {version}\\n"
    "class Plugin:\\n    @hookimpl\\n    def ask(self, depth): return V, m0.V, m18.V\\n"
)
files = {f"{name}.py": piece.format(version=0) for name in modules}
directory = write_plugin(
    where / "plugins", "big", source.format(version=0), type="chain", entrypoint="big:Plugin", files=files
)
with Host(
    contracts={"chain": Chain}, plugins_dir=where / "plugins", entry_point_group=None, state_dir=where / "state"
) as host:
    counts, alive = [], []
    for version in range(1, rounds + 1):
        for name, text in (("big", source), ("m0", piece), ("m18", piece)):
            (directory / f"{name}.py").write_text(text.format(version=version))
        report = host.reload("big")
        assert report.ok, report
        if version % (rounds // 5) == 0:
            alive += report.alive
            gc.collect()
            counts.append(len(gc.get_objects()))
    print(json.dumps({
        "counts": counts,
        "alive": alive,
        "answer": host.hook.ask(depth=0)[0],
        "modules": sum(key.partition(".")[0].startswith("big#") for key in sys.modules),
        "threads": [thread.name for thread in threading.enumerate()],
    }))
"""


@pytest.mark.soak
def test_i6_every_old_generation_of_many_reloads_is_collected_and_nothing_grows(
    child: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, soak_length: Callable[[int], int]
) -> None:
    """1,000 reloads of a plugin of 20 modules; the budget of bytes is the benchmark's business."""
    # Caches of the standard library that keep a weak reference to each of the last 128 classes fill first.
    rounds = max(300, soak_length(1_000))
    done = child("-c", MANY, str(rounds), str(tmp_path))
    assert "still refers to" not in done.stderr
    seen = json.loads(done.stdout)
    assert seen["alive"] == []
    assert seen["answer"] == [rounds] * 3
    # The package, its entry module and the nineteen others, of one generation.
    assert seen["modules"] == 21
    assert set(seen["threads"]) <= {"MainThread", "pluginkit-collect"}
    # One thread more or less comes and goes with every second look.
    assert min(seen["counts"][-2:]) - min(seen["counts"][2:4]) < 20, seen["counts"]
