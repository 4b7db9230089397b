"""Pools that are closed when the test ends, and jobs that wait until they are let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pluginkit.jobs import Pool

MakePool = Callable[..., Pool]


class Held:
    """A function for jobs that tells when it has begun, and goes on when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, value: Any = None) -> Any:
        self.begun.release()
        assert self.go.wait(30)
        return value

    def wait_begun(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.begun.acquire(timeout=30)


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    pools: list[Pool] = []

    def make(*arguments: Any, **options: Any) -> Pool:
        pools.append(Pool(*arguments, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.terminate("the test is over")
        assert pool.stop(20).ok


@pytest.fixture
def pool(make_pool: MakePool) -> Pool:
    return make_pool(4)


@pytest.fixture
def held() -> Iterator[Held]:
    one = Held()
    yield one
    one.go.set()


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Poll until the condition holds; fails at the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.001)
