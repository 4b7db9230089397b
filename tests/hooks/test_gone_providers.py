"""A removed provider is gone at once, or when the last call in it has ended; nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import linecache
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from pluginkit.errors import CallTimeout
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def work(self, value: int) -> int:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, value: int) -> int:
        """The first answer."""

    @hookspec(historic=True)
    def seen(self, value: int) -> int:
        """Remembered."""


class Plugin:
    @hookimpl
    def work(self, value: int) -> int:
        if value < 0:
            raise ValueError("negative")
        return value

    @hookimpl(wrapper=True)
    def pick(self, value: int) -> Any:
        return (yield)

    @hookimpl(specname="pick")
    def pick_too(self, value: int) -> int:
        return value

    @hookimpl
    def seen(self, value: int) -> int:
        return value


@pytest.fixture(autouse=True)
def _no_garbage_collector() -> Iterator[None]:
    """What goes has to go by reference count alone."""
    gc.disable()
    yield
    gc.enable()


def use_everything(table: HookTable) -> None:
    """Every form of a call, errors included, so that every kind of body has been generated."""
    hook: Any = table.hook
    hook.work(value=1)
    hook.work(value=-1)
    hook.pick(value=1)
    for errors in ("record", "raise", "group"):
        hook.pick.using(errors=errors)(value=1)
        hook.work.using(errors=errors, timeout=30.0)(value=1)
    hook.work.attributed(value=-1)
    hook.pick.only("plugin")(value=1)
    hook.seen.call_historic(kwargs={"value": 1})
    hook.work.source()
    asyncio.run(hook.work.awaited(value=1))
    join_calls()


def join_calls() -> None:
    """Wait for the threads of calls with a timeout: each still stands in its body when it has answered."""
    for thread in threading.enumerate():
        if thread.name.startswith("hook "):
            thread.join(30)


def test_lh05_a_removed_provider_is_collectable_at_once() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    provider = Provider("plugin", Plugin())
    table.commit(table.stage(add=[provider]))
    use_everything(table)
    configured = table.hook.work.using(errors="raise")
    gone = weakref.ref(provider.target)
    staged = table.stage(remove=[provider])
    table.commit(staged)
    del provider
    assert gone() is None
    assert staged.retired[0].is_drained
    assert configured(value=1) == []


def test_lh05_a_replaced_generation_is_collectable_at_once() -> None:
    table = HookTable(timing=True)
    table.add_contract(Contract, name="contract")
    provider = Provider("plugin", Plugin())
    table.commit(table.stage(add=[provider]))
    for _ in range(3):
        use_everything(table)
        gone = weakref.ref(provider.target)
        old, provider = provider, Provider("plugin", Plugin())
        table.commit(table.stage(remove=[old], add=[provider]))
        del old
        assert gone() is None


class Failing:
    @hookimpl
    def work(self, value: int) -> int:
        raise ValueError("no")


class FailingLater:
    @hookimpl
    async def work(self, value: int) -> int:
        raise ValueError("no")


class Around:
    @hookimpl(wrapper=True)
    def work(self) -> Any:
        return (yield)


class AroundAndRaising:
    @hookimpl(wrapper=True)
    def work(self) -> Any:
        try:
            return (yield)
        except ValueError as error:
            raise OSError("worse") from error


class AroundTheOldWay:
    @hookimpl(hookwrapper=True)
    def work(self) -> Any:
        yield


async def _awaited(configured: Any) -> None:
    with contextlib.suppress(Exception):
        await configured.awaited(value=1)


def _called(call: Any) -> None:
    with contextlib.suppress(Exception):
        call(value=1)


@pytest.mark.parametrize("errors", ["record", "raise", "group"])
@pytest.mark.parametrize("failing", [Failing, FailingLater])
@pytest.mark.parametrize("around", [(), (Around,), (Around, AroundAndRaising), (AroundTheOldWay,)])
@pytest.mark.parametrize("form", ["plain", "timeout", "attributed", "attributed timeout", "only", "awaited"])
def test_lh06_an_error_that_nobody_keeps_keeps_nothing(
    errors: Any, failing: Any, around: tuple[Any, ...], form: str
) -> None:
    """An exception holds frames by its traceback; none of ours may hold the exception in return."""
    table = HookTable()
    table.add_contract(Contract, name="contract")
    kinds = (failing, *around)
    table.commit(table.stage(add=[Provider(kind.__name__, kind()) for kind in kinds]))
    configured: Any = table.hook.work.using(errors=errors, timeout=30.0 if "timeout" in form else None)
    if form == "awaited":
        asyncio.run(_awaited(configured))
    elif form == "only":
        _called(configured.only(failing.__name__))
    else:
        _called(configured.attributed if "attributed" in form else configured)
    join_calls()
    gone = weakref.ref(table.providers()[0].target)
    table.commit(table.stage(remove=table.providers()))
    assert gone() is None


def test_lh05_a_failed_stage_keeps_nothing() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    good = Provider("good", Plugin())
    gone = weakref.ref(good.target)
    table.stage(add=[good])
    del good
    assert gone() is None


def test_lh05_no_text_of_old_bodies_is_left_in_linecache() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")

    def texts() -> int:
        return sum(1 for name in linecache.cache if name.startswith("<hook "))

    provider = Provider("plugin", Plugin())
    table.commit(table.stage(add=[provider]))
    table.hook.work(value=1)
    before = texts()
    for _ in range(20):
        old, provider = provider, Provider("plugin", Plugin())
        table.commit(table.stage(remove=[old], add=[provider]))
        table.hook.work(value=1)
        del old
    assert texts() == before


def test_lh05_a_thousand_swaps_keep_nothing() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    bystanders = [Provider(f"other{number}", Plugin()) for number in range(5)]
    provider = Provider("plugin", Plugin())
    table.commit(table.stage(add=[*bystanders, provider]))

    def swap(times: int) -> None:
        nonlocal provider
        for _ in range(times):
            old, provider = provider, Provider("plugin", Plugin())
            table.commit(table.stage(remove=[old], add=[provider]))
            table.hook.work(value=1)
            table.hook.pick.using(errors="group")(value=1)

    swap(100)
    gc.collect()
    tracemalloc.start()
    try:
        objects, (size, _) = len(gc.get_objects()), tracemalloc.get_traced_memory()
        swap(1000)
        gc.collect()
        assert len(gc.get_objects()) - objects < 10
        assert tracemalloc.get_traced_memory()[0] - size < 1000 * 100
    finally:
        tracemalloc.stop()


def test_lh05_a_dropped_table_is_collectable() -> None:
    class Knowing(Plugin):
        """Holds its table, as a plugin holds its host through the context."""

        table: HookTable

    plugin = Knowing()
    plugin.table = HookTable()
    plugin.table.add_contract(Contract, name="contract")
    plugin.table.commit(plugin.table.stage(add=[Provider("plugin", plugin)]))
    use_everything(plugin.table)
    gone = weakref.ref(plugin)
    del plugin
    gc.collect()
    assert gone() is None


class Blocking:
    """Stays in a call until it is let go."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()

    @hookimpl
    def work(self, value: int) -> int:
        self.entered.set()
        assert self.go_on.wait(30)
        return value


