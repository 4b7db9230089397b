"""Functions of the host, as plugins get them where there is a guard."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from pluginkit.services.lent import lent


def names_on_the_stack() -> list[str]:
    frame, found = sys._getframe(1), []
    while frame is not None:
        found.append(str(frame.f_globals.get("__name__")))
        frame = frame.f_back  # type: ignore[assignment]  # None ends it
    return found


def is_served() -> bool:
    return "pluginkit.services.lent" in names_on_the_stack()


def plain(value: int, *, more: int = 0) -> tuple[int, bool]:
    """What it does."""
    return value + more, is_served()


def each(value: int) -> Generator[Any, Any, str]:
    got = yield value
    yield got
    yield is_served()
    return "end"


async def awaited(value: int) -> tuple[int, bool]:
    await asyncio.sleep(0)
    return value, is_served()


async def each_awaited(value: int) -> AsyncIterator[tuple[int, bool]]:
    yield value, is_served()


def test_cp11_a_lent_function_is_called_behind_a_frame_of_ours() -> None:
    assert plain(1) == (1, False)
    assert lent(plain)(1, more=2) == (3, True)
    assert (lent(plain).__name__, lent(plain).__doc__) == ("plain", "What it does.")
    assert inspect.signature(lent(plain)) == inspect.signature(plain)


def test_cp11_what_is_iterated_over_later_is_so_too() -> None:
    made = lent(each)(1)
    assert [next(made), made.send("sent"), next(made)] == [1, "sent", True]
    with pytest.raises(StopIteration) as caught:
        next(made)
    assert caught.value.value == "end"


def test_cp11_and_what_is_awaited() -> None:
    async def all_of() -> list[Any]:
        return [await lent(awaited)(1), *[one async for one in lent(each_awaited)(2)]]

    assert asyncio.run(all_of()) == [(1, True), (2, True)]
    assert inspect.iscoroutinefunction(lent(awaited))


def test_cp11_its_errors_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        lent(lambda: 1 / 0)()
