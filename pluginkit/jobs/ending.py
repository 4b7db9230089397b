"""The ends of a pool: in order, or at once. All are idempotent, in any order, from any thread."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.errors import JobError
from pluginkit.jobs.job import Job
from pluginkit.jobs.states import JobState
from pluginkit.jobs.workers import current_worker

if TYPE_CHECKING:
    from pluginkit.jobs.concluding import Concluding
    from pluginkit.jobs.crew import Crew
    from pluginkit.jobs.workers import Worker

GRACE = 0.1
"""Seconds in which jobs may end that were told to."""
EXIT_TIMEOUT = 5.0
"""Seconds that the end of the interpreter waits for pools that nobody has closed."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A job that did not end. `stack` is where its thread was, innermost last."""

    job_id: str
    name: str
    owner: str | None
    worker_id: str
    seconds: float
    stack: str

    def __str__(self) -> str:
        whose = "" if self.owner is None else f" of plugin {self.owner!r}"
        where = self.stack.splitlines()[-1] if self.stack else "nowhere any more"
        return f"{self.name}{whose} has run for {self.seconds:.1f} s in {self.worker_id}; it is at {where}"


@dataclass(frozen=True, slots=True)
class StopReport:
    """How a pool ended: `stuck` are jobs that did not, `cancelled` how many had not begun.

    `is_waiting` says that it was called in a job of the pool, and did not wait.
    """

    stuck: tuple[Stuck, ...] = ()
    cancelled: int = 0
    is_waiting: bool = False

    @property
    def ok(self) -> bool:
        return not self.stuck and not self.cancelled and not self.is_waiting

    def __str__(self) -> str:
        lines = [f"{self.cancelled} waiting jobs were cancelled"] if self.cancelled else []
        return "\n".join([*lines, *map(str, self.stuck)]) or "all jobs have ended"


def close(pool: Concluding) -> StopReport:
    """Take no more jobs."""
    with pool._quiet:
        if not pool._is_closed:
            pool._is_closed = True
            pool._tally.stopped = time.monotonic()
        if pool._is_paused:
            pool.resume()
        pool._quiet.notify_all()
    if pool._room is not None:
        pool._room.changed()
    send_home(pool)
    return StopReport(is_waiting=True)


def stop(pool: Concluding, timeout: float | None) -> StopReport:
    """See `Pool.stop`."""
    close(pool)
    worker = current_worker()
    if worker is not None and worker in pool._workers:
        return StopReport(is_waiting=True)
    if _wait(pool, timeout):
        report = StopReport()
    else:
        waiting = pool.queued_jobs()
        terminate(pool, "the pool was stopped, and its time was over")
        report = StopReport(cancelled=len(waiting))
        if not _wait(pool, GRACE):
            report = StopReport(_give_up(pool), len(waiting))
    with pool._lock:
        if pool._tally.completed is None:
            pool._tally.completed = time.monotonic()
    send_home(pool)
    pool._timers.close()
    if pool.carrier is not None:
        pool.carrier.close()
    return report


def finish(pool: Concluding) -> None:
    """End the stream of results, now or when the last job has ended."""
    stream = pool._stream
    if stream is None:
        return
    if _wait(pool, 0.0):
        stream.close()
        return

    def close_later() -> None:
        _wait(pool, None)
        stream.close()

    threading.Thread(target=close_later, name=f"{pool.name}-end", daemon=True).start()


def terminate(pool: Concluding, cause: object) -> None:
    """See `Pool.terminate`."""
    close(pool)
    for job in (*pool.queued_jobs(), *pool.running_jobs()):
        job.cancel(cause)
    # A worker may have taken a job off the deque and not said so yet: that takes microseconds.
    end = time.monotonic() + GRACE
    while pool._is_taking() and time.monotonic() < end:
        time.sleep(0.0001)
    for job in pool.running_jobs():
        job.cancel(cause)
    send_home(pool)


def _wait(pool: Concluding, timeout: float | None) -> bool:
    return pool._wait_until(lambda: _is_over(pool), timeout)


def _is_over(pool: Concluding) -> bool:
    # A worker that has taken a job and not begun with it is to be seen only by not being idle.
    return pool._is_finished() and len(pool._idle) >= len(pool._workers)


def send_home(pool: Crew) -> None:
    """Wake the workers of a closed pool that sleep: there is nothing more to wait for."""
    if pool._is_finished():
        while pool._idle:
            try:
                worker = pool._idle.pop()
            except IndexError:
                return
            worker.is_dismissed = True
            worker.wake.release()


def _give_up(pool: Concluding) -> tuple[Stuck, ...]:
    """End the jobs that do not; their threads are daemons and go on alone."""
    found = []
    with pool._lock:
        busy = [(worker, worker.job) for worker in pool._workers]
    for worker, job in busy:
        if job is None or job.done():
            continue
        found.append(stuck(job, worker))
        error = JobError(f"{job.name} was given up: it still ran when its pool was stopped", job_id=job.id)
        if pool._end(job, JobState.FAILED, error):
            pool._replace_if_busy(job)
    return tuple(found)


def stuck(job: Job[Any], worker: Worker) -> Stuck:
    """Where a running job is now."""
    seconds = time.monotonic() - getattr(job, "_started", time.monotonic())
    return Stuck(job.id, job.name, job.owner, worker.id, seconds, worker.where())


def _at_exit() -> None:
    from pluginkit.jobs.pool import _pools

    end = time.monotonic() + EXIT_TIMEOUT
    for pool in list(_pools):
        if pool._workers and not pool._is_closed and not pool._is_owned:
            report = stop(pool, max(0.0, end - time.monotonic()))
            for one in report.stuck:
                logging.getLogger("pluginkit").warning("pool %r at exit: %s", pool.name, one)


atexit.register(_at_exit)
