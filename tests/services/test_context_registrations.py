"""What a plugin takes through its context is given back exactly once, last first (I9)."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import singledispatch, singledispatchmethod
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pluginkit import StateError
from pluginkit.services import PluginContext

MakeContext = Callable[..., PluginContext]


def test_i9_everything_is_undone_once_and_last_first(context: MakeContext) -> None:
    seen: list[int] = []
    ctx = context()
    for number in range(3):
        ctx.callback(seen.append, number)
    assert ctx.close(timeout=0.0) == []
    assert ctx.close(timeout=0.0) == []
    assert seen == [2, 1, 0]


@pytest.mark.parametrize(
    "take",
    [
        lambda ctx: ctx.handler("pk.closed", logging.NullHandler()),
        lambda ctx: ctx.signal(signal.SIGUSR2, print),
        lambda ctx: ctx.atexit(print),
        lambda ctx: ctx.patch(SimpleNamespace(x=1), "x", 2),
        lambda ctx: ctx.wrap(SimpleNamespace(x=print), "x", lambda x: x),
        lambda ctx: ctx.append([], 1),
        lambda ctx: ctx.register(singledispatch(print), int, print),
        lambda ctx: ctx.timer(print, delay=0.0),
    ],
)
def test_i9_nothing_is_taken_for_a_plugin_that_is_unloaded(
    context: MakeContext, take: Callable[[PluginContext], Any]
) -> None:
    ctx = context()
    ctx.close(timeout=0.0)
    before = signal.getsignal(signal.SIGUSR2)
    with pytest.raises(StateError, match="plugin 'cat' is unloaded"):
        take(ctx)
    assert signal.getsignal(signal.SIGUSR2) is before
    assert logging.getLogger("pk.closed").handlers == []


def test_what_is_registered_while_the_plugin_is_being_unloaded_is_undone_at_once(
    context: MakeContext,
) -> None:
    ctx, items = context(), [1]

    class Late(list[int]):
        def append(self, item: int) -> None:
            super().append(item)
            # Another thread unloads the plugin between the registration and its undo.
            ctx.close(timeout=0.0)

    late = Late(items)
    with pytest.raises(StateError):
        ctx.append(late, 2)
    assert late == [1]


def test_a_log_handler_is_taken_off_and_closed(context: MakeContext) -> None:
    closed: list[str] = []

    class Handler(logging.Handler):
        def close(self) -> None:
            closed.append("closed")
            super().close()

    ctx, by_name = context(), logging.getLogger("pk.named")
    ctx.handler("pk.named", Handler())
    ctx.handler(logging.getLogger("pk.object"), Handler())
    assert len(by_name.handlers) == len(logging.getLogger("pk.object").handlers) == 1
    ctx.close(timeout=0.0)
    assert by_name.handlers == logging.getLogger("pk.object").handlers == []
    assert closed == ["closed", "closed"]


def test_an_exit_function_runs_at_the_end_and_not_after_the_unload(child: Callable[..., Any]) -> None:
    source = """
import sys
from pathlib import Path
from pluginkit.config import Settings
from pluginkit.services import HostFunctions, PluginContext
def make():
    return PluginContext(name="cat", version="1", generation=1, settings=Settings({}), hook=None,
                         functions=HostFunctions({}), data_dir=Path("."))
