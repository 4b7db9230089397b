"""A bounded buffer: whoever submits waits until there is room."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluginkit.errors import UsageError
from pluginkit.jobs.errors import PoolFull
from pluginkit.jobs.workers import current_worker

if TYPE_CHECKING:
    from pluginkit.jobs.crew import Crew


class Room:
    """Room for `size` waiting jobs, and for as many as there are workers with nothing to do."""

    def __init__(self, pool: Crew, size: int) -> None:
        if type(size) is not int or size < 0:
            raise UsageError(f"buffer must be None (any number), or a number of at least 0, not {size!r}")
        self.size = size
        self._pool = pool
        self._changed = threading.Condition(threading.RLock())

    @contextmanager
    def place(self, timeout: float | None) -> Iterator[None]:
        """A block in which there is room for one job more; raises `PoolFull` if there is none in time."""
        pool = self._pool
        worker = current_worker()
        if worker is not None and worker in pool._workers:
            timeout = 0.0
        with self._changed:
            end = None if timeout is None else time.monotonic() + timeout
            while not self._is_there() and not pool._is_closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    with pool._lock:
                        pool._tally.failed_submissions += 1
                    raise self._full(inside=worker is not None)
                self._changed.wait(left)
            if pool._is_closed:
                raise pool._refused()
            yield

    def changed(self) -> None:
        """There may be more room now, or the pool is closed."""
        with self._changed:
            self._changed.notify_all()

    def _is_there(self) -> bool:
        pool = self._pool
        free = len(pool._idle) + max(0, pool._max - len(pool._workers))
        return len(pool._ready) < self.size + free

    def _full(self, *, inside: bool) -> PoolFull:
        text = f"the pool {self._pool.name!r} has no room: {len(self._pool._ready)} jobs wait, of {self.size}"
        if inside:
            text += "; a job that waited for room in its own pool could wait for itself, so it does not wait"
        return PoolFull(text)
