"""A pool at one moment, for people: what waits, runs, is stuck and has failed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.metrics import Failed, PoolMetrics

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job
    from pluginkit.jobs.pool import Pool
    from pluginkit.jobs.workers import Worker

SHOWN = 50
"""How many waiting jobs are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job. `seconds` is how long it has been in its state; `where` is given for stuck ones."""

    job_id: str
    name: str
    owner: str | None
    state: str
    seconds: float
    attempts: int
    worker_id: str = ""
    progress: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What a pool has to do. `stuck` are jobs whose time is over and whose threads do not let go of them."""

    metrics: PoolMetrics
    max_workers: int
    running: tuple[Row, ...]
    queued: tuple[Row, ...]
    stuck: tuple[Row, ...]
    failed: tuple[Failed, ...]


def overview(pool: Pool) -> Overview:
    """Look at a pool."""
    now = time.monotonic()
    with pool._lock:
        given_up = [(worker, worker.job) for worker in pool._tally.former]
        failures = tuple(reversed(pool._tally.failures))
    stuck = [
        _row(job, now, worker, where=worker.where())
        for worker, job in given_up
        if job is not None and worker.where()
    ]
    return Overview(
        pool.metrics(),
        pool.max_workers,
        tuple(_row(job, now, job._worker) for job in pool.running_jobs()),
        tuple(_row(job, now, None) for job in pool.queued_jobs()[:SHOWN]),
        tuple(stuck),
        failures,
    )


def _row(job: Job[Any], now: float, worker: Worker | None, where: str = "") -> Row:
    since = job._submitted if worker is None else getattr(job, "_started", job._submitted)
    return Row(
        job.id,
        job.name,
        job.owner,
        str(job.state),
        now - since,
        job.attempts,
        "" if worker is None else worker.id,
        "" if job.progress is None else str(job.progress),
        where,
    )
