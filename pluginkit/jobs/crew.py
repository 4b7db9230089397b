"""The workers of a pool: made when they are needed, asleep when there is nothing to do, gone at its end."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UsageError
from pluginkit.jobs import ending
from pluginkit.jobs.errors import PoolClosed, PoolFull
from pluginkit.jobs.metrics import Tally
from pluginkit.jobs.ready import Ready
from pluginkit.jobs.room import Room
from pluginkit.jobs.states import JobState
from pluginkit.jobs.timers import Timers
from pluginkit.jobs.workers import Worker, current_worker

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job
    from pluginkit.jobs.options import Options


class Crew:
    """What a pool has to do with its threads.

    A worker that finds nothing puts itself on the idle list, looks once more, and sleeps; whoever has
    put a job on the deque looks at the idle list afterwards. So one of the two sees the other.
    """

    def __init__(self, name: str, max_workers: int, buffer: int | None) -> None:
        self.name = name
        self._max = max_workers
        self._room = None if buffer is None else Room(self, buffer)
        self._ready = Ready(None if self._room is None else self._room.changed)
        self._plain = self._ready.plain
        self._take: Callable[[], Job[Any]] = self._ready.take
        self._workers: list[Worker] = []
        self._idle: deque[Worker] = deque()
        self._worker_numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)
        self._watching = 0
        self._later: set[Job[Any]] = set()
        self._tally = Tally()
        self._timers = Timers(f"{name}-timers")
        self._is_closed = self._is_paused = False

    def _refused(self) -> PoolClosed:
        with self._lock:
            self._tally.failed_submissions += 1
        return PoolClosed(f"the pool {self.name!r} is closed and takes no more jobs; make a new one")

    def _take_back(self, job: Job[Any], error: Exception | None = None) -> None:
        """Refuse a job that is on the deque already, unless a worker has it, or had it."""
        with self._lock:
            # Under the lock nobody makes it one that waits for another try.
            if job._options is not None and job._options.attempts:
                return
            try:
                del job._start
            except AttributeError:
                return
            self._tally.taken_back += 1
            self._tally.failed_submissions += error is not None
        del job._finish
        options = job._options
        if options is not None:
            self._cancel_timers(options)
        job._phase = JobState.NEW
        job._pool = None
        self._waits_no_more(job)
        raise error or self._refused()

    def _waits_no_more(self, job: Job[Any]) -> None:
        """A job that waited does not any more, and has not run: there is room, and it may have been the last."""
        if self._room is not None:
            self._ready.remove(job)
            self._room.changed()
        ending.send_home(self)
        with self._quiet:
            self._quiet.notify_all()

    def _enqueue(self, job: Job[Any]) -> None:
        priority = 0 if job._options is None else job._options.priority
        self._ready.put(job, priority)
        if priority:
            with self._lock:
                if not self._is_paused:
                    self._take = self._ready.take
        if self._idle:
            self._wake()
        elif len(self._workers) < self._max:
            self._hire(job)

    def _cancel_timers(self, options: Options) -> None:
        timers, options.timers = options.timers, None
        for entry in timers or ():
            self._timers.cancel(entry)

    # Workers

    def _wake(self) -> None:
        try:
            worker = self._idle.pop()
        except IndexError:
            return
        worker.wake.release()

    def _hire(self, job: Job[Any] | None = None) -> None:
        """Make one worker more, if there may be; `job` is what it is for."""
        with self._lock:
            if len(self._workers) >= self._max:
                return
            worker = Worker(f"{self.name}-{next(self._worker_numbers)}")
            self._workers.append(worker)
            if self._tally.started is None:
                self._tally.started = time.monotonic()
        try:
            worker.start(self)
        except RuntimeError as error:  # the system has no thread left
            with self._lock:
                self._workers.remove(worker)
            # Where there are others, one of them will come to it.
            if job is not None and not self._workers:
                text = f"the pool {self.name!r} has no worker, and cannot start one: {error}"
                self._take_back(job, PoolFull(text))

    def _rest(self, worker: Worker) -> bool:
        """Let a worker sleep until there may be something to take; False: it has to end."""
        idle = self._idle
        if len(self._workers) > self._max and self._dismiss(worker):
            return False
        idle.append(worker)
        # Whatever came after it had looked, and before it could be seen here, is seen now. It has to be
        # on the list while it looks: who changes something looks at the list afterwards.
        is_finished = worker.is_abandoned or self._is_finished()
        if is_finished or (self._ready and not self._is_paused):
            try:
                idle.remove(worker)
            except ValueError:
                pass  # somebody is about to wake it
            else:
                ending.send_home(self)
                return not is_finished
        if self._room is not None:
            self._room.changed()
        if self._watching:
            # After the idle list: whoever counts itself in looks at that afterwards.
            with self._quiet:
                self._quiet.notify_all()
        worker.wake.acquire()
        return not worker.is_dismissed

    def _dismiss(self, worker: Worker) -> bool:
        with self._lock:
            if len(self._workers) <= self._max or worker not in self._workers:
                return False
            self._let_go(worker)
            return True

    def _let_go(self, worker: Worker) -> None:
        """Count a worker's jobs as the pool's; it is none of the pool's any more."""
        if worker in self._workers:
            self._workers.remove(worker)
            self._tally.former.append(worker)

    def _left(self, worker: Worker) -> None:
        """A worker's thread ends."""
        with self._quiet:
            self._let_go(worker)
            self._tally.ended(worker)
            is_last = self._is_finished() and not self._workers
            self._quiet.notify_all()
        if not is_last and self._queued_now():
            self._hire()  # it ended early: nobody else may be there for what waits
        if is_last:
            self._timers.close()
        if self._room is not None:
            self._room.changed()

    def _replace_if_busy(self, job: Job[Any]) -> None:
        """Give up the thread that a job does not let go of; another one does its work."""
        worker = job._worker
        if worker is current_worker():
            return  # it is on its way out
        with self._lock:
            if worker is None or worker.job is not job or worker not in self._workers:
                return
            worker.is_abandoned = True
            self._let_go(worker)
        # Had it let go of the job in this very moment, it may be on its way to sleep.
        try:
            self._idle.remove(worker)
        except ValueError:
            pass
        else:
            worker.is_dismissed = True
            worker.wake.release()
        if self._ready:
            self._hire()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def max_workers(self) -> int:
        return self._max

    def running_jobs(self) -> tuple[Job[Any], ...]:
        """The jobs that a worker has now, or that wait for another try."""
        with self._lock:
            at_work = [worker.job for worker in self._workers]
            later = list(self._later)
        return (*(job for job in at_work if job is not None and not job.done()), *later)

    def queued_jobs(self) -> tuple[Job[Any], ...]:
        """The jobs that wait for a worker."""
        return tuple(job for job in self._ready if job._phase is JobState.QUEUED)

    def _is_taking(self) -> bool:
        """Whether a worker is on its way from one job to the next, or to sleep."""
        return any(one.job is None and one not in self._idle for one in tuple(self._workers))

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs and nothing waits; gives whether that came within `timeout` seconds."""
        return self._wait_until(self._is_idle, timeout)

    def _wait_until(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        with self._quiet:
            self._watching += 1
            try:
                return self._quiet.wait_for(condition, timeout)
            finally:
                self._watching -= 1

    def _is_idle(self) -> bool:
        # Taken off the deque and not yet marked as running: its worker is not idle either.
        return not self._later and not self._queued_now() and len(self._idle) >= len(self._workers)

    def _queued_now(self) -> bool:
        return any(hasattr(job, "_start") for job in self._ready)

    def _is_finished(self) -> bool:
        return self._is_closed and not self._later and not self._queued_now()

    # Steering

    def pause(self) -> None:
        """Begin no more jobs; those that run go on, and submitting does too. A closed pool goes on to its end."""
        with self._lock:
            if not self._is_closed:
                self._is_paused, self._take = True, _nothing

    def resume(self) -> None:
        """Go on after `pause`."""
        with self._lock:
            self._is_paused, self._take = False, self._ready.take
        for _ in range(min(len(self._ready), self._max)):
            self._wake()
        if self._ready:
            self._hire()

    def resize(self, max_workers: int) -> None:
        """Have another number of workers; those that are too many end with the job they have."""
        with self._lock:
            self._max = require_workers(max_workers)
            surplus = len(self._workers) - self._max
        for _ in range(max(0, surplus)):
            self._wake()  # one that sleeps looks again, and goes
        for _ in range(min(len(self._ready), self._max)):
            self._hire()


def require_workers(max_workers: int) -> int:
    """A number of workers; raises `UsageError` for one that is none."""
    if type(max_workers) is not int or max_workers < 1:
        raise UsageError(f"a pool has at least 1 worker, not {max_workers!r}")
    return max_workers


def _nothing() -> Job[Any]:
    raise IndexError
