"""The names under which a job's and a pool's values appear in contexts and log records.

They are part of the interface: tools that read logs look for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.field_names import (
    BATCH_ERRORS,
    FAILED_JOBS,
    FAILED_SUBMISSIONS,
    FINISHED_AT,
    JOB_DURATION_SECONDS,
    JOB_ERROR,
    JOB_ID,
    JOB_METRICS,
    JOB_VALUE,
    JOBS_SUBMITTED,
    MAX_RETRIES,
    PLUGIN,
    POOL_CLOSED,
    POOL_COMPLETED_AT,
    POOL_DURATION_SECONDS,
    POOL_METRICS,
    POOL_STARTED_AT,
    POOL_STOPPED_AT,
    RETRY_COUNT,
    RETRY_DELAY,
    STARTED_AT,
    SUBMITTED_AT,
    SUCCESSFUL_JOBS,
    WORKER_COUNT,
    WORKER_ID,
)

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job


__all__ = [
    "BATCH_ERRORS",
    "FAILED_JOBS",
    "FAILED_SUBMISSIONS",
    "FINISHED_AT",
    "JOBS_SUBMITTED",
    "JOB_DURATION_SECONDS",
    "JOB_ERROR",
    "JOB_ID",
    "JOB_METRICS",
    "JOB_VALUE",
    "MAX_RETRIES",
    "PLUGIN",
    "POOL_CLOSED",
    "POOL_COMPLETED_AT",
    "POOL_DURATION_SECONDS",
    "POOL_METRICS",
    "POOL_STARTED_AT",
    "POOL_STOPPED_AT",
    "RETRY_COUNT",
    "RETRY_DELAY",
    "STARTED_AT",
    "SUBMITTED_AT",
    "SUCCESSFUL_JOBS",
    "WORKER_COUNT",
    "WORKER_ID",
    "log_fields",
    "values_of",
]


def log_fields(job: Job[Any]) -> dict[str, Any]:
    """What every log record of a job carries."""
    fields = {
        JOB_ID: job.id,
        WORKER_ID: "" if job._worker is None else job._worker.id,
        RETRY_COUNT: max(0, job.attempts - 1),
    }
    if job.owner is not None:
        fields[PLUGIN] = job.owner
    return fields


def values_of(job: Job[Any]) -> Mapping[str, Any]:
    """All that can be said of a job and of its pool now; None for what is not known yet."""
    times, options = job.metrics, job._options
    values = {
        **log_fields(job),
        MAX_RETRIES: 0 if options is None else options.max_retries,
        RETRY_DELAY: 0.0 if options is None else options.delay,
        SUBMITTED_AT: times.submitted,
        STARTED_AT: times.started,
        FINISHED_AT: times.finished,
        JOB_DURATION_SECONDS: times.duration,
        JOB_METRICS: times,
    }
    if job.done():
        values[JOB_ERROR if job.failed else JOB_VALUE] = job._value
    pool = job._pool
    if pool is not None:
        metrics = pool.metrics()
        values |= {
            WORKER_COUNT: metrics.workers,
            JOBS_SUBMITTED: metrics.submissions,
            FAILED_SUBMISSIONS: metrics.failed_submissions,
            POOL_STARTED_AT: metrics.started,
            POOL_STOPPED_AT: metrics.stopped,
            POOL_COMPLETED_AT: metrics.completed,
            POOL_DURATION_SECONDS: metrics.duration,
            POOL_CLOSED: pool.is_closed,
            SUCCESSFUL_JOBS: metrics.succeeded,
            FAILED_JOBS: metrics.failed,
            POOL_METRICS: metrics,
        }
    return values