def test_lc_a_call_under_way_keeps_its_generation_until_it_ends() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    provider, bystander = Provider("blocking", Blocking()), Provider("zzz", Plugin())
    table.commit(table.stage(add=[provider, bystander]))
    entered, go_on = provider.target.entered, provider.target.go_on
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(table.hook.work(value=7)))
    thread.start()
    assert entered.wait(30)

    staged = table.stage(remove=[provider, bystander])
    table.commit(staged)
    blocking, waiting = staged.retired
    gone = weakref.ref(provider.target)
    heard: list[str] = []
    blocking.when_drained(lambda: heard.append("blocking"))
    del provider, bystander
    assert not blocking.is_drained
    assert not waiting.is_drained, "the body that is under way will call it yet"
    assert repr(blocking) == "<Retirement of 'blocking', draining>"
    assert not blocking.wait(0.001)
    assert table.hook.work(value=1) == []

    go_on.set()
    thread.join(30)
    assert results == [[7, 7]], "the call ended on what it began with"
    assert blocking.wait(30)
    assert waiting.wait(30)
    assert heard == ["blocking"]
    assert gone() is None
    assert repr(blocking) == "<Retirement of 'blocking', drained>"
    blocking.when_drained(lambda: heard.append("at once"))
    assert heard[-1] == "at once"


def test_lc_an_older_body_than_the_last_one_counts_too() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    provider = Provider("blocking", Blocking())
    table.commit(table.stage(add=[provider]))
    entered, go_on = provider.target.entered, provider.target.go_on
    thread = threading.Thread(target=lambda: table.hook.work(value=7))
    thread.start()
    assert entered.wait(30)
    table.commit(table.stage(add=[Provider("other", Plugin())]))
    staged = table.stage(remove=[provider])
    table.commit(staged)
    del provider
    assert not staged.retired[0].is_drained
    go_on.set()
    thread.join(30)
    assert staged.retired[0].wait(30)


def test_lc_a_wrapper_that_is_suspended_counts_as_a_call() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")

    class Nested:
        @hookimpl
        def pick(self, value: int) -> bool:
            table.commit(staged)
            return staged.retired[0].is_drained

    outer = Provider("outer", Plugin())
    table.commit(table.stage(add=[outer, Provider("a", Nested())]))
    staged = table.stage(remove=[outer])
    assert table.hook.pick(value=1) is False
    assert staged.retired[0].wait(30)


def test_lc_an_awaited_call_keeps_its_generation_until_it_ends() -> None:
    class Async:
        @hookimpl
        async def work(self, value: int) -> int:
            await gate.wait()
            return value

    async def main() -> None:
        task = asyncio.ensure_future(table.hook.work.awaited(value=1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        staged = table.stage(remove=list(table.providers()))
        table.commit(staged)
        assert not staged.retired[0].is_drained
        gate.set()
        assert await task == [1]
        del task
        await asyncio.sleep(0)
        assert staged.retired[0].is_drained

    table = HookTable()
    table.add_contract(Contract, name="contract")
    table.commit(table.stage(add=[Provider("async", Async())]))
    gate = asyncio.Event()
    asyncio.run(main())


def test_lc_a_call_left_behind_by_its_timeout_keeps_its_generation() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    provider = Provider("blocking", Blocking())
    table.commit(table.stage(add=[provider]))
    with pytest.raises(CallTimeout):
        table.hook.work.using(timeout=0.02)(value=1)
    staged = table.stage(remove=[provider])
    table.commit(staged)
    assert not staged.retired[0].is_drained
    provider.target.go_on.set()
    del provider
    assert staged.retired[0].wait(30)


def test_lc_a_provider_without_implementations_is_drained_at_once() -> None:
    table = HookTable()
    provider = Provider("empty", object())
    table.commit(table.stage(add=[provider]))
    assert table.stage(remove=[provider]).retired[0].is_drained
