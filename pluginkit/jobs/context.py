"""What a running job can ask and say: `current_job()`, or a parameter `ctx` of its function."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from pluginkit.errors import StateError
from pluginkit.jobs import keys
from pluginkit.jobs.errors import JobTimeout
from pluginkit.jobs.job import cancelled_error
from pluginkit.jobs.waiting import Progress, more_of
from pluginkit.jobs.workers import current_worker

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job

_SLICE = 0.02
"""Seconds; how long a stop may go unseen by who waits for something else."""


class JobContext:
    """The running job, to its own function.

    >>> from pluginkit.jobs import Pool
    >>> def count(ctx, limit):
    ...     for number in range(limit):
    ...         ctx.check()
    ...         ctx.progress(number + 1, limit)
    ...     return ctx.retry_count
    >>> with Pool(1) as pool:
    ...     pool.submit(count, limit=3).result()
    0
    """

    __slots__ = ("_job", "_log")

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self._log: logging.LoggerAdapter[logging.Logger] | None = None

    @property
    def job_id(self) -> str:
        return self._job.id

    @property
    def worker_id(self) -> str:
        worker = self._job._worker
        return "" if worker is None else worker.id

    @property
    def plugin(self) -> str | None:
        """The plugin whose job this is."""
        return self._job.owner

    @property
    def attempts(self) -> int:
        """How often the function has been called by now, this time included."""
        return self._job.attempts

    @property
    def retry_count(self) -> int:
        """How often it has been tried again: 0 in the first run."""
        return max(0, self._job.attempts - 1)

    @property
    def cancelled(self) -> bool:
        """Whether the job should end: it was cancelled, or its time is over."""
        more = self._job._more
        if self._job.done() or (more is not None and (more.cancel_requested or more.is_stopping)):
            return True
        remaining = self.remaining
        return remaining is not None and remaining <= 0

    @property
    def cause(self) -> object:
        """Why, as far as it was said."""
        return self._job.cause

    @property
    def remaining(self) -> float | None:
        """Seconds until the job's time is over, at least 0; None if it has no limit."""
        options = self._job._options
        left = None if options is None else options.remaining()
        return None if left is None else max(0.0, left)

    def check(self) -> None:
        """Raise `JobCancelled` or `JobTimeout` if the job should end; long work calls it often."""
        if not self.cancelled:
            return
        more = more_of(self._job)
        if more.cancel_requested:
            raise cancelled_error(self._job, more.cause)
        raise JobTimeout(f"the time of {self._job.name} is over", job_id=self.job_id)

    def sleep(self, seconds: float) -> None:
        """Sleep, but not longer than the job may run; raises as `check` does, as soon as it has to end."""
        left = self.remaining
        more_of(self._job).wait_for_stop(seconds if left is None else min(seconds, left))
        self.check()

    def wait(self, event: threading.Event, timeout: float | None = None) -> bool:
        """Wait for somebody's event; gives whether it came. Raises as `check` does."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self.check()
            left = _SLICE if end is None else min(_SLICE, end - time.monotonic())
            if event.wait(max(0.0, left)):
                return True
            if end is not None and time.monotonic() >= end:
                return False

    def progress(self, done: float, total: float | None = None, note: str = "") -> None:
        """Say how far the job is; `pluginkit jobs` shows it."""
        more_of(self._job).progress = Progress(done, total, note)

    # Values by name

    def values(self) -> Mapping[str, Any]:
        """The job's and the pool's values by the names that logs use for them; see `keys`."""
        return keys.values_of(self._job)

    def value(self, key: str, default: Any = None) -> Any:
        """One of those; `default` for a name that says nothing here."""
        found = self.values().get(key)
        return default if found is None else found

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records carry `job_id`, `worker_id`, `retry_count` and `plugin`."""
        if self._log is None:
            name = "pluginkit.job" if self.plugin is None else f"pluginkit.plugin.{self.plugin}"
            self._log = _JobLog(logging.getLogger(name), self._job)
        return self._log


class _JobLog(logging.LoggerAdapter[logging.Logger]):
    def __init__(self, logger: logging.Logger, job: Job[Any]) -> None:
        super().__init__(logger, {})
        self._job = job

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**keys.log_fields(self._job), **(kwargs.get("extra") or {})}
        return msg, kwargs


def current_job() -> JobContext:
    """The context of the job that runs in this thread.

    Raises `StateError` where none does.
    """
    worker = current_worker()
    job = None if worker is None else worker.job
    if job is None:
        raise StateError("no job runs in this thread; current_job() is for functions that a pool calls")
    return JobContext(job)
