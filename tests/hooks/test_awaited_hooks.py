"""LH20: plain and async implementations awaited together."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable
from typing import Any

import pytest

from pluginkit.errors import AsyncImplementation, CallTimeout, ContainedError, HookErrors, UsageError
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def work(self, value: int) -> int:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, value: int) -> int:
        """The first answer."""

    @hookspec
    async def fetch(self, value: int) -> int:
        """A hook that is meant to be awaited."""

    @hookspec(historic=True)
    def seen(self) -> None:
        """A historic hook."""


def join_calls() -> None:
    for thread in threading.enumerate():
        if thread.name == "hook work":
            thread.join(30)


def plain(answer: int | None) -> Any:
    class Plain:
        @hookimpl
        def work(self, value: int) -> Any:
            return None if answer is None else value + answer

        @hookimpl
        def pick(self, value: int) -> Any:
            return None if answer is None else value + answer

    return Plain()


def coroutine(answer: Any, gate: asyncio.Event | None = None) -> Any:
    class Async:
        async def _answer(self, value: int) -> Any:
            await asyncio.sleep(0)
            if gate is not None:
                await gate.wait()
            if isinstance(answer, BaseException):
                raise answer
            return None if answer is None else value + answer

        @hookimpl
        async def work(self, value: int) -> Any:
            return await self._answer(value)

        @hookimpl
        async def pick(self, value: int) -> Any:
            return await self._answer(value)

    return Async()


class Meeting:
    """Plugins that answer only when all of them run at the same time."""

    def __init__(self, parties: int) -> None:
        self.barrier = threading.Barrier(parties)

    @property
    def plain(self) -> Any:
        meeting = self

        class Plain:
            @hookimpl
            def work(self) -> int:
                return meeting.barrier.wait(30) * 0

        return Plain()

    @property
    def asynchronous(self) -> Any:
        meeting = self

        class Async:
            @hookimpl
            async def work(self) -> int:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(None, meeting.barrier.wait, 30) * 0

        return Async()


def test_lh20_mixed_implementations_answer_in_call_order(zoo: Any) -> None:
    made = zoo(Contract, a=coroutine(1), b=plain(2), c=coroutine(None), d=plain(None), e=coroutine(3))
    assert asyncio.run(made.hook.work.awaited(value=10)) == [11, 12, 13]


def test_lh20_all_run_at_the_same_time(zoo: Any) -> None:
    meeting = Meeting(4)
    made = zoo(Contract, a=meeting.plain, b=meeting.asynchronous, c=meeting.plain, d=meeting.asynchronous)
    assert asyncio.run(made.hook.work.awaited(value=1)) == [0, 0, 0, 0]


def test_lh20_a_first_result_asks_one_after_the_other(zoo: Any) -> None:
    asked = []

    class Late:
        @hookimpl(trylast=True)
        async def pick(self, value: int) -> int:
            asked.append(value)
            return 0

    made = zoo(Contract, a=plain(None), b=coroutine(None), c=coroutine(1), late=Late)
    assert asyncio.run(made.hook.pick.awaited(value=10)) == 11
    assert asked == []
    made.remove("c", "late")
    assert asyncio.run(made.hook.pick.awaited(value=10)) is None


def test_lh20_a_plain_function_may_give_something_to_await(zoo: Any) -> None:
    class Inner:
        @hookimpl
        def work(self, value: int) -> Any:
            async def later() -> int:
                return value + 1

            return later()

    assert asyncio.run(zoo(Contract, inner=Inner).hook.work.awaited(value=1)) == [2]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), StopIteration("stop")])
def test_lh20_policies_hold_for_awaited_calls(zoo: Any, error: BaseException) -> None:
    class Failing:
        @hookimpl
        def work(self) -> int:
            raise error

    made = zoo(Contract, a=coroutine(1), b=Failing, c=coroutine(KeyError("async")))
    assert asyncio.run(made.hook.work.awaited(value=10)) == [11]
    assert [failure.plugin for failure in made.failures] == ["b", "c"]
    with pytest.raises(HookErrors) as caught:
        asyncio.run(made.hook.work.using(errors="group").awaited(value=10))
    assert caught.value.results == [11]
    assert len(caught.value.exceptions) == 2
    made.remove("c")
    with pytest.raises((ValueError, ContainedError, RuntimeError)):
        asyncio.run(made.hook.work.using(errors="raise").awaited(value=10))


def test_lh20_raise_cancels_the_others(zoo: Any) -> None:
    cancelled = []

    class Waiting:
        @hookimpl
        async def work(self) -> int:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("waiting")
                raise
            return 0

    async def main() -> None:
        with pytest.raises(ValueError, match="no"):
            await made.hook.work.using(errors="raise").awaited(value=1)
        await asyncio.sleep(0)

    made = zoo(Contract, a=Waiting, b=coroutine(ValueError("no")))
    asyncio.run(main())
    assert cancelled == ["waiting"]


def test_lh20_a_timeout_names_all_who_have_not_answered(zoo: Any) -> None:
    go_on = threading.Event()

    class Blocking:
        @hookimpl
        def work(self) -> str:
            go_on.wait(30)
            return "late"

    async def main() -> None:
        forever = asyncio.Event()
        made.add(c=coroutine(3, forever))
        with pytest.raises(CallTimeout) as caught:
            await made.hook.work.using(timeout=0.05).awaited(value=1)
        assert caught.value.plugins == ("b", "c")

    made = zoo(Contract, a=coroutine(1), b=Blocking)
    asyncio.run(main())
    assert [failure.plugin for failure in made.failures] == ["b", "c"]
    go_on.set()
    join_calls()
    assert made.table.late_results() == {("b", "work"): 1}


def test_lh20_late_answers_within_the_loop_are_counted_too(zoo: Any) -> None:
    go_on = threading.Event()

    class Stubborn:
        @hookimpl
        async def work(self) -> int:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return 1
            return 0

    class Blocking:
        @hookimpl
        def work(self) -> int:
            go_on.wait(30)
            return 2

    async def main() -> None:
        with pytest.raises(CallTimeout):
            await made.hook.work.using(timeout=0.05).awaited(value=1)
        go_on.set()
        await asyncio.to_thread(join_calls)
        await asyncio.sleep(0)

    made = zoo(Contract, blocking=Blocking, stubborn=Stubborn)
    asyncio.run(main())
    assert made.table.late_results() == {("blocking", "work"): 1, ("stubborn", "work"): 1}


def test_lh07_a_cancelled_caller_cancels_the_call(zoo: Any) -> None:
    cancelled = []

    class Waiting:
        @hookimpl
        async def work(self) -> int:
            try:
                return await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("waiting")
                raise

    class Wrapping:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            try:
                return (yield)
            finally:
                cancelled.append("wrapper")

    async def main() -> None:
        task = asyncio.ensure_future(made.hook.work.awaited(value=1))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    made = zoo(Contract, waiting=Waiting, wrapping=Wrapping)
    asyncio.run(main())
    assert sorted(cancelled) == ["waiting", "wrapper"]
    assert made.failures == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_lh07_what_passes_in_a_plain_call_passes_here(zoo: Any, error: BaseException) -> None:
    async def main() -> None:
        try:
            await made.hook.work.awaited(value=1)
        except BaseException as caught:
            seen.append(caught)

    seen: list[BaseException] = []
    made = zoo(Contract, a=coroutine(1), b=coroutine(error))
    asyncio.run(main())
    assert seen == [error]


def test_lh20_wrappers_of_both_styles_run_around_it_all(zoo: Any) -> None:
    class New:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            return [*(yield), "new"]

    class Old:
        @hookimpl(hookwrapper=True)
        def work(self) -> Any:
            outcome = yield
            outcome.force_result([*outcome.get_result(), "old"])

    class Broken:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            raise OSError("early")
            yield

    made = zoo(Contract, a=coroutine(1), b=Old, broken=Broken, new=New)
    assert asyncio.run(made.hook.work.awaited(value=10)) == [11, "new", "old"]
    assert made.failed() == ["plugin 'broken' 1.0.0 in hook 'work': OSError: early"]
    made.remove("b")
    with pytest.raises(OSError, match="early"):
        asyncio.run(made.hook.work.using(errors="raise").awaited(value=10))


def test_ht05_awaited_calls_are_counted(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=coroutine(1), b=coroutine(ValueError("no")), c=plain(1))
    asyncio.run(made.hook.work.awaited(value=1))
    counted = {one.plugin: (one.calls, one.errors) for one in made.table.metrics()}
    assert counted == {"a": (1, 0), "b": (1, 1), "c": (1, 0)}


def test_lh20_a_historic_hook_is_not_awaited(zoo: Any) -> None:
    with pytest.raises(UsageError, match="historic"):
        asyncio.run(zoo(Contract).hook.seen.awaited())


def test_lh20_arguments_are_checked_as_in_a_plain_call(zoo: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'valeu'"):
        asyncio.run(zoo(Contract).hook.work.awaited(valeu=1))


# A plain call


def sync_name_of(function: Any) -> Any:
    @functools.wraps(function)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return outer


class Decorated:
    @hookimpl
    @sync_name_of
    async def work(self, value: int) -> int:
        return value


class Annotated:
    @hookimpl
    def work(self, value: int) -> Awaitable[int]:
        return _give(value)


async def _give(value: int) -> int:
    return value


class Future:
    @hookimpl
    def fetch(self, value: int) -> Any:
        return asyncio.run(self._future())

    async def _future(self) -> Any:
        return asyncio.get_running_loop().create_future()


class AsyncGenerator:
    @hookimpl
    async def work(self, value: int) -> Any:
        yield value


@pytest.mark.parametrize("plugin", [coroutine(1), Decorated, Annotated, AsyncGenerator])
def test_lh20_a_plain_call_never_gives_a_coroutine(zoo: Any, plugin: Any) -> None:
    made = zoo(Contract, a=plugin, b=plain(1))
    assert made.hook.work(value=1) == [2]
    (failure,) = made.failures
    assert isinstance(failure.error, AsyncImplementation)
    assert failure.plugin == "a"
    assert "await host.hook.work.awaited(…)" in str(failure.error)
    with pytest.raises(AsyncImplementation, match="plugin 'a'"):
        made.hook.work.using(errors="raise")(value=1)
    assert [one.ok for one in made.hook.work.attributed(value=1)] == [False, True]


def test_lh20_a_hook_that_is_async_by_contract_looks_at_every_answer(zoo: Any) -> None:
    class Undeclared:
        @hookimpl
        def fetch(self, value: int) -> Any:
            return _give(value)

    made = zoo(Contract, a=Undeclared, b=Future)
    assert made.hook.fetch(value=1) == []
    assert [type(failure.error) for failure in made.failures] == [AsyncImplementation] * 2


def test_lh20_firstresult_goes_on_after_an_async_implementation(zoo: Any) -> None:
    made = zoo(Contract, a=coroutine(1), b=plain(2))
    assert made.hook.pick(value=10) == 12


@pytest.mark.parametrize("errors", ["record", "group"])
def test_lh20_a_first_result_is_never_a_coroutine(zoo: Any, errors: str) -> None:
    class Hidden:
        @hookimpl
        def pick(self, value: int) -> Awaitable[int]:
            return _give(value)

    class Around:
        @hookimpl(wrapper=True)
        def pick(self) -> Any:
            return (yield)

    made = zoo(Contract, errors=errors, a=Hidden, b=plain(2))
    for _ in ("plain", "wrapped"):
        if errors == "record":
            assert made.hook.pick(value=10) == 12
        else:
            with pytest.raises(HookErrors) as caught:
                made.hook.pick(value=10)
            assert caught.value.results == 12
        if "around" not in made.providers:
            made.add(around=Around)


def test_lh20_plain_answers_of_an_async_hook_are_answers(zoo: Any) -> None:
    class Ready:
        @hookimpl
        @sync_name_of
        def fetch(self, value: int) -> int:
            return value

    assert zoo(Contract, ready=Ready).hook.fetch(value=1) == [1]
