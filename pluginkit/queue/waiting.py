"""Threads that wait for something to happen to a queue, woken by a bell that any code may ring."""

from __future__ import annotations

import queue
import time


class Bell:
    """Wakes threads. `ring` may be called from a signal handler that interrupted a `wait`.

    That is why it is a SimpleQueue, whose `put` is made for this, and no Condition. A waiter counts
    itself in, looks once more under the store's lock, and only then waits: what happens after
    its look rings.
    """

    def __init__(self) -> None:
        self.waiters = 0  # changed under the store's lock
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wake all who wait now. One token too many is a look for nothing."""
        for _ in range(self.waiters):
            self._tokens.put(None)

    def wait(self, timeout: float | None) -> None:
        """Wait for a ring, at most `timeout` seconds."""
        try:
            self._tokens.get(timeout=None if timeout is None else max(0.0, timeout))
        except queue.Empty:
            return


class Deadline:
    """A moment on the clock that nobody can set; `None` seconds is never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
