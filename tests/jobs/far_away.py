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


def make_threads() -> Executor:
    return ThreadPoolExecutor(2)


def make_nothing() -> object:
    return object()
