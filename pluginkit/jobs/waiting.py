"""What a job needs only when somebody waits for it, cancels it or follows it: made at that moment.

The worker sets the final state and then looks whether there is a `More`; who waits makes the `More`
and then looks at the state. So one of the two always sees the other, and no job pays for a lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job

_making = threading.Lock()
submitting = threading.Lock()
"""Held while a job that nobody has submitted yet becomes a pool's, or is cancelled."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job says it is: `done` of `total`, which is None if it is not known."""

    done: float
    total: float | None = None
    note: str = ""

    def __str__(self) -> str:
        share = f"{self.done:g}" if self.total is None else f"{self.done:g}/{self.total:g}"
        return f"{share} {self.note}".rstrip()


class More:
    """The rare half of one job."""

    __slots__ = (
        "callbacks",
        "cancel_requested",
        "cause",
        "condition",
        "id",
        "is_settled",
        "is_stopping",
        "progress",
        "waiters",
    )

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.waiters: list[Any] = []
        self.callbacks: list[Callable[[Job[Any]], object]] = []
        self.is_stopping = False
        self.cancel_requested = False
        self.cause: object = None
        self.progress: Progress | None = None
        self.id: str | None = None
        self.is_settled = False

    def settle(self, job: Job[Any]) -> None:
        """Tell all that wait for the job that it is over; once."""
        with self.condition:
            if self.is_settled:
                return
            self.is_settled = True
            self.is_stopping = True
            for waiter in self.waiters:
                # These are of `concurrent.futures.wait` and `as_completed`.
                if job.cancelled():
                    waiter.add_cancelled(job)
                elif job.failed:
                    waiter.add_exception(job)
                else:
                    waiter.add_result(job)
            callbacks, self.callbacks = self.callbacks, []
            self.condition.notify_all()
        for callback in callbacks:
            call_back(callback, job)

    def stop(self) -> None:
        """Let a running job's waits end: it should, or it is over."""
        with self.condition:
            self.is_stopping = True
            self.condition.notify_all()

    def wait_for_stop(self, timeout: float | None = None) -> None:
        """Wait for that, `timeout` seconds at most."""
        with self.condition:
            self.condition.wait_for(lambda: self.is_stopping, timeout)


def more_of(job: Job[Any]) -> More:
    """The job's `More`; made if it has none."""
    more = job._more
    if more is None:
        with _making:
            more = job._more
            if more is None:
                more = job._more = More()
    return more


def call_back(callback: Callable[[Job[Any]], object], job: Job[Any]) -> None:
    """Call somebody's callback; what it raises is logged and stops nothing."""
    try:
        callback(job)
    except BaseException as error:
        if not isinstance(error, Exception) and threading.current_thread() is threading.main_thread():
            raise  # Ctrl-C, and not in one of our threads
        logging.getLogger("pluginkit").exception("the callback %r of %r failed", callback, job)
