"""What a sink is, and the sinks that are made of a function or of a handler of `logging`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from pluginkit.logs.entry import Entry


class Sink(Protocol):
    """Where records end. The chain calls a sink from one thread at a time, and isolates what it raises.

    `write` takes all records or raises, then all of them come again; who knows better raises
    `PartlyWritten`.
    """

    def write(self, entries: Sequence[Entry]) -> None: ...

    def close(self) -> None: ...


class PartlyWritten(Exception):
    """The first `count` records were written; `__cause__` says why the others were not."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} records were written")
        self.count = count


class FunctionSink:
    """Calls a function with each record; a handler of `logging` gets it as a `LogRecord`."""

    def __init__(self, target: Callable[[Entry], object] | logging.Handler) -> None:
        self._target = target

    def write(self, entries: Sequence[Entry]) -> None:
        target = self._target
        for count, entry in enumerate(entries):
            try:
                if isinstance(target, logging.Handler):
                    _handle(target, entry)
                else:
                    target(entry)
            except Exception as error:
                raise PartlyWritten(count) from error

    def close(self) -> None:
        if isinstance(self._target, logging.Handler):
            self._target.flush()


def _handle(handler: logging.Handler, entry: Entry) -> None:
    path, _, line = entry.caller.rpartition(":")
    record = logging.LogRecord(
        entry.module or "root",
        entry.number,
        path,
        int(line) if line.isdigit() else 0,
        entry.message,
        None,
        None,
        entry.function or None,
    )
    record.created = datetime.fromisoformat(entry.time).timestamp()
    record.msecs = record.created % 1 * 1000
    record.threadName, record.process = entry.thread, entry.process
    record.exc_text = entry.exception
    for name, value in entry.fields.items():
        # What a record has already (name, args, …) cannot be a field of a handler's format.
        record.__dict__.setdefault(name, value)
    if record.levelno >= handler.level:
        handler.handle(record)
