"""LH09: what one `execute` call carries, from many threads and past its end."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from pluginkit.contracts import CallContext
from pluginkit.errors import CallCancelled


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work(number)` in that many threads which start together; their results in order."""
    results: list[object] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_lh09_values_are_read_and_set_by_key() -> None:
    ctx = CallContext({"who": "World"})
    ctx.set_value("answer", 42)
    assert ctx.get_value("who") == "World"
    assert ctx.get_value("answer") == 42
    assert ctx.get_value("absent") is None
    assert ctx.get_value("absent", "default") == "default"


def test_lh09_a_value_of_none_is_not_the_default() -> None:
    assert CallContext({"nothing": None}).get_value("nothing", "default") is None


def test_lh09_the_context_does_not_share_the_callers_mapping() -> None:
    given: dict[str, object] = {"who": "World"}
    ctx = CallContext(given)
    ctx.set_value("who", "nobody")
    given["more"] = 1
    assert given["who"] == "World"
    assert ctx.get_value("more") is None


def test_lh09_values_are_a_snapshot_that_cannot_be_changed() -> None:
    ctx = CallContext({"a": 1})
    before = ctx.values
    ctx.set_value("b", 2)
    assert (dict(before), dict(ctx.values)) == ({"a": 1}, {"a": 1, "b": 2})
    with pytest.raises(TypeError):
        before["a"] = 3  # type: ignore[index]  # the point of the test


@pytest.mark.parametrize(
    "use",
    [
        lambda: CallContext({1: "one"}),  # type: ignore[dict-item]  # the point of the test
        lambda: CallContext().get_value(1),  # type: ignore[arg-type]  # the point of the test
        lambda: CallContext().set_value(1, "one"),  # type: ignore[arg-type]  # the point of the test
    ],
)
def test_lh09_a_key_is_a_string(use: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="a key of CallContext is a string, not int: 1"):
        use()


def test_lh10_the_label_is_the_value_of_that_name_if_it_is_text() -> None:
    assert CallContext({"label": "plugin.get"}).label == "plugin.get"
    assert CallContext().label is None
    assert CallContext({"label": 3}).label is None


def test_lh09_a_new_context_may_go_on() -> None:
    ctx = CallContext()
    ctx.raise_if_done()
    assert (ctx.is_done, ctx.is_cancelled, ctx.cause, ctx.deadline, ctx.remaining) == (
        False,
        False,
        None,
        None,
        None,
    )


def test_lh09_cancellation_carries_its_cause() -> None:
    ctx = CallContext()
    cause = RuntimeError("the user left")
    assert ctx.cancel(cause) is True
    assert (ctx.is_done, ctx.is_cancelled, ctx.cause) == (True, True, cause)
    with pytest.raises(CallCancelled, match="the call was ended: the user left") as caught:
        ctx.raise_if_done()
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize(
    ("given", "says"), [("no longer needed", "no longer needed"), (None, "the caller cancelled the call")]
)
def test_lh09_a_cause_may_be_a_sentence_or_left_out(given: str | None, says: str) -> None:
    ctx = CallContext()
    ctx.cancel(given)
    assert str(ctx.cause) == says
    with pytest.raises(CallCancelled, match=f"^{says}$") as caught:
        ctx.raise_if_done()
    assert caught.value.__cause__ is ctx.cause


def test_lh09_the_first_cause_stays() -> None:
    ctx = CallContext(timeout=0)
    assert isinstance(ctx.cause, TimeoutError)
    assert ctx.cancel("too late") is False
    assert isinstance(ctx.cause, TimeoutError)


def test_lh09_values_outlive_the_end() -> None:
    ctx = CallContext()
    ctx.cancel()
    ctx.set_value("progress", 0.5)
    assert ctx.get_value("progress") == 0.5


def test_lh09_the_deadline_is_on_the_monotonic_clock() -> None:
    before = time.monotonic()
    ctx = CallContext(timeout=60)
    after = time.monotonic()
    assert ctx.deadline is not None
    assert ctx.remaining is not None
    assert before + 60 <= ctx.deadline <= after + 60
    assert 0 < ctx.remaining <= 60
    assert ctx.is_done is False


def test_lh09_past_the_deadline_the_context_is_done_and_not_cancelled() -> None:
    ctx = CallContext(timeout=0)
    assert (ctx.is_done, ctx.is_cancelled, ctx.remaining) == (True, False, 0.0)
    assert isinstance(ctx.cause, TimeoutError)
    assert str(ctx.cause) == "the call's 0 s are over"
    with pytest.raises(CallCancelled, match="the call was ended: the call's 0 s are over"):
        ctx.raise_if_done()


@pytest.mark.parametrize("timeout", [-1, -math.inf, math.nan])
def test_lh09_a_timeout_is_a_number_from_zero_on(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be a number of seconds from 0 on"):
        CallContext(timeout=timeout)


def test_lh09_a_cancelled_context_stays_cancelled_past_its_deadline() -> None:
    ctx = CallContext(timeout=0.01)
    assert ctx.cancel("early") is True
    while ctx.remaining:
        pass  # until the clock has passed the deadline
    assert ctx.is_cancelled
    assert str(ctx.cause) == "early"


def test_lh09_wait_gives_up_after_its_timeout_while_the_call_goes_on() -> None:
    assert CallContext().wait(0.001) is False
    assert CallContext(timeout=60).wait(0.001) is False


def test_lh09_wait_ends_at_the_deadline() -> None:
    ctx = CallContext(timeout=0.02)
    assert ctx.wait() is True
    assert ctx.wait(60) is True
    assert isinstance(ctx.cause, TimeoutError)


def test_lh09_cancel_wakes_who_waits_in_other_threads() -> None:
    ctx = CallContext(timeout=600)

    def wait_or_cancel(number: int) -> object:
        return ctx.cancel("enough") if number == 0 else ctx.wait(600)

    assert in_threads(4, wait_or_cancel) == [True, True, True, True]


def cancel_as(ctx: CallContext, number: int) -> bool:
    return ctx.cancel(str(number))


def test_lh09_of_many_cancels_exactly_one_is_the_first() -> None:
    for _ in range(50):
        ctx = CallContext(timeout=600)
        won = in_threads(8, partial(cancel_as, ctx))
        assert won.count(True) == 1
        assert str(ctx.cause) == str(won.index(True))


def test_lh09_values_are_safe_under_threads() -> None:
    ctx = CallContext()

    def fill(number: int) -> object:
        for key in range(300):
            ctx.set_value(f"{number}.{key}", key)
            assert len(ctx.values) >= key + 1
        return ctx.get_value(f"{number}.299")

    assert in_threads(8, fill) == [299] * 8
    assert len(ctx.values) == 8 * 300


def test_lh09_repr_shows_the_state_and_the_keys_but_no_values() -> None:
    ctx = CallContext({"password": "secret"})
    assert repr(ctx) == "<CallContext running, values: password>"
    ctx.cancel("enough")
    assert repr(ctx) == "<CallContext done: enough, values: password>"
    assert repr(CallContext()) == "<CallContext running, values: none>"
