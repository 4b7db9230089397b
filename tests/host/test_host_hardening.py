"""What broke once, and must not again: each test is a defect that a hostile reader found."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pluginkit import LoadError, PluginState, StateError, UsageError
from pluginkit.loading import Generation

RAISING = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): raise ValueError("in speak")
    def on_stop(self): stopped.append(1)
stopped = []
"""
CALLING = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): return "Meow"
    def STEP(self, ctx): ctx.functions.act()
"""


def test_a_call_that_raised_is_no_call_in_flight(zoo: Any) -> None:
    zoo.add("cat", RAISING)
    host = zoo.started(errors="raise")
    stopped = host.plugins["cat"].get("stopped")
    began = time.monotonic()
    report: Any = None
    try:
        host.hook.speak(is_loud=True)
    except ValueError:
        report = host.unload("cat", timeout=30)
    assert time.monotonic() - began < 15
    assert stopped == [1]
    assert report.running == ()


def test_other_threads_wait_for_a_lazy_submodule_that_one_is_just_importing(zoo: Any) -> None:
    source = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    from . import lazy\n    return lazy.X\n"
    zoo.add("cat", source, files={"lazy.py": "import time\ntime.sleep(0.05)\nX = 1\n"})
    host = zoo.started(errors="raise")
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=True))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [[1]] * 4


def test_reloads_do_not_keep_earlier_generations(zoo: Any) -> None:
    zoo.speaker("cat")
    host = zoo.started()
    for _ in range(10):
        assert host.reload("cat", force=True).ok
    gc.collect()
    alive = [thing for thing in gc.get_objects() if isinstance(thing, Generation) and thing.package == "cat"]
    assert [generation.number for generation in alive] == [host.plugins["cat"].generation]


def test_threads_that_load_at_once_load_once(zoo: Any) -> None:
    for number in range(8):
        zoo.speaker(f"p{number}")
    host = zoo.host()
    errors: list[BaseException] = []
    barrier = threading.Barrier(4)

    def load() -> None:
        barrier.wait()
        try:
            host.load()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert host.hook.speak(is_loud=False) == [f"p{number}" for number in range(8)]


@pytest.mark.parametrize("step", ["on_load", "on_start"])
@pytest.mark.parametrize("act", ["load", "load_own", "enable", "disable", "unload", "reload", "start"])
def test_a_plugin_that_meddles_with_itself_while_it_is_loaded_fails_or_changes_nothing(
    zoo: Any, step: str, act: str
) -> None:
    zoo.add("cat", CALLING.replace("STEP", step))
    zoo.speaker("dog")

    def meddle() -> None:
        actions: dict[str, Callable[[], object]] = {
            "load": host.load,
            "load_own": lambda: host.load("cat"),
            "enable": lambda: host.enable("cat"),
            "disable": lambda: host.disable("cat"),
            "unload": lambda: host.unload("cat"),
            "reload": lambda: host.reload("cat"),
            "start": host.start,
        }
        actions[act]()

    host = zoo.host(functions={"act": meddle})
    host.load()
    host.start()
    cat = host.plugins["cat"]
    assert cat.state in {PluginState.RUNNING, PluginState.FAILED}
    assert host.hook.speak(is_loud=False) == (
        ["Meow", "dog"] if cat.state is PluginState.RUNNING else ["dog"]
    )
    host.close()
    assert cat.state in {PluginState.UNLOADED, PluginState.FAILED}


@pytest.mark.parametrize("act", ["unload", "disable", "close"])
def test_a_new_version_that_meddles_during_its_reload_is_rolled_back_or_closed(zoo: Any, act: str) -> None:
    zoo.speaker("cat", "old")
    hosts: list[Any] = []
    host = zoo.host(functions={"act": lambda: getattr(hosts[0], act)(*([] if act == "close" else ["cat"]))})
    hosts.append(host)
    host.load()
    host.start()
    (zoo.plugins / "cat" / "cat.py").write_text(CALLING.replace("STEP", "on_load"))
    report = host.reload("cat")
    assert not report.ok
    if act != "close":
        assert host.hook.speak(is_loud=False) == ["old"]
    host.close()
    assert not [name for name in sys.modules if name.startswith("cat#")]


PUBLIC = """
from __future__ import annotations
import importlib, pickle, sys, typing
from dataclasses import dataclass
from pluginkit import hookimpl
from . import sub

@dataclass
class Item:
    inner: Item | None = None

class Cat:
    def check(self):
        assert type(pickle.loads(pickle.dumps(Item()))) is Item
        assert typing.get_type_hints(Item)["inner"] == (Item | None)
        assert importlib.import_module("cat.sub").__dict__ is sub.__dict__
        assert sys.modules[__name__].Item is Item
        assert __package__ == "cat", __package__
        self.checked = getattr(self, "checked", 0) + 1
    def on_load(self): self.check()
    def on_start(self): self.check()
    def health(self): self.check()
    @hookimpl
    def speak(self, is_loud): return self.checked
