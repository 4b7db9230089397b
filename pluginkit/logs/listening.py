"""The place of a log chain in loguru.

loguru calls a handler's filter outside of the handler's lock, and before it formats. The listener
stands there: it hands the record on and lets loguru's own handler write nothing. So a sink, a
signal handler or a `__del__` may log (loguru refuses that under its lock), no sink waits for
another's lock, and nothing is formatted twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from pluginkit.errors import describe_exception, passes_through
from pluginkit.logs.entry import Entry, exception_text
from pluginkit.logs.guard import on_stderr
from pluginkit.logs.importing import when_imported

_SEEN = "pluginkit_listener"
"""In loguru's record: which listener has it already. While levels change, two handlers see it."""


class Listener:
    """A handler of loguru that gives each record to `take`, from the level `lowest()` on."""

    def __init__(self, take: Callable[[Any, FrameType], None], lowest: Callable[[], int]) -> None:
        self._give = take
        self._lowest = lowest
        self._handler: int | None = None
        self._leave: Callable[[], None] | None = None
        self._took_default = False

    def begin(self) -> None:
        """Listen as soon as somebody imports loguru. Further calls do nothing."""
        if self._leave is None:
            self._leave = when_imported("loguru", self._add)

    def level_changed(self) -> None:
        """Be a handler of the present level."""
        if self._handler is not None:
            self._add()

    def take_default(self) -> None:
        """Put loguru's own handler on stderr, if it is still there, out of service."""
        from loguru import logger

        with suppress(ValueError):  # the program has removed it itself
            logger.remove(0)
            self._took_default = True

    def end(self) -> None:
        """Hear no more."""
        if self._leave is not None:
            self._leave()
        self._remove(self._handler)

    def give_default_back(self) -> None:
        """Let loguru write to stderr again, if that was taken from it."""
        if self._took_default:
            from loguru import logger

            logger.add(sys.stderr)

    def _add(self) -> None:
        from loguru import logger

        before = self._handler
        # The new one before the old one goes: no record passes between them.
        self._handler = logger.add(
            _nowhere, level=self._lowest(), filter=self._take, format="", catch=True, colorize=False
        )
        self._remove(before)

    @staticmethod
    def _remove(handler: int | None) -> None:
        if handler is not None:
            from loguru import logger

            with suppress(ValueError):  # the program has removed all handlers
                logger.remove(handler)

    def _take(self, record: Any) -> bool:
        """Take loguru's record; the answer keeps loguru from writing it."""
        if record.get(_SEEN) is self:
            return False
        record[_SEEN] = self
        try:
            self._give(record, sys._getframe(1))
        except BaseException as error:
            if passes_through(error):
                raise
            on_stderr(f"a log record could not be taken: {describe_exception(error)}")
        return False


def entry_of(record: Any, level: str, fields: Mapping[str, Any]) -> Entry:
    """Loguru's record with these fields as an entry."""
    exception = record["exception"]
    text = None
    if exception is not None and exception.value is not None:
        text = exception_text(exception.value, exception.traceback)
    return Entry(
        record["time"].isoformat(),
        level,
        record["message"],
        record["name"] or "",
        f"{record['file'].name}:{record['line']}",
        record["function"],
        record["thread"].name,
        record["process"].id,
        fields,
        text,
    )


def _nowhere(message: str) -> None:
    """Loguru's handler needs a sink; the filter in front of it lets nothing pass."""
