"""The results of a pool's jobs in the order in which they end, for whoever reads them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.result import JobResult

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job


class Stream:
    """Keeps what has not been read: everything, or the last `kept`. Nobody ever waits to put in."""

    def __init__(self, kept: bool | int) -> None:
        self._jobs: deque[Job[Any]] = deque(maxlen=None if kept is True else int(kept))
        self._changed = threading.Condition()
        self._is_over = False
        self.dropped = 0

    def add(self, job: Job[Any]) -> None:
        """A job has ended."""
        with self._changed:
            if len(self._jobs) == self._jobs.maxlen:
                self.dropped += 1
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """No more jobs will end: who reads comes to an end, too."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[JobResult[Any]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._is_over)
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            yield JobResult.of(job)
