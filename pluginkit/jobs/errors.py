"""What can go wrong with a job, or with handing one in."""

from __future__ import annotations

import queue
from concurrent.futures import CancelledError

from pluginkit.errors import PluginkitError, UsageError


class JobError(PluginkitError):
    """A job did not give a result. `__cause__` is what its function raised, if it did.

    `traceback` is the text of that exception's traceback: the frames themselves are let go, with
    all that they would keep alive.
    """

    def __init__(self, message: str, *, job_id: str = "", traceback: str = "") -> None:
        super().__init__(message)
        self.job_id = job_id
        self.traceback = traceback
        if traceback:
            self.add_note(traceback.rstrip())

    def again(self) -> JobError:
        """The same error to be raised once more: one that was raised keeps the frames it went through."""
        fresh = type(self).__new__(type(self))
        fresh.args = self.args
        fresh.__dict__.update(self.__dict__)
        fresh.__cause__ = self.__cause__
        return fresh


class JobCancelled(JobError, CancelledError):
    """A job was cancelled; `cause` is what was given for it, and `__cause__` too if it is an exception."""

    cause: object = None


class JobTimeout(JobError, TimeoutError):
    """A job took, or waited, longer than it may; `cause` is what was given for that."""

    cause: object = None


class PoolClosed(UsageError, RuntimeError):
    """A job was handed to a pool that takes no more."""


class PoolFull(PluginkitError, queue.Full):
    """There was no room for a job in time."""


class NotPortable(UsageError, TypeError):
    """A job cannot be sent to where the pool runs its jobs."""


def because(cause: object) -> str:
    """The end of a sentence that gives a cause, or nothing.

    >>> because("the host closes"), because(None)
    (': the host closes', '')
    """
    return "" if cause is None else f": {cause}"
