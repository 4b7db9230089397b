"""The states of a job. Each is entered at most once, but for `RUNNING` and `RETRYING`, which take turns."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is in its life; the last four are final.

    >>> JobState.TIMED_OUT.is_final, JobState.RETRYING.is_final
    (True, False)
    """

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT})

# What `concurrent.futures` calls them, where it looks into a future itself.
AS_FUTURE = {
    JobState.NEW: "PENDING",
    JobState.QUEUED: "PENDING",
    JobState.RUNNING: "RUNNING",
    JobState.RETRYING: "RUNNING",
    JobState.SUCCEEDED: "FINISHED",
    JobState.FAILED: "FINISHED",
    JobState.TIMED_OUT: "FINISHED",
    JobState.CANCELLED: "CANCELLED_AND_NOTIFIED",
}
