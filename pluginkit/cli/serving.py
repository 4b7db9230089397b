"""Serving until somebody says stop: Ctrl-C, SIGTERM, or the terminal that goes away."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[Callable[[], None]]:
    """Give a function that waits for the first signal; the second does again what it always does.

    The signals are caught from the beginning of the block, so that a Ctrl-C which comes just
    before the wait is not lost. They are read from a pipe, since the system may deliver them to
    any thread, a plugin's for instance, and then a lock that this thread waits for stays shut.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pipe_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # The handlers do nothing: what counts is the signal's number, which Python writes into the pipe.
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}

    def wait() -> None:
        while os.read(reading, 1)[0] not in SIGNALS:
            pass  # another signal, which somebody else handles
        _restore(before)

    try:
        yield wait
    finally:
        _restore(before)
        signal.set_wakeup_fd(pipe_before)
        os.close(writing)
        os.close(reading)


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
