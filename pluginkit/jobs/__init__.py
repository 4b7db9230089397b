"""Jobs: work that hosts and plugins hand to a pool of threads.

`Pool` runs what it is given, `Job` is one piece of work and the future of its result. Retries,
cancellation with a cause, limits of time, priorities, metrics and orderly ends are there, and a
job that uses none of them pays for none.
"""

from __future__ import annotations

from pluginkit.jobs.batch import BatchResult
from pluginkit.jobs.context import JobContext, current_job
from pluginkit.jobs.ending import StopReport, Stuck
from pluginkit.jobs.errors import JobCancelled, JobError, JobTimeout, NotPortable, PoolClosed, PoolFull
from pluginkit.jobs.job import Job
from pluginkit.jobs.metrics import PoolMetrics
from pluginkit.jobs.pool import Pool
from pluginkit.jobs.result import JobMetrics, JobResult
from pluginkit.jobs.states import JobState
from pluginkit.jobs.waiting import Progress

__all__ = [
    "BatchResult",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobError",
    "JobMetrics",
    "JobResult",
    "JobState",
    "JobTimeout",
    "NotPortable",
    "Pool",
    "PoolClosed",
    "PoolFull",
    "PoolMetrics",
    "Progress",
    "StopReport",
    "Stuck",
    "current_job",
]
