"""Serving until somebody says stop: Ctrl-C, SIGTERM, or the terminal that goes away."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that the first signal sets. The second does what it always does: ends the process.

    The handlers are there from the beginning of the block, so that a Ctrl-C which comes just
    before the wait is not lost.
    """
    stop = threading.Event()
    before: dict[int, Any] = {}

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _restore(before)
        stop.set()

    try:
        for number in SIGNALS:
            before[number] = signal.signal(number, on_signal)
        yield stop
    finally:
        _restore(before)


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
