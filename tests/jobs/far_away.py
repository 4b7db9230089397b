"""What the tests of other processes call there."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Executor, ThreadPoolExecutor


def where() -> int:
    return os.getpid()


def kill_the_process() -> None:
    os._exit(9)


def fail() -> None:
    raise LookupError("over there")


def wait_for_ever() -> None:
    threading.Event().wait()


async def add(one: int, other: int) -> int:
    return one + other


def with_context(ctx: object) -> object:
    return ctx


def make_threads() -> Executor:
    return ThreadPoolExecutor(2)


def make_nothing() -> object:
    return object()
