"""Ids of jobs: UUIDs of version 7, unique, and in the order in which the jobs were made.

An id is worked out only when somebody asks for it, from the job's number and time.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid

# A clock that is set back must not make later jobs earlier.
_EPOCH = time.time() - time.monotonic()


class Numbering:
    """Numbers for jobs, 1, 2, 3, …, and a salt that tells these from the numbers of others."""

    def __init__(self) -> None:
        self.salt = int.from_bytes(os.urandom(4), "big")
        self.next = itertools.count(1).__next__


def job_id(number: int, salt: int, made_at: float) -> str:
    """The id of the job with that number, made at `made_at` seconds of the monotonic clock.

    >>> first, second = job_id(1, 99, 5.0), job_id(2, 99, 5.0)
    >>> first < second, uuid.UUID(first).version, first == job_id(1, 99, 5.0)
    (True, 7, True)
    """
    milliseconds = int((_EPOCH + made_at) * 1000) & (2**48 - 1)
    # The number comes before what is random, so that jobs of one millisecond keep their order.
    high, low = (number >> 30) & 0xFFF, number & (2**30 - 1)
    value = milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 32 | salt
    return str(uuid.UUID(int=value))
