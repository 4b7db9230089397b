"""on_load to on_unload, and that gone is gone (LC01, LC03 to LC05, LC13, LH11, LH15)."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit import PluginState
from pluginkit.errors import LoadError, StateError, UnknownSymbol
from pluginkit.lifecycle import CloseErrors, Plugin
from pluginkit.lifecycle.states import LEGAL, may_follow

NOTING = """
import builtins
from pluginkit import hookimpl

note = builtins.pk_journal.append

class Cat:
    def __init__(self): note("init NAME")
    @hookimpl
    def speak(self, is_loud): return "NAME"
    def on_load(self, ctx): note("load NAME"); ctx.callback(note, "undo NAME")
    def on_start(self): note("start NAME")
    def on_stop(self, ctx): note("stop NAME")
    def on_unload(self): note("unload NAME")
"""


def noting(name: str, **replaced: str) -> str:
    source = NOTING.replace("NAME", name)
    for method, line in replaced.items():
        before = next(row for row in source.splitlines() if f"def {method}(" in row)
        source = source.replace(before, before.partition(":")[0] + ": " + line)
    return source


def test_lc03_each_step_runs_once_and_in_order(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("cat", noting("cat"))
    zoo.add("dog", noting("dog"))
    host = zoo.host()
    host.load()
    assert journal() == ["init cat", "load cat", "init dog", "load dog"]
    assert host.plugins["cat"].state is PluginState.LOADED
    assert host.hook.speak(is_loud=True) == ["cat", "dog"]
    host.start()
    host.start()
    assert journal()[4:] == ["start cat", "start dog"]
    host.close()
    assert journal()[6:] == ["stop dog", "unload dog", "undo dog", "stop cat", "unload cat", "undo cat"]
    assert host.plugins["cat"].state is PluginState.UNLOADED


def test_what_was_never_started_is_not_stopped(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("cat", noting("cat"))
    host = zoo.host()
    host.load()
    host.close()
    assert journal() == ["init cat", "load cat", "unload cat", "undo cat"]


def test_a_plugin_loaded_by_a_started_host_is_started_before_its_first_call(
    zoo: Any, journal: Callable[[], list[str]]
) -> None:
    zoo.add("cat", noting("cat"))
    host = zoo.started()
    host.unload("cat")
    host.load("cat")
    assert journal()[-3:] == ["init cat", "load cat", "start cat"]
    assert host.plugins["cat"].state is PluginState.RUNNING


@pytest.mark.parametrize("started", [True, False])
def test_lc03_a_failing_on_start_leaves_everything_undone(
    zoo: Any, journal: Callable[[], list[str]], started: bool
) -> None:
    zoo.add("bad", noting("bad", on_start="raise SystemExit('no')"))
    zoo.add("good", noting("good"))
    host = zoo.host()
    if not started:
        host.load()
    host.start()
    if started:
        host.load()
    bad = host.plugins["bad"]
    assert bad.state is PluginState.FAILED
    assert bad.reason is not None
    assert bad.reason.code == "on-start-failed"
    assert host.hook.speak(is_loud=True) == ["good"]
    assert [line for line in journal() if "bad" in line] == ["init bad", "load bad", "unload bad", "undo bad"]
    assert (bad.instance, bad.generation) == (None, None)


def test_lc03_a_failing_on_load_is_undone_too(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("bad", noting("bad", on_load="ctx.callback(note, 'undo'); 1 / 0"))
    host = zoo.started()
    reason = host.plugins["bad"].reason
    assert reason is not None
    assert reason.code == "on-load-failed"
    assert "ZeroDivisionError" in reason.text
    assert f"{zoo.plugins / 'bad' / 'bad.py'}:" in reason.text
    assert journal() == ["init bad", "undo"]
    assert not [name for name in sys.modules if name.startswith("bad#")]


def test_lc13_close_goes_on_after_failures_and_tells_them_together(
    zoo: Any, journal: Callable[[], list[str]]
) -> None:
    zoo.add("a", noting("a", on_stop="raise ValueError('a will not')"))
    zoo.add(
        "b", noting("b", on_unload="raise SystemExit('b neither')", on_load="ctx.callback(lambda: 1 / 0)")
    )
    zoo.add("c", noting("c"))
    host = zoo.started()
    with pytest.raises(CloseErrors) as caught:
        host.close()
    texts = [str(error) for error in caught.value.exceptions]
    assert len(texts) == 3
    assert "plugin 'b': on_unload" in texts[0]
    assert "plugin 'b': undo" in texts[1]
    assert "plugin 'a': on_stop" in texts[2]
    assert journal()[-6:] == ["stop c", "unload c", "undo c", "stop b", "unload a", "undo a"]
    host.close()


def test_lc04_unload_takes_everything_out(zoo: Any) -> None:
    source = """
