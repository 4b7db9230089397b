"""What a job may be told beyond its function: retries, limits of time, priority."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UsageError

if TYPE_CHECKING:
    from pluginkit.jobs.timers import Entry

SHORT_DELAY = 0.05
"""Seconds; a worker waits out shorter delays itself, for longer ones it takes other jobs."""


@dataclass(slots=True)
class Options:
    """The wishes of one job, and how often it has been tried."""

    max_retries: int = 0
    delay: float = 0.0
    backoff: float = 1.0
    max_delay: float | None = None
    jitter: float = 0.0
    on: type[BaseException] | tuple[type[BaseException], ...] = BaseException
    timeout: float | None = None
    timeout_cause: object = None
    deadline: datetime | float | None = None
    deadline_cause: object = None
    queue_timeout: float | None = None
    queue_timeout_cause: object = None
    priority: int = 0
    wants_context: bool = False
    attempts: int = 0
    # Monotonic seconds; set when it is submitted, and when it first runs.
    ends_at: float | None = None
    run_ends_at: float | None = None
    timers: list[Entry] | None = None
    # Is shown each attempt's result, and raises what makes it a failure that is to be tried again.
    judge: Callable[[Any, Options], None] | None = None

    def wait_before_retry(self) -> float:
        """Seconds from the attempt that has just failed to the next."""
        try:
            wait = self.delay * self.backoff ** (self.attempts - 1) if self.delay else 0.0
        except OverflowError:
            wait = float("inf")
        if self.max_delay is not None:
            wait = min(wait, self.max_delay)
        if self.jitter:
            wait *= 1 + random.uniform(-self.jitter, self.jitter)  # noqa: S311  # no secret
        return wait

    def may_retry(self, error: BaseException) -> bool:
        return self.attempts <= self.max_retries and isinstance(error, self.on)

    def limit_reached(self) -> str | None:
        """Which of the limits is over, if one is."""
        now = time.monotonic()
        if self.run_ends_at is not None and now >= self.run_ends_at:
            return "timeout"
        return "deadline" if self.ends_at is not None and now >= self.ends_at else None

    def remaining(self) -> float | None:
        """Seconds until the job's time is over; None if it has no limit."""
        ends = [end for end in (self.ends_at, self.run_ends_at) if end is not None]
        return min(ends) - time.monotonic() if ends else None


def retrying(
    options: Options,
    max_retries: int,
    delay: float,
    backoff: float,
    max_delay: float | None,
    jitter: float,
    on: type[BaseException] | tuple[type[BaseException], ...],
) -> None:
    """Set the retries; raises `UsageError` for what makes no sense."""
    if type(max_retries) is not int or max_retries < 0:
        raise UsageError(f"max_retries must be a whole number of at least 0, not {max_retries!r}")
    if not backoff >= 1:
        raise UsageError(f"backoff must be at least 1 (1: the same delay each time), not {backoff!r}")
    if not 0 <= jitter <= 1:
        raise UsageError(f"jitter must be from 0 to 1 (a part of the delay), not {jitter!r}")
    kinds: tuple[Any, ...] = on if isinstance(on, tuple) else (on,)
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        raise UsageError(f"on must be an exception's class, or a tuple of some, not {on!r}")
    options.delay = seconds("delay", delay)
    options.max_delay = None if max_delay is None else seconds("max_delay", max_delay)
    options.max_retries, options.backoff = max_retries, float(backoff)
    options.jitter, options.on = jitter, on


def seconds(name: str, value: float) -> float:
    """A length of time; raises `UsageError` for one that is negative or no number."""
    if type(value) not in (int, float) or not value >= 0:
        raise UsageError(f"{name} must be a number of seconds of at least 0, not {value!r}")
    return float(value)


def require_time(deadline: datetime | float) -> None:
    """Raise `UsageError` for a deadline that is no time: NaN, or a datetime that no clock can show."""
    try:
        is_time = as_monotonic(deadline) == as_monotonic(deadline) or isinstance(deadline, datetime)
    except (OverflowError, ValueError, OSError):
        is_time = False
    if not is_time:
        raise UsageError(f"the deadline {deadline!r} is no time")


def as_monotonic(deadline: datetime | float) -> float:
    """A deadline by the clock that nobody sets. A datetime without a time zone is local time."""
    if isinstance(deadline, datetime):
        return time.monotonic() + deadline.timestamp() - time.time()
    return deadline
