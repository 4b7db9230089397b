"""Threads that wait for something to happen to a queue, woken by a bell that any code may ring."""

from __future__ import annotations

import queue
import time


class Bell:
    """Wakes threads. `ring` may be called from a signal handler that interrupted a `wait`.

    That is why each waits at a SimpleQueue of its own, whose `put` is made for this, and not at a
    Condition. A waiter comes in and looks once more under the store's lock, and only then
    waits: what happens after its look rings.
    """

    def __init__(self) -> None:
        self.waiters: list[queue.SimpleQueue[None]] = []

    def come_in(self) -> queue.SimpleQueue[None]:
        """Be rung from now on. Under the store's lock, as `go`."""
        waiter: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.waiters.append(waiter)
        return waiter

    def go(self, waiter: queue.SimpleQueue[None]) -> None:
        self.waiters.remove(waiter)

    def ring(self) -> None:
        """Wake all who wait now."""
        for waiter in self.waiters.copy():
            waiter.put(None)


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