import logging, threading
from pluginkit import hookimpl

class Cat:
    def on_load(self, ctx):
        self.ctx = ctx
        handler = logging.NullHandler()
        logging.getLogger("zoo").addHandler(handler)
        ctx.callback(logging.getLogger("zoo").removeHandler, handler)
        ctx.thread(self.work)
    def work(self):
        self.ctx.stop.wait()
    @hookimpl
    def speak(self, is_loud): return "Meow"
"""
    zoo.add("cat", source, files={"helper.py": ""})
    host = zoo.started()
    instance = weakref.ref(host.plugins["cat"].instance)
    threads = {thread.name for thread in threading.enumerate()}
    assert "pluginkit-cat-work" in threads
    report = host.unload("cat")
    assert report.is_gone, str(report)
    assert str(report) == "cat: unloaded, nothing left"
    assert report.generation is not None
    assert instance() is None
    assert logging.getLogger("zoo").handlers == []
    assert not [name for name in sys.modules if name == "cat" or name.startswith(("cat.", "cat#"))]
    assert "pluginkit-cat-work" not in {thread.name for thread in threading.enumerate()}
    assert host.hook.speak(is_loud=True) == []
    assert host.plugins["cat"].state is PluginState.UNLOADED
    with pytest.raises(StateError, match="plugin 'cat' is unloaded, not loaded"):
        host.plugins["cat"].call("speak", is_loud=True)
    with pytest.raises(StateError, match="not loaded"):
        host.unload("cat")


def test_lc04_after_calls_errors_and_reasons_the_plugin_is_still_collectable(zoo: Any) -> None:
    zoo.add("cat", CAT_THAT_FAILS)
    host = zoo.started()
    for _ in range(3):
        host.hook.speak(is_loud=True)
    assert [failure.error for failure in host.plugins["cat"].errors] == ["RuntimeError: in speak"] * 3
    assert host.plugins["cat"].error_count == 3
    assert host.plugins["cat"].errors[0].file == str(zoo.plugins / "cat" / "cat.py")
    assert host.unload("cat").is_gone


CAT_THAT_FAILS = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): raise RuntimeError("in speak")
"""


def test_lc04_a_failed_load_is_collectable_although_its_failure_is_remembered(zoo: Any) -> None:
    zoo.add("bad", "import builtins, weakref\nclass Big: ...\nbuiltins.pk_ref = weakref.ref(Big)\n1 / 0")
    import builtins

    host = zoo.started()
    assert host.plugins["bad"].failure is not None
    gc.collect()
    assert builtins.pk_ref() is None  # type: ignore[attr-defined]  # set by the plugin
    del builtins.pk_ref  # type: ignore[attr-defined]  # as above


def test_lc05_threads_that_are_left_running_are_named(zoo: Any) -> None:
    source = """
import threading
from pluginkit import hookimpl
go = threading.Event()
class Cat:
    def on_load(self, ctx):
        threading.Thread(target=self.forever, name="stray", daemon=True).start()
    def forever(self):
        go.wait()
    @hookimpl
    def speak(self, is_loud): return "Meow"
"""
    zoo.add("cat", source)
    host = zoo.started()
    go = host.plugins["cat"].get("go")
    report = host.unload("cat", timeout=0.1)
    try:
        assert [leftover.name for leftover in report.running] == ["stray"]
        assert "Cat.forever" in report.running[0].where
        assert f"{zoo.plugins / 'cat' / 'cat.py'}:9" in report.running[0].where
        assert not report.is_gone
        assert "left behind: thread 'stray'" in str(report)
        assert report.alive == ("cat.cat",)
    finally:
        go.set()


