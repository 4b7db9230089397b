"""Timers and tasks of a plugin end with it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from pluginkit import StateError
from pluginkit.services import PluginContext

MakeContext = Callable[..., PluginContext]


def test_a_timer_calls_again_and_again_until_the_unload(context: MakeContext) -> None:
    ctx, thrice = context(), threading.Event()
    calls: list[str] = []

    def work() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) == 3:
            thrice.set()

    timer = ctx.timer(work, interval=0.001, name="tick")
    assert thrice.wait(30)
    ctx.close(timeout=30.0)
    assert not timer.thread.is_alive()
    assert set(calls) == {"pluginkit-cat-tick"}


def test_a_delayed_call_comes_once(context: MakeContext) -> None:
    ctx, calls = context(), []
    timer = ctx.timer(lambda: calls.append(1), delay=0.0)
    timer.thread.join(30)
    assert calls == [1]


def test_with_both_the_first_call_comes_after_the_delay(context: MakeContext) -> None:
    ctx, called = context(), threading.Event()
    ctx.timer(called.set, delay=0.0, interval=3600.0)
    assert called.wait(30)


def test_a_cancelled_timer_calls_no_more(context: MakeContext) -> None:
    calls: list[int] = []
    timer = context().timer(lambda: calls.append(1), delay=3600.0)
    timer.cancel()
    timer.thread.join(30)
    assert calls == []


def test_a_failing_call_is_logged_and_the_next_one_comes(
    context: MakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    ctx, again = context(), threading.Event()
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("the first time")
        again.set()

    with caplog.at_level(logging.ERROR, "pluginkit.plugin.cat"):
        ctx.timer(work, interval=0.001)
        assert again.wait(30)
    assert "a timer's function has failed" in caplog.text
    assert "the first time" in caplog.text


def test_a_timer_needs_a_time(context: MakeContext) -> None:
    with pytest.raises(ValueError, match="interval=seconds"):
        context().timer(print)
    with pytest.raises(ValueError, match="cannot be negative"):
        context().timer(print, delay=-1.0)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(30)
    made.close()


class Work:
    def __init__(self) -> None:
        self.started, self.ended = threading.Event(), threading.Event()

    async def run(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


def test_a_task_in_another_loop_is_cancelled_and_waited_for(
    context: MakeContext, loop: asyncio.AbstractEventLoop
) -> None:
    ctx, work = context(), Work()
    task = ctx.task(work.run(), loop=loop)
    assert work.started.wait(30)
    ctx.close(timeout=30.0)
    assert work.ended.is_set()
    assert not task.is_alive()


def test_a_task_of_the_running_loop_is_cancelled_without_waiting_for_oneself(context: MakeContext) -> None:
    async def main() -> tuple[bool, bool]:
        ctx, work = context(), Work()
        task = ctx.task(work.run(), name="walk")
        await asyncio.sleep(0)
        assert "pluginkit-cat-walk" in {one.get_name() for one in asyncio.all_tasks()}
        ctx.close(timeout=30.0)
        before = task.is_alive()
        while task.is_alive():  # noqa: ASYNC110  # what is waited for has no event of asyncio's
            await asyncio.sleep(0)
        return before, work.ended.is_set()

    assert asyncio.run(main()) == (True, True)


def test_a_task_that_is_done_needs_no_end(context: MakeContext, loop: asyncio.AbstractEventLoop) -> None:
    async def nothing() -> None: ...

    ctx = context()
    task = ctx.task(nothing(), loop=loop)
    task.join(30)
    assert ctx.close(timeout=0.0) == []


def test_a_task_is_never_begun_for_a_plugin_that_has_gone(context: MakeContext) -> None:
    work, ctx = Work(), context()
    loop = asyncio.new_event_loop()
    task = ctx.task(work.run(), loop=loop)
    ctx.close(timeout=0.0)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert not task.is_alive()
    assert not work.started.is_set()


def test_the_task_of_a_closed_loop_is_over(context: MakeContext) -> None:
    ctx = context()
    loop = asyncio.new_event_loop()

    async def main() -> object:
        return ctx.task(asyncio.sleep(0))

    loop.run_until_complete(main())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert ctx.close(timeout=30.0) == []


def test_a_task_needs_a_loop_and_a_plugin(context: MakeContext) -> None:
    ctx = context()
    with pytest.raises(StateError, match="no event loop runs in this thread"):
        ctx.task(Work().run())
    ctx.close(timeout=0.0)
    with pytest.raises(StateError, match="is unloaded"):
        ctx.task(Work().run())
