"""What waits for a worker: plain jobs in a deque, those with a priority in two heaps beside it."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job

_Ranked = tuple[int, int, "Job[Any]"]


class Ready:
    """The waiting jobs, by priority and then by number.

    `take` is an attribute, so that a pool without priorities takes from the deque at its own speed.
    It raises IndexError when there is nothing. `on_take` is called after a job has been taken.
    """

    def __init__(self, on_take: Callable[[], None] | None = None) -> None:
        self.plain: deque[Job[Any]] = deque()
        self._urgent: list[_Ranked] = []
        self._patient: list[_Ranked] = []
        self._lock = threading.Lock()
        self._on_take = on_take
        self.take = self.plain.popleft if on_take is None else self._take_ranked

    def __len__(self) -> int:
        return len(self.plain) + len(self._urgent) + len(self._patient)

    def __iter__(self) -> Iterator[Job[Any]]:
        with self._lock:
            ranked = [job for _, _, job in chain(self._urgent, self._patient)]
        return iter([*list(self.plain), *ranked])

    def put(self, job: Job[Any], priority: int) -> None:
        """Add a job behind those of its priority."""
        if priority == 0:
            self.plain.append(job)
            return
        heap = self._urgent if priority > 0 else self._patient
        with self._lock:
            heapq.heappush(heap, (-priority, job._number, job))
            self.take = self._take_ranked

    def remove(self, job: Job[Any]) -> None:
        """Take a job out that will not run, if it is still there."""
        try:
            self.plain.remove(job)
        except ValueError:
            with self._lock:
                for heap in (self._urgent, self._patient):
                    heap[:] = [ranked for ranked in heap if ranked[2] is not job]
                    heapq.heapify(heap)

    def _take_ranked(self) -> Job[Any]:
        job = self._next()
        if self._on_take is not None:
            self._on_take()
        return job

    def _next(self) -> Job[Any]:
        with self._lock:
            if self._urgent:
                return heapq.heappop(self._urgent)[2]
            try:
                return self.plain.popleft()
            except IndexError:
                if self._patient:
                    return heapq.heappop(self._patient)[2]
                raise