def test_lc05_tasks_that_are_left_running_are_named(zoo: Any) -> None:
    source = """
import asyncio
from pluginkit import hookimpl
class Cat:
    async def forever(self):
        await asyncio.sleep(3600)
    @hookimpl
    def speak(self, is_loud):
        self.task = asyncio.ensure_future(self.forever())
        self.task.set_name("stray task")
        return "Meow"
"""
    zoo.add("cat", source)
    host = zoo.started()

    async def main() -> list[str]:
        host.hook.speak(is_loud=True)
        task = host.plugins["cat"].instance.task
        await asyncio.sleep(0)
        report = host.unload("cat")
        task.cancel()
        return [str(leftover) for leftover in report.running]

    running = asyncio.run(main())
    assert len(running) == 1
    assert "task 'stray task' in Cat.forever" in running[0]


def test_lc05_the_stop_token_is_set_before_the_threads_are_waited_for(zoo: Any) -> None:
    source = """
from pluginkit import hookimpl
class Cat:
    def on_load(self, ctx):
        self.ended = []
        self.thread = ctx.thread(lambda: self.ended.append(ctx.stop.wait(60)), name="waiter")
        self.token = ctx.stop
    @hookimpl
    def speak(self, is_loud): return "Meow"
"""
    zoo.add("cat", source)
    host = zoo.started()
    cat = host.plugins["cat"].instance
    assert not cat.token.is_set
    host.unload("cat")
    assert cat.ended == [True]
    assert not cat.thread.is_alive()


def test_nothing_can_be_registered_after_the_end(zoo: Any) -> None:
    zoo.add("cat", CAT_WITH_CONTEXT)
    host = zoo.started()
    context = host.plugins["cat"].instance.ctx
    host.unload("cat")
    with pytest.raises(StateError, match="plugin 'cat' is unloaded: nothing can be registered"):
        context.callback(print)


CAT_WITH_CONTEXT = """
from pluginkit import hookimpl
class Cat:
    def __init__(self, ctx): self.ctx = ctx
    @hookimpl
    def speak(self, is_loud): return "Meow"
"""


def test_lh15_the_context_leads_to_host_functions_hooks_settings_and_files(zoo: Any) -> None:
    zoo.add("cat", CAT_WITH_CONTEXT, version="1.2.3")
    calls: list[int] = []
    host = zoo.started(functions={"count": calls.append})
    context = host.plugins["cat"].instance.ctx
    context.functions.count(1)
    context.functions["count"](2)
    assert calls == [1, 2]
    assert list(context.functions) == ["count"]
    assert (len(context.functions), "count" in context.functions) == (1, True)
    with pytest.raises(AttributeError, match="did you mean 'count'"):
        context.functions.cuont()
    with pytest.raises(LookupError, match="did you mean 'count'"):
        context.functions["cuont"]
    assert context.hook.speak(is_loud=True) == ["Meow"]
    assert (context.name, context.version, context.generation) == (
        "cat",
        "1.2.3",
        host.plugins["cat"].generation,
    )
    assert context.log.name == "pluginkit.plugin.cat"
    assert not (zoo.directory / "state" / "data").exists()
    (context.data_dir / "note.txt").write_text("kept")
    assert (zoo.directory / "state" / "data" / "cat" / "note.txt").read_text() == "kept"


def test_lh11_named_implementations_are_dispensed(zoo: Any) -> None:
    source = "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): return ''\nclass Fast:\n    def __init__(self, ctx): self.who = ctx.name\n"
    zoo.add("cat", source, plugin={"implementations": {"fast": "cat:Fast", "plain": "cat:Cat"}})
    host = zoo.started()
    fast = host.dispense("cat", "fast")
    assert fast.who == "cat"
    assert host.dispense("cat", "fast") is fast
    with pytest.raises(
        UnknownSymbol, match="plugin 'cat': has no implementation named 'fats'; did you mean 'fast'"
    ):
        host.dispense("cat", "fats")