"""


def test_public_names_mean_the_new_version_in_every_step_of_a_load_and_a_reload(zoo: Any) -> None:
    zoo.add("cat", PUBLIC, files={"sub.py": "V = 1"})
    host = zoo.started()
    assert host.hook.speak(is_loud=True) == [2], host.plugins["cat"].reason
    assert host.reload("cat", force=True).failure is None
    assert host.hook.speak(is_loud=True) == [3]


def test_a_thread_that_is_started_at_import_finds_its_plugin_by_name(zoo: Any) -> None:
    source = """
import importlib, threading
from pluginkit import hookimpl
V = 1
found = []
def look(): found.append(importlib.import_module("cat.cat").V)
thread = threading.Thread(target=look); thread.start()
@hookimpl
def speak(is_loud):
    thread.join()
    return found
"""
    zoo.add("cat", source)
    assert zoo.started().hook.speak(is_loud=True) == [[1]]


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "asyncio.CancelledError"])
def test_ctrl_c_in_the_end_of_one_plugin_ends_all_and_is_raised_then(zoo: Any, error: str) -> None:
    zoo.speaker("a")
    zoo.add(
        "b",
        f"import asyncio\n{CALLING.replace('STEP', 'on_stop')}".replace(
            "ctx.functions.act()", f"raise {error}"
        ),
    )
    host = zoo.started()
    with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
        host.close()
    assert [plugin.state for plugin in host.plugins.values()] == [PluginState.UNLOADED] * 2
    again = zoo.started()
    with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
        again.unload("b")
    assert again.plugins["b"].state is PluginState.UNLOADED
    assert again.load("b").state is PluginState.RUNNING
    with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
        again.close()
    assert again.is_closed


def test_a_thread_that_cannot_be_started_is_the_plugins_error(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.add("cat", CALLING.replace("STEP", "on_load").replace("ctx.functions.act()", "ctx.thread(print)"))

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    host = zoo.host()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        host.load()
    assert host.plugins["cat"].state is PluginState.FAILED
    assert "can't start new thread" in str(host.plugins["cat"].reason)


def test_who_needs_a_plugin_that_fails_to_start_is_not_started(zoo: Any) -> None:
    zoo.add("base", CALLING.replace("STEP", "on_start").replace("ctx.functions.act()", "1 / 0"))
    zoo.speaker("user", requires={"plugins": ["base"]})
    host = zoo.started()
    assert {name: str(plugin.state) for name, plugin in host.plugins.items()} == {
        "base": "failed",
        "user": "failed",
    }
    assert host.plugins["user"].reason.code == "requirement-failed"


@pytest.mark.parametrize("step", ["on_load", "on_start"])
def test_an_async_step_is_refused_not_skipped(zoo: Any, step: str) -> None:
    zoo.add("cat", CALLING.replace("def STEP", f"async def {step}"))
    host = zoo.started()
    assert host.plugins["cat"].state is PluginState.FAILED
    assert f"{step} is async, and nobody would await it" in str(host.plugins["cat"].reason)


def test_unloading_a_quarantined_plugin_waits_for_the_call_that_runs(zoo: Any) -> None:
    source = """
import threading
from pluginkit import hookimpl
entered, go = threading.Event(), threading.Event()
@hookimpl
def speak(is_loud):
    if is_loud: raise RuntimeError
    entered.set(); go.wait(30)
    from . import late
    return late.X
