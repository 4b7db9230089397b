"""What can be put, as the bytes that lie in the file."""

from __future__ import annotations

from pluginkit.errors import UsageError
from pluginkit.queue.protocol import Puttable, Record

LARGEST = 999_000_000
"""Bytes of one record: a little less than SQLite's own limit."""


def body_of(record: Puttable) -> bytes:
    """The bytes of a record; text becomes UTF-8, a lone surrogate in it an escape. Raises `UsageError`."""
    if isinstance(record, bytes):
        body = record
    elif isinstance(record, str):
        body = record.encode("utf-8", "backslashreplace")
    elif isinstance(record, Record):
        body = bytes(record.queued())
    else:
        kind = type(record).__name__
        raise UsageError(
            f"a record is bytes, text or an object with queued() -> bytes, not {kind}: {record!r:.80}"
        )
    if len(body) > LARGEST:
        raise UsageError(f"a record has at most {LARGEST} bytes, not {len(body)}; put where it lies instead")
    return body
