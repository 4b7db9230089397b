"""The names under which a job's and a pool's values appear in contexts and log records.

They are part of the interface: tools that read logs look for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job

JOB_ID = "job_id"
MAX_RETRIES = "max_retries"
RETRY_DELAY = "retry_delay"
RETRY_COUNT = "retry_count"
SUBMITTED_AT = "submitted_at"
STARTED_AT = "started_at"
FINISHED_AT = "finished_at"
JOB_DURATION_SECONDS = "job_duration_seconds"
WORKER_ID = "worker_id"
JOB_METRICS = "job_metrics"
JOB_VALUE = "job_value"
JOB_ERROR = "job_error"
WORKER_COUNT = "worker_count"
JOBS_SUBMITTED = "jobs_submitted"
FAILED_SUBMISSIONS = "failed_submissions"
POOL_STARTED_AT = "pool_started_at"
POOL_STOPPED_AT = "pool_stopped_at"
POOL_COMPLETED_AT = "pool_completed_at"
POOL_DURATION_SECONDS = "pool_duration_seconds"
POOL_CLOSED = "pool_closed"
SUCCESSFUL_JOBS = "successful_jobs"
FAILED_JOBS = "failed_jobs"
POOL_METRICS = "pool_metrics"
BATCH_ERRORS = "batch_errors"
PLUGIN = "plugin"


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