one, two = make(), make()
one.atexit(print, "one", end="!")
two.atexit(print, "two")
two.close(0.0)
"""
    assert child(source).stdout == "one!"


def test_two_plugins_with_one_exit_function_do_not_take_each_others(context: MakeContext) -> None:
    calls: list[str] = []
    one, two = context("one"), context("two")
    one.atexit(calls.append, "one")
    two.atexit(calls.append, "two")
    one.close(timeout=0.0)
    pid = os.fork()
    if pid == 0:
        calls.clear()
        atexit._run_exitfuncs()
        os._exit(0 if "two" in calls and "one" not in calls else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Patches


def test_a_patch_of_a_module_is_undone(context: MakeContext) -> None:
    module = ModuleType("m")
    module.f = original = lambda: "original"  # type: ignore[attr-defined]  # a module made for the test
    ctx = context()
    ctx.patch(module, "f", lambda: "patched")
    assert module.f() == "patched"
    ctx.close(timeout=0.0)
    assert module.f is original


def test_patches_of_two_plugins_can_go_in_any_order(context: MakeContext) -> None:
    for first in (0, 1):
        target = SimpleNamespace(x="original")
        contexts = context("one"), context("two")
        contexts[0].patch(target, "x", "one")
        contexts[1].patch(target, "x", "two")
        contexts[first].close(timeout=0.0)
        assert target.x == ("two", "one")[first]
        contexts[1 - first].close(timeout=0.0)
        assert target.x == "original"


def test_wrappers_stack_and_never_wrap_one_that_has_gone(context: MakeContext) -> None:
    target = SimpleNamespace(f=lambda: "f")
    old, new, other = context("cat"), context("cat"), context("dog")
    old.wrap(target, "f", lambda f: lambda: f"old({f()})")
    other.wrap(target, "f", lambda f: lambda: f"dog({f()})")
    new.wrap(target, "f", lambda f: lambda: f"new({f()})")
    assert target.f() == "new(dog(old(f)))"
    old.close(timeout=0.0)
    assert target.f() == "new(dog(f))"
    new.close(timeout=0.0)
    assert target.f() == "dog(f)"


def test_what_a_stranger_has_put_over_a_patch_stays(context: MakeContext) -> None:
    target, ctx, over = SimpleNamespace(x=1), context(), context()
    ctx.patch(target, "x", 2)
    target.x = 3
    ctx.close(timeout=0.0)
    assert target.x == 3
    over.patch(target, "x", 4)
    over.close(timeout=0.0)
    assert target.x == 3


class Base:
    def inherited(self) -> str:
        return "base"

    @staticmethod
    def static() -> str:
        return "static"


def test_inherited_and_static_methods_come_back_as_they_were(context: MakeContext) -> None:
    class Derived(Base): ...

    raw, ctx = vars(Base)["static"], context()
    ctx.wrap(Derived, "inherited", lambda f: lambda self: "wrapped " + f(self))
    ctx.wrap(Base, "static", lambda f: lambda: "wrapped " + f())
    assert Derived().inherited() == "wrapped base"
    assert Base().static() == Base.static() == "wrapped static"
    ctx.close(timeout=0.0)
    assert "inherited" not in vars(Derived)
    assert vars(Base)["static"] is raw


def test_an_object_with_slots_can_be_patched(context: MakeContext) -> None:
    class Slotted:
        __slots__ = ("x",)

    target, ctx = Slotted(), context()
    target.x = 1  # type: ignore[attr-defined]  # mypy knows no slots without annotations
    ctx.patch(target, "x", 2)
    assert target.x == 2  # type: ignore[attr-defined]  # as above
    ctx.close(timeout=0.0)
    assert target.x == 1  # type: ignore[attr-defined]  # as above


def test_only_what_exists_can_be_patched(context: MakeContext) -> None:
    with pytest.raises(AttributeError, match="nothing"):
        context().patch(SimpleNamespace(), "nothing", 1)
    with pytest.raises(AttributeError, match="nothing"):
        context().wrap(SimpleNamespace(), "nothing", lambda f: f)


def test_a_wrapper_that_cannot_be_made_again_is_an_error_of_the_unload_and_changes_nothing(
    context: MakeContext,
) -> None:
    target, below, above = SimpleNamespace(f=lambda: "f"), context(), context()
    below.wrap(target, "f", lambda f: lambda: "below")
    made: list[int] = []

    def make(f: Callable[[], str]) -> Callable[[], str]:
        made.append(1)
        if len(made) == 2:
            raise ValueError("only once")
        return lambda: f"above({f()})"

    above.wrap(target, "f", make)
    errors = below.close(timeout=0.0)
    assert [type(error) for error in errors] == [ValueError]
    assert target.f() == "above(below)"


# Lists and dispatchers


def test_that_very_item_is_taken_out_of_a_list(context: MakeContext) -> None:
    items: list[Any] = [1.0]
    ctx, mine = context(), 1
    ctx.append(items, mine)
    items.append(True)
    ctx.close(timeout=0.0)
    assert items == [1.0, True]
    assert items[1] is True
    gone = context()
    gone.append(items, "mine")
    items.clear()
    assert gone.close(timeout=0.0) == []


def test_a_registered_type_is_forgotten_and_an_earlier_registration_comes_back(context: MakeContext) -> None:
    @singledispatch
    def show(value: Any) -> str:
        return "any"

    @show.register
    def _(value: int) -> str:
        return "int"

    ctx = context()
    ctx.register(show, int, lambda value: "patched")
    ctx.register(show, str, lambda value: "str")
    assert (show(1), show("")) == ("patched", "str")
    ctx.close(timeout=0.0)
    assert (show(1), show("")) == ("int", "any")
    assert str not in show.registry


def test_a_type_can_be_registered_with_a_dispatching_method(context: MakeContext) -> None:
    class Shower:
        @singledispatchmethod
        def show(self, value: Any) -> str:
            return "any"

    ctx = context()
    ctx.register(vars(Shower)["show"], int, lambda self, value: "int")
    assert Shower().show(1) == "int"
    ctx.close(timeout=0.0)
    assert Shower().show(1) == "any"


def test_only_a_dispatcher_takes_registrations(context: MakeContext) -> None:
    with pytest.raises(TypeError, match=r"no functools\.singledispatch function"):
        context().register(print, int, print)


# Signals


def in_thread(action: Callable[[], Any]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    if errors:
        raise errors[0]


def test_a_signal_handler_is_undone_by_the_main_thread(context: MakeContext) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    seen: list[str] = []
    old, new = context(), context()
    old.signal(signal.SIGUSR1, lambda number, frame: seen.append("old"))
    new.signal(signal.SIGUSR1, lambda number, frame: seen.append("new"))
    signal.raise_signal(signal.SIGUSR1)
    old.close(timeout=0.0)
    signal.raise_signal(signal.SIGUSR1)
    assert seen == ["new", "new"]
    new.close(timeout=0.0)
    assert signal.getsignal(signal.SIGUSR1) is before


def test_a_signal_handler_is_replaced_and_undone_by_another_thread(context: MakeContext) -> None:
    seen: list[str] = []
    hosts = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append("host"))
    try:
        old, new = context(), context()
        old.signal(signal.SIGUSR1, lambda number, frame: seen.append("old"))
        in_thread(lambda: new.signal(signal.SIGUSR1, lambda number, frame: seen.append("new")))
        signal.raise_signal(signal.SIGUSR1)
        in_thread(lambda: old.close(timeout=0.0))
        in_thread(lambda: new.close(timeout=0.0))
        signal.raise_signal(signal.SIGUSR1)
        assert seen == ["new", "host"]
    finally:
        signal.signal(signal.SIGUSR1, hosts)


def test_the_first_handler_of_a_signal_cannot_come_from_another_thread(context: MakeContext) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with pytest.raises(StateError, match="SIGUSR2: Python lets only the main thread"):
        in_thread(lambda: context().signal(signal.SIGUSR2, print))
    assert signal.getsignal(signal.SIGUSR2) is before


def test_a_signal_does_by_default_what_it_always_did_after_the_handler_has_gone(
    child_env: dict[str, str],
) -> None:
    source = """
import signal, threading
from pluginkit.loading import layers, signals
remove = signals.uncovered(15, layers.put(signals.SignalPlace(15), lambda below: print))
thread = threading.Thread(target=remove)
thread.start()
thread.join()
signal.raise_signal(15)
"""
    done = subprocess.run([sys.executable, "-c", source], env=child_env, check=False)
    assert done.returncode == -signal.SIGTERM
