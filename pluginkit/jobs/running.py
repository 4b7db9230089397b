"""One job with wishes, from the moment a worker has it until it is over or waits for another try."""

from __future__ import annotations

import time
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.errors import JobCancelled, JobTimeout, because
from pluginkit.jobs.job import cancelled_error
from pluginkit.jobs.options import SHORT_DELAY, Options
from pluginkit.jobs.states import JobState
from pluginkit.jobs.waiting import more_of
from pluginkit.jobs.workers import awaited

if TYPE_CHECKING:
    from pluginkit.jobs.concluding import Concluding
    from pluginkit.jobs.job import Job


def run(pool: Concluding, job: Job[Any], now: float) -> None:
    """Try a job as often as it wants to be tried; `now` is when a worker has taken it."""
    options = job._options
    if options is None:
        options = job._options = Options()
    _begin(pool, job, options, now)
    while not _is_over(pool, job):
        wait = _try_once(pool, job, options)
        if wait is None:
            return
        pool._will_retry()
        job._phase = JobState.RETRYING
        if wait > SHORT_DELAY:
            pool._try_later(job, time.monotonic() + wait)
            return
        more_of(job).wait_for_stop(wait)


def _try_once(pool: Concluding, job: Job[Any], options: Options) -> float | None:
    """One attempt: None if the job is over with it, else the seconds until the next."""
    options.attempts += 1
    job._phase = JobState.RUNNING
    try:
        value = attempt(pool, job, options)
    except BaseException as error:
        limit = options.limit_reached() if isinstance(error, JobTimeout) else None
        if limit is not None:
            time_out(pool, job, limit)
        elif _is_final(job, options, error):
            pool._failed(job, error)
        else:
            return options.wait_before_retry()
        return None
    pool._succeeded(job, value)
    return None


def _begin(pool: Concluding, job: Job[Any], options: Options, now: float) -> None:
    """Set the limit that counts from the first run; a job whose time is over already ends here."""
    if options.attempts == 0:
        job._started = now
    if options.timeout is not None and options.run_ends_at is None:
        options.run_ends_at = job._started + options.timeout
        pool._limit(job, options.run_ends_at, lambda: time_out(pool, job, "timeout"))
    limit = options.limit_reached()
    if limit is not None:
        time_out(pool, job, limit)  # it came to its turn just when its time was over


def attempt(pool: Concluding, job: Job[Any], options: Options) -> Any:
    """Call the function once; gives its result, or raises what makes it a failure."""
    value = _called(pool, job, options)
    if options.judge is not None:
        options.judge(value, options)
    return value


def _called(pool: Concluding, job: Job[Any], options: Options) -> Any:
    """Call the function with a context of its own, here or where the pool's executor is."""
    if pool.carrier is not None:
        return pool.carrier.run(job)
    arguments = job._kwargs
    if options.wants_context:
        from pluginkit.jobs.context import JobContext

        arguments = {**arguments, "ctx": JobContext(job)}
    context = job._context
    assert context is not None  # noqa: S101  # it has one until it is over
    # What one attempt sets is not there for the next.
    value = context.copy().run(job._fn, *job._args, **arguments)
    return awaited(value) if type(value) is CoroutineType else value


def time_out(pool: Concluding, job: Job[Any], limit: str) -> None:
    """End a job whose time is over, whether or not it still runs."""
    options = job._options
    if options is None:
        return
    given = {
        "timeout": f"ran longer than its timeout of {options.timeout} s",
        "deadline": "did not end before its deadline",
        "queue timeout": f"waited longer than its queue timeout of {options.queue_timeout} s",
    }[limit]
    cause = {
        "timeout": options.timeout_cause,
        "deadline": options.deadline_cause,
        "queue timeout": options.queue_timeout_cause,
    }[limit]
    with pool._lock:
        if limit == "queue timeout" and options.attempts:
            return  # it has begun; that it waits for another try does not count
        waits = _claim_waiting(job)
    if limit == "queue timeout" and not waits:
        return  # a worker has just taken it
    error = JobTimeout(f"{job.name} {given}{because(cause)}", job_id=job.id)
    error.cause = cause
    if isinstance(cause, BaseException):
        error.__cause__ = cause
    more = more_of(job)
    more.cause = more.cause or cause or error
    more.stop()
    if pool._end(job, JobState.TIMED_OUT, error) and not waits:
        pool._replace_if_busy(job)
    elif waits:
        pool._waits_no_more(job)


def _claim_waiting(job: Job[Any]) -> bool:
    try:
        del job._start
    except AttributeError:
        return False
    return True


def _is_over(pool: Concluding, job: Job[Any]) -> bool:
    """Whether somebody has ended the job, or wants it to end; then it is ended here."""
    if job.done():
        return True
    more = job._more
    if more is not None and more.cancel_requested:
        pool._end(job, JobState.CANCELLED, cancelled_error(job, more.cause))
        return True
    return False


def _is_final(job: Job[Any], options: Options, error: BaseException) -> bool:
    more = job._more
    wants_end = more is not None and more.cancel_requested
    return (
        job.done()
        or wants_end
        or isinstance(error, JobCancelled | JobTimeout)
        or not options.may_retry(error)
    )
