"""`LoggerJob`: a record that is put into the queue now and logged later."""

from __future__ import annotations

from typing import Any

from pluginkit.logs.entry import Entry


class LoggerJob:
    """A message for the log, by way of a queue: `queue.put(LoggerJob("info", "fed", cat=1))`.

    It is logged at that level, with the time, the thread and the line at which it was made.
    Fields are given as keywords, or as names and values in turn. An unknown level is `info`.

    >>> LoggerJob("warn", "hungry", "cat", 1, since=8).entry.fields
    {'cat': 1, 'since': 8}
    """

    __slots__ = ("entry",)

    def __init__(self, level: str, message: str, /, *pairs: Any, **fields: Any) -> None:
        if len(pairs) % 2:
            raise TypeError(f"names and values go in pairs; the name {pairs[-1]!r} has no value")
        named = {str(name): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
        self.entry = Entry.made(level, message, {**named, **fields}, depth=1)

    def queued(self) -> bytes:
        """How it lies in the queue: one JSON object."""
        return self.entry.json().encode()

    def __repr__(self) -> str:
        return f"LoggerJob({self.entry.level!r}, {self.entry.message!r})"
