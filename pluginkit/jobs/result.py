"""What became of a job, as plain values that can be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pluginkit.jobs.states import JobState

if TYPE_CHECKING:
    from pluginkit.jobs.errors import JobError
    from pluginkit.jobs.job import Job

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """The times of one job, in seconds of the monotonic clock; None for what has not happened.

    `duration` is from the first run's start to the end, `queued_for` what came before that.
    """

    submitted: float | None
    started: float | None
    finished: float | None
    attempts: int

    @classmethod
    def of(cls, job: Job[Any]) -> JobMetrics:
        """The times of a job as they are now."""
        submitted, started, finished = (
            getattr(job, name, None) for name in ("_submitted", "_started", "_finished")
        )
        return cls(submitted, started, finished, job.attempts)

    @property
    def duration(self) -> float | None:
        return None if self.started is None or self.finished is None else self.finished - self.started

    @property
    def queued_for(self) -> float | None:
        begun = self.started if self.started is not None else self.finished
        return None if self.submitted is None or begun is None else begun - self.submitted


@dataclass(frozen=True, slots=True)
class JobResult(Generic[T]):
    """What became of one job: a value, or an error; `worker_id` is None if it never ran."""

    job_id: str
    worker_id: str | None
    owner: str | None
    state: JobState
    value: T | None
    error: JobError | None
    metrics: JobMetrics

    @classmethod
    def of(cls, job: Job[T]) -> JobResult[T]:
        """The result of a job that is over."""
        is_good = job.state is JobState.SUCCEEDED
        return cls(
            job.id,
            job._worker.id if job._worker is not None else None,
            job.owner,
            job.state,
            job._value if is_good else None,
            None if is_good else job._value,
            job.metrics,
        )

    @property
    def ok(self) -> bool:
        return self.error is None
