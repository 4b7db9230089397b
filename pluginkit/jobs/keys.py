"""The names under which a job's and a pool's values appear in contexts and log records.

They are part of the interface: tools that read logs look for them.
"""

# ruff: noqa: PLC0414  # the names are given on: that is how type checkers know

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.field_names import (
    BATCH_ERRORS as BATCH_ERRORS,
)
from pluginkit.field_names import (
    FAILED_JOBS as FAILED_JOBS,
)
from pluginkit.field_names import (
    FAILED_SUBMISSIONS as FAILED_SUBMISSIONS,
)
from pluginkit.field_names import (
    FINISHED_AT as FINISHED_AT,
)
from pluginkit.field_names import (
    JOB_DURATION_SECONDS as JOB_DURATION_SECONDS,
)
from pluginkit.field_names import (
    JOB_ERROR as JOB_ERROR,
)
from pluginkit.field_names import (
    JOB_ID as JOB_ID,
)
from pluginkit.field_names import (
    JOB_METRICS as JOB_METRICS,
)
from pluginkit.field_names import (
    JOB_VALUE as JOB_VALUE,
)
from pluginkit.field_names import (
    JOBS_SUBMITTED as JOBS_SUBMITTED,
)
from pluginkit.field_names import (
    MAX_RETRIES as MAX_RETRIES,
)
from pluginkit.field_names import (
    PLUGIN as PLUGIN,
)
from pluginkit.field_names import (
    POOL_CLOSED as POOL_CLOSED,
)
from pluginkit.field_names import (
    POOL_COMPLETED_AT as POOL_COMPLETED_AT,
)
from pluginkit.field_names import (
    POOL_DURATION_SECONDS as POOL_DURATION_SECONDS,
)
from pluginkit.field_names import (
    POOL_METRICS as POOL_METRICS,
)
from pluginkit.field_names import (
    POOL_STARTED_AT as POOL_STARTED_AT,
)
from pluginkit.field_names import (
    POOL_STOPPED_AT as POOL_STOPPED_AT,
)
from pluginkit.field_names import (
    RETRY_COUNT as RETRY_COUNT,
)
from pluginkit.field_names import (
    RETRY_DELAY as RETRY_DELAY,
)
from pluginkit.field_names import (
    STARTED_AT as STARTED_AT,
)
from pluginkit.field_names import (
    SUBMITTED_AT as SUBMITTED_AT,
)
from pluginkit.field_names import (
    SUCCESSFUL_JOBS as SUCCESSFUL_JOBS,
)
from pluginkit.field_names import (
    WORKER_COUNT as WORKER_COUNT,
)
from pluginkit.field_names import (
    WORKER_ID as WORKER_ID,
)

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job


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
