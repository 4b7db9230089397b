"""`Job`: one call that a pool makes at some time, in some thread, and what became of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import Context
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, cast

from pluginkit.errors import StateError, UsageError
from pluginkit.jobs.errors import JobCancelled, JobError, because
from pluginkit.jobs.ids import Numbering, job_id
from pluginkit.jobs.options import Options, require_time, retrying, seconds
from pluginkit.jobs.result import JobMetrics, JobResult
from pluginkit.jobs.states import AS_FUTURE, FINAL, JobState
from pluginkit.jobs.waiting import More, Progress, call_back, more_of, submitting

if TYPE_CHECKING:
    from pluginkit.jobs.pool import Pool
    from pluginkit.jobs.workers import Worker

T = TypeVar("T")

_unsubmitted = Numbering()


class Job(Future[T]):
    """A call of `fn(*args, **kwargs)` that a pool makes; a future of its result.

    What it should do beyond that is said before it is submitted, in a chain:
    `pool.submit(Job(fetch, url).with_retry(3, delay=0.5).with_timeout(10))`.

    It is a `concurrent.futures.Future` to whoever expects one, and can be awaited. A function with
    a parameter `ctx` is handed the `JobContext`; an async function runs in a loop of its own.

    >>> from pluginkit.jobs import Pool
    >>> with Pool(2) as pool:
    ...     pool.submit(Job(pow, 2, 10)).result()
    1024
    """

    # Whoever deletes `_start` decides about the job that waits, whoever deletes `_finish` decides
    # what becomes of it: to delete an attribute is one step that only one thread can do.
    __slots__ = (
        "_args",
        "_context",
        "_finish",
        "_finished",
        "_fn",
        "_kwargs",
        "_more",
        "_number",
        "_options",
        "_owner",
        "_phase",
        "_pool",
        "_start",
        "_started",
        "_submitted",
        "_value",
        "_worker",
    )

    _fn: Callable[..., T]
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]
    _context: Context | None
    _more: More | None
    _number: int
    _options: Options | None
    _owner: str | None
    _phase: JobState
    _pool: Pool | None
    _start: None
    _finish: None
    _submitted: float
    _started: float
    _finished: float
    _value: Any
    _worker: Worker | None

    def __init__(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> None:
        if not callable(fn):
            raise UsageError(f"a job needs something to call, not {fn!r}")
        self._fn, self._args, self._kwargs = fn, args, kwargs
        self._phase = JobState.NEW
        self._pool = self._more = self._options = self._owner = self._worker = None

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name}: {self.state}>"

    # Wishes

    def with_retry(
        self,
        max_retries: int,
        delay: float = 0.0,
        *,
        backoff: float = 1.0,
        max_delay: float | None = None,
        jitter: float = 0.0,
        on: type[BaseException] | tuple[type[BaseException], ...] = BaseException,
    ) -> Self:
        """Try again after an exception of the type `on`: at most `max_retries` + 1 runs in all.

        Args:
            max_retries: how often to try again.
            delay: seconds between the first run and the second.
            backoff: each delay is this times the one before.
            max_delay: no delay is longer than these seconds.
            jitter: vary each delay by up to this part of it, 0 to 1.
            on: which exceptions; others end the job at once.
        """
        retrying(self._wishes(), max_retries, delay, backoff, max_delay, jitter, on)
        return self

    def with_timeout(self, timeout: float, cause: object = None) -> Self:
        """Allow `timeout` seconds from the first run's start; then the job ends as timed out.

        A function that does not look at its context goes on in its thread, and its result is dropped.
        """
        options = self._wishes()
        options.timeout, options.timeout_cause = seconds("timeout", timeout), cause
        return self

    def with_deadline(self, deadline: datetime | float, cause: object = None) -> Self:
        """Let the job end as timed out at that time: a datetime, or seconds of `time.monotonic()`."""
        options = self._wishes()
        if isinstance(deadline, bool) or not isinstance(deadline, datetime | float | int):
            raise UsageError(f"a deadline is a datetime, or seconds of time.monotonic(), not {deadline!r}")
        require_time(deadline)
        options.deadline, options.deadline_cause = deadline, cause
        return self

    def with_queue_timeout(self, timeout: float, cause: object = None) -> Self:
        """Let the job end as timed out if it has not begun `timeout` seconds after it was submitted."""
        options = self._wishes()
        options.queue_timeout, options.queue_timeout_cause = seconds("timeout", timeout), cause
        return self

    def with_priority(self, priority: int) -> Self:
        """Run before waiting jobs of a lower priority; others have 0."""
        if isinstance(priority, bool) or not isinstance(priority, int):
            raise UsageError(f"a priority is a whole number, not {priority!r}")
        self._wishes().priority = priority
        return self

    def _wishes(self) -> Options:
        if self._phase is not JobState.NEW:
            raise StateError(f"{self!r} was submitted already; say this before")
        if self._options is None:
            self._options = Options()
        return self._options

    # What it is

    @property
    def id(self) -> str:
        """A UUID of version 7: unique, and in the order of submission."""
        more = self._more
        if more is not None and more.id is not None:
            return more.id
        if self._pool is not None:
            return job_id(self._number, self._pool._numbering.salt, self._submitted)
        more = more_of(self)
        with more.condition:
            if more.id is None:
                more.id = job_id(_unsubmitted.next(), _unsubmitted.salt, time.monotonic())
            return more.id

    @property
    def name(self) -> str:
        """What it calls, for people; `?` when it is over, since it keeps nothing of that."""
        return name_of(getattr(self, "_fn", None))

    @property
    def owner(self) -> str | None:
        """The plugin whose job it is, or None for one of the host's own."""
        return self._owner

    @property
    def state(self) -> JobState:
        return self._phase

    @property
    def attempts(self) -> int:
        """How often the function has been called."""
        if self._options is not None:
            return self._options.attempts
        return 1 if hasattr(self, "_started") else 0

    @property
    def progress(self) -> Progress | None:
        """What the job said last of how far it is, by `ctx.progress(…)`."""
        return self._more.progress if self._more is not None else None

    @property
    def cause(self) -> object:
        """Why it was cancelled, as far as that was said."""
        return self._more.cause if self._more is not None else None

    @property
    def metrics(self) -> JobMetrics:
        """Its times, as they are now."""
        return JobMetrics.of(self)

    @property
    def failed(self) -> bool:
        """Whether it ended without a result; cancelled and timed out is failed, too."""
        return self._phase in FINAL and self._phase is not JobState.SUCCEEDED

    # As a future

    def done(self) -> bool:
        return self._phase in FINAL

    def running(self) -> bool:
        return self._phase in (JobState.RUNNING, JobState.RETRYING)

    def cancelled(self) -> bool:
        return self._phase is JobState.CANCELLED

    def cancel(self, cause: object = None) -> bool:
        """Cancel the job; gives whether there was still something to cancel.

        One that has not begun never runs. One that runs is told by its context (`ctx.check()`), and
        ends as cancelled when it raises; if it gives a result all the same, that counts.
        `cause`, an exception or a text, is in the error that waiting for the job raises.
        """
        return cancel(self, cause)

    def result(self, timeout: float | None = None) -> T:
        """The function's result, waiting for it up to `timeout` seconds.

        Raises:
            JobError: the function raised; that exception is the `__cause__`.
            JobCancelled, JobTimeout: it was cancelled, or its own time was over.
            TimeoutError: `timeout` is over, and the job goes on.
        """
        if self._phase not in FINAL:
            self._wait(timeout)
        if self._phase is not JobState.SUCCEEDED:
            raise self._value.again()
        return cast("T", self._value)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The `JobError` of a job that failed, else None; raises `JobCancelled` for a cancelled one."""
        if self._phase not in FINAL:
            self._wait(timeout)
        if self._phase is JobState.SUCCEEDED:
            return None
        if self._phase is JobState.CANCELLED:
            raise self._value.again()
        return cast("JobError", self._value.again())

    def outcome(self, timeout: float | None = None) -> JobResult[T]:
        """What became of it, error or not, as one value; waits as `result` does."""
        if self._phase not in FINAL:
            self._wait(timeout)
        return JobResult.of(self)

    def _wait(self, timeout: float | None) -> None:
        more = more_of(self)
        with more.condition:
            # The final state may come between the look and the wait only with a notice after it.
            if not more.condition.wait_for(lambda: self._phase in FINAL, timeout):
                raise TimeoutError(f"{self!r} has not ended within {timeout:g} s")

    def add_done_callback(self, fn: Callable[[Job[Any]], object]) -> None:
        """Have `fn(job)` called once when the job is over, in the thread that ends it, or now.

        It should be quick: that may be the thread that sees to the limits of all jobs.
        """
        more = more_of(self)
        with more.condition:
            if not more.is_settled and self._phase not in FINAL:
                more.callbacks.append(fn)
                return
        call_back(fn, self)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    # `concurrent.futures.wait` and `as_completed` look at these of a future; they are made when they do.
    if not TYPE_CHECKING:

        @property
        def _condition(self) -> threading.Condition:
            return more_of(self).condition

        @property
        def _state(self) -> str:
            return AS_FUTURE[self._phase]

        @property
        def _waiters(self) -> list[Any]:
            return more_of(self).waiters

    def set_running_or_notify_cancel(self) -> NoReturn:
        """Not for a job: its pool does that. Raises `UsageError`, as the two below."""
        raise UsageError("a job's state comes from its pool")

    def set_result(self, result: object) -> NoReturn:
        raise UsageError("a job's result is what its function returns")

    def set_exception(self, exception: BaseException | None) -> NoReturn:
        raise UsageError("a job's error is what its function raises")


def cancel(job: Job[Any], cause: object) -> bool:
    """See `Job.cancel`."""
    pool = job._pool
    if pool is not None:
        return pool._cancel(job, cause)
    more = more_of(job)
    with submitting:
        pool = job._pool
        if pool is None and job._phase is JobState.NEW:
            more.cancel_requested, more.cause = True, cause
            job._value = cancelled_error(job, cause)
            job._phase = JobState.CANCELLED
    if pool is not None:
        return pool._cancel(job, cause)
    if more.is_settled:
        return False
    more.settle(job)
    return True


def cancelled_error(job: Job[Any], cause: object) -> JobCancelled:
    """The error of a cancelled job."""
    error = JobCancelled(f"{job.name} was cancelled{because(cause)}", job_id=job.id)
    error.cause = cause
    if isinstance(cause, BaseException):
        error.__cause__ = cause
    return error


def name_of(fn: object) -> str:
    """What a callable is called, for people.

    >>> name_of(name_of), name_of(print)
    ('name_of', 'print')
    """
    if fn is None:
        return "?"
    try:
        inner = getattr(fn, "func", fn)  # a partial's own function
        return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)
    except Exception:  # an object may answer anything; that must not cost a worker
        return type(fn).__qualname__