def test_lc13_a_host_that_nobody_closes_is_closed_at_exit(zoo: Any, child: Callable[..., Any]) -> None:
    zoo.add(
        "cat",
        "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): ...\n    def on_stop(self): print('stopped')\n",
    )
    script = (
        "import sys; from pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "host = Host(contracts={'animal': Animal}, plugins_dir=sys.argv[1], entry_point_group=None)\n"
        "host.load(); host.start(); print('end of main')"
    )
    assert child(script, str(zoo.plugins)).stdout == "end of main\nstopped\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_lc13_a_signal_closes_the_host_and_then_does_its_work(
    zoo: Any, child_env: dict[str, str], number: int
) -> None:
    zoo.add(
        "cat",
        "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): ...\n    def on_stop(self): print('stopped', flush=True)\n",
    )
    script = (
        "import sys, threading; from pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "host = Host(contracts={'animal': Animal}, plugins_dir=sys.argv[1], entry_point_group=None, signals=True)\n"
        "host.load(); host.start(); print('ready', flush=True); threading.Event().wait(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(zoo.plugins)],
        env=child_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, number)
    out, _ = process.communicate(timeout=30)
    assert out == "stopped\n"
    assert process.returncode == -number


def test_signals_are_given_back_on_close(zoo: Any) -> None:
    before = signal.getsignal(signal.SIGTERM)
    host = zoo.host(signals=True)
    host.load()
    assert signal.getsignal(signal.SIGTERM) is not before
    host.close()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_host_that_never_loaded_can_be_collected(zoo: Any, tmp_path: Any) -> None:
    from pluginkit import Host

    host = Host(entry_point_group=None, state_dir=tmp_path)
    host.refresh()
    gone = weakref.ref(host)
    del host
    gc.collect()
    assert gone() is None


def test_lc13_a_host_that_nobody_refers_to_any_more_is_closed_at_exit_too(
    zoo: Any, child: Callable[..., Any]
) -> None:
    zoo.add("cat", STOPPING)
    script = (
        "import gc, sys; from pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "def use():\n"
        "    host = Host(contracts={'animal': Animal}, plugins_dir=sys.argv[1], entry_point_group=None)\n"
        "    host.load(); host.start()\n"
        "use(); gc.collect(); print('end of main')"
    )
    assert child(script, str(zoo.plugins)).stdout == "end of main\nstopped\n"


def test_lc13_a_second_signal_while_closing_ends_the_program_at_once(
    zoo: Any, child_env: dict[str, str]
) -> None:
    zoo.add("cat", STOPPING.replace("print('stopped')", "print('stopping', flush=True); time.sleep(60)"))
    script = (
        "import sys, threading; from pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "host = Host(contracts={'animal': Animal}, plugins_dir=sys.argv[1], entry_point_group=None, signals=True)\n"
        "host.load(); host.start(); print('ready', flush=True); threading.Event().wait(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(zoo.plugins)], env=child_env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGTERM)
    assert process.stdout.readline() == "stopping\n"
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()


STOPPING = """
import time
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): ...
    def on_stop(self): print('stopped')
"""


@given(st.sampled_from(list(PluginState)), st.sampled_from(list(PluginState)))
def test_lc01_only_legal_transitions_happen(before: PluginState, after: PluginState) -> None:
    plugin = Plugin.__new__(Plugin)
    plugin.name, plugin._state, plugin._reason = "cat", before, None
    if may_follow(before, after):
        plugin._move(after)
        assert plugin.state is after
    else:
        with pytest.raises(Exception, match=f"cannot go from {before} to {after}"):
            plugin._move(after)
        assert plugin.state is before


def test_lc01_no_state_is_a_dead_end_and_live_code_never_becomes_merely_discovered() -> None:
    assert set(LEGAL) == set(PluginState)
    for state in PluginState:
        assert LEGAL[state]
        if state.is_live:
            assert PluginState.DISCOVERED not in LEGAL[state]


def test_load_of_one_that_cannot_be_says_why(zoo: Any) -> None:
    zoo.add("cat", plugin={"version": "1.2"})
    host = zoo.host()
    with pytest.raises(LoadError, match="plugin 'cat'"):
        host.load("cat")


@pytest.mark.parametrize("step", ["on_load", "on_start", "on_stop", "on_unload"])
def test_a_plugin_that_closes_its_host_in_any_step_leaves_nothing_loaded(zoo: Any, step: str) -> None:
    source = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): return ""
    def STEP(self, ctx): ctx.functions.close()
"""
    zoo.add("a-closer", source.replace("STEP", step))
    zoo.speaker("b")

    def close() -> None:
        host.close()

    host = zoo.host(functions={"close": close})
    host.load()
    if step in {"on_start", "on_stop"}:
        host.start()
    host.close()
    assert not [plugin for plugin in host.plugins.values() if plugin.state.is_live]
    assert [name for name in sys.modules if "#" in name] == []
