"""A pool's numbers: counted where they arise, without a lock for each job, and added when somebody asks."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.states import JobState

if TYPE_CHECKING:
    from pluginkit.jobs.errors import JobError
    from pluginkit.jobs.job import Job
    from pluginkit.jobs.pool import Pool
    from pluginkit.jobs.workers import Worker


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that ended without a result, for people."""

    job_id: str
    name: str
    owner: str | None
    error: str


class Tally:
    """What is counted beside the workers' own counters; changed under the pool's lock."""

    def __init__(self) -> None:
        self.started: float | None = None
        self.stopped: float | None = None
        self.completed: float | None = None
        self.failed_submissions = 0
        self.taken_back = 0
        self.looks = 0
        self.late = 0
        self.retried = 0
        self.by_state: dict[JobState, int] = {}
        # Given up, and their threads still there; of those that have ended only the numbers are kept.
        self.former: list[Worker] = []
        self.succeeded = 0
        self.busy = 0.0
        self.failures: deque[Failed] = deque(maxlen=20)

    def ended(self, worker: Worker) -> None:
        """Keep what a worker has counted, now that its thread counts no more."""
        if worker in self.former:
            self.former.remove(worker)
        self.succeeded += worker.succeeded
        self.busy += worker.busy

    def count(self, state: JobState) -> None:
        self.by_state[state] = self.by_state.get(state, 0) + 1

    def remember(self, job: Job[Any], error: JobError) -> None:
        self.failures.append(Failed(job.id, job.name, job.owner, str(error)))


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """A pool's numbers at one moment. Times are seconds of the monotonic clock.

    `failed` is every accepted job that ended without a result: `cancelled` and `timed_out` are among
    them. `late` are results that came after their job had been ended, and were dropped. Once the pool
    has been shut down, `succeeded + failed == submissions`.
    """

    started: float | None
    stopped: float | None
    completed: float | None
    duration: float | None
    workers: int
    idle: int
    submissions: int
    failed_submissions: int
    succeeded: int
    failed: int
    cancelled: int
    timed_out: int
    retried: int
    late: int
    queued: int
    running: int
    busy_seconds: float

    @classmethod
    def of(cls, pool: Pool) -> PoolMetrics:
        """Add up the numbers of a pool."""
        with pool._lock:
            tally = pool._tally
            # The one counter that all threads can count with at once is that of the numbers; to read
            # it is to take one.
            tally.looks += 1
            submissions = pool._next_number() - tally.looks - tally.taken_back
            workers = [*pool._workers, *tally.former]
            ended = tally.by_state
            failed = sum(ended.get(state, 0) for state in _BAD)
            end = tally.completed if tally.completed is not None else time.monotonic()
            return cls(
                started=tally.started,
                stopped=tally.stopped,
                completed=tally.completed,
                duration=None if tally.started is None else end - tally.started,
                workers=len(pool._workers),
                idle=len(pool._idle),
                submissions=submissions,
                failed_submissions=tally.failed_submissions,
                succeeded=tally.succeeded
                + sum(worker.succeeded for worker in workers)
                + ended.get(JobState.SUCCEEDED, 0),
                failed=failed,
                cancelled=ended.get(JobState.CANCELLED, 0),
                timed_out=ended.get(JobState.TIMED_OUT, 0),
                retried=tally.retried,
                late=tally.late,
                queued=len(pool.queued_jobs()),
                running=len(pool.running_jobs()),
                busy_seconds=tally.busy + sum(worker.busy for worker in workers),
            )

    @property
    def completed_jobs(self) -> int:
        return self.succeeded + self.failed


_BAD = (JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT)