"""
    zoo.add("cat", source, files={"late.py": "X = 1"})
    host = zoo.started(quarantine=(1, 60.0))
    entered, go = host.plugins["cat"].get("entered"), host.plugins["cat"].get("go")
    results: list[object] = []
    caller = threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=False)))
    caller.start()
    assert entered.wait(30)
    host.hook.speak(is_loud=True)
    assert host.plugins["cat"].state is PluginState.QUARANTINED
    threading.Timer(0.1, go.set).start()
    host.unload("cat", timeout=30)
    caller.join(30)
    assert results == [[1]]


def test_a_reload_inside_a_running_event_loop_does_not_wait_for_what_cannot_end(zoo: Any) -> None:
    source = "import asyncio\nfrom pluginkit import hookimpl\ngo = asyncio.Event()\n@hookimpl\nasync def speak(is_loud):\n    await go.wait()\n    return 'x'\n"
    zoo.add("cat", source)
    host = zoo.started()

    async def main() -> object:
        task = asyncio.ensure_future(host.hook.speak.awaited(is_loud=True))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go = host.plugins["cat"].get("go")
        began = time.monotonic()
        assert host.reload("cat", force=True, timeout=30).ok
        assert time.monotonic() - began < 15
        go.set()
        return await task

    assert asyncio.run(main()) == ["x"]
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("pluginkit-retire"):
            thread.join(30)


def test_a_second_host_takes_the_public_name_over_when_the_first_gives_it_back(
    zoo: Any, tmp_path: Any
) -> None:
    source = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    from .late import C\n    return C(1).x\n"
    late = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass C:\n    x: int\n"
    (tmp_path / "other").mkdir()
    other = type(zoo)(tmp_path / "other")
    for place in (zoo, other):
        place.add("cat", source, files={"late.py": late})
    one, two = zoo.started(), other.started(errors="raise")
    one.close()
    assert two.hook.speak(is_loud=True) == [1]
    assert sys.modules["cat"].__name__ == "cat"
    two.close()
    assert "cat" not in sys.modules


def test_after_a_failed_reload_tracebacks_show_the_code_that_serves(zoo: Any) -> None:
    import linecache

    zoo.add("cat", "OLD = 1\nfrom pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return 1\n")
    host = zoo.started()
    path = zoo.plugins / "cat" / "cat.py"
    path.write_text("NEW = 1\n1 / 0\n")
    assert not host.reload("cat").ok
    assert linecache.getline(str(path), 1) == "OLD = 1\n"


def test_a_choice_that_cannot_be_written_leaves_the_plugin_running(zoo: Any) -> None:
    zoo.speaker("cat")
    state = zoo.directory / "occupied"
    state.write_text("a file where the directory would be")
    host = zoo.started(state_dir=state)
    with pytest.raises(OSError):  # which one depends on the system
        host.disable("cat")
    assert host.hook.speak(is_loud=False) == ["cat"]


def test_a_busy_plugin_says_so(zoo: Any) -> None:
    zoo.add("cat", CALLING.replace("STEP", "on_load"))
    errors: list[str] = []

    def act() -> None:
        try:
            host.unload("cat")
        except StateError as error:
            errors.append(str(error))
            raise

    host = zoo.host(functions={"act": act})
    with pytest.raises(LoadError, match="is being loaded, reloaded or unloaded at this moment"):
        host.load("cat")
    assert len(errors) == 1


def test_an_object_that_answers_every_attribute_has_no_lifecycle_methods(zoo: Any) -> None:
    source = CALLING.replace(
        "    def STEP(self, ctx): ctx.functions.act()\n",
        "    def __getattr__(self, name): raise KeyError(name)\n",
    )
    zoo.add("cat", source)
    assert zoo.started().hook.speak(is_loud=True) == ["Meow"]


def test_a_call_that_outlasts_the_timeout_is_followed_to_its_end(zoo: Any) -> None:
    source = """
import threading
from pluginkit import hookimpl
entered, go, ended = threading.Event(), threading.Event(), threading.Event()
class Cat:
    @hookimpl
    def speak(self, is_loud):
        entered.set(); go.wait(30)
        return "x"
    def on_unload(self): ended.set()
"""
    zoo.add("cat", source)
    host = zoo.started()
    entered, go, ended = (host.plugins["cat"].get(name) for name in ("entered", "go", "ended"))
    caller = threading.Thread(target=lambda: host.hook.speak(is_loud=True))
    caller.start()
    assert entered.wait(30)
    report = host.unload("cat", timeout=0.05)
    assert len(report.running) == 1
    gc.collect()
    assert not ended.is_set()
    go.set()
    caller.join(30)
    assert ended.wait(30)


def test_a_host_in_a_with_block_logs_what_failed(zoo: Any, caplog: pytest.LogCaptureFixture) -> None:
    zoo.add("bad", "1 / 0")
    zoo.started()
    assert "plugin 'bad': import" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_single_glob_and_wrong_arguments(zoo: Any) -> None:
    zoo.speaker("cat")
    zoo.speaker("dog")
    assert zoo.started(include="cat").hook.speak(is_loud=False) == ["cat"]
    with pytest.raises(UsageError, match="errors='log'"):
        zoo.host(errors="log")
    with pytest.raises(UsageError, match=r"version='1\.2'"):
        zoo.host(version="1.2")


def test_after_a_failed_reload_the_plugin_says_so(zoo: Any) -> None:
    zoo.speaker("cat")
    host = zoo.started()
    good = (zoo.plugins / "cat" / "cat.py").read_text()
    (zoo.plugins / "cat" / "cat.py").write_text("1 / 0")
    host.reload("cat")
    assert host.plugins["cat"].failure is not None
    (zoo.plugins / "cat" / "cat.py").write_text(good + "\n")
    assert host.reload("cat").ok
    assert host.plugins["cat"].failure is None
