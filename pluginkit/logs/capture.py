"""What plugins say by other ways than loguru: `logging`, print, warnings.

Everything that is put in place here is taken away again by `undo`, and only if it is still there.
What is printed or warned of goes on to where it went; the log gets it as well. Code inside of a
sink is passed through unlogged, so that a sink that prints does not feed itself.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections import deque
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from pluginkit.errors import passes_through
from pluginkit.logs import fields as names
from pluginkit.logs import origin
from pluginkit.logs.entry import Entry, exception_text, now
from pluginkit.logs.guard import is_inside_a_sink
from pluginkit.logs.levels import level_of

if TYPE_CHECKING:
    from pluginkit.logs.chain import LogChain

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "exc_text"}
_LONGEST_LINE = 65_536


class Capture:
    """The captures of one chain, in place from its making until `undo` or the end of its `with` block."""

    def __init__(self, chain: LogChain, *, stdlib: bool, streams: bool, warnings: bool) -> None:
        self._chain = chain
        self._handlers: list[tuple[logging.Logger, logging.Handler, int]] = []
        self._streams: list[tuple[str, _Tee]] = []
        self._show: Any = None
        self._is_undone = False
        if stdlib:
            self._take_logging()
        if streams:
            for name in ("stdout", "stderr"):
                tee = _Tee(getattr(sys, name), chain, name)
                setattr(sys, name, tee)
                self._streams.append((name, tee))
        if warnings:
            self._take_warnings()

    def _take_logging(self) -> None:
        own = logging.getLogger("pluginkit")
        # The command line shows pluginkit's own records itself, and keeps them from the root.
        for logger in [logging.getLogger(), *([] if own.propagate else [own])]:
            handler = _Handler(self._chain, is_alone=not logger.handlers)
            self._handlers.append((logger, handler, logger.level))
            logger.addHandler(handler)
        self.level_changed(self._chain._rules.lowest)

    def level_changed(self, lowest: int) -> None:
        """Let `logging` pass what the chain may keep."""
        for logger, _, before in self._handlers:
            logger.setLevel(min(before, lowest) if before else lowest)

    def _take_warnings(self) -> None:
        before, chain = warnings.showwarning, self._chain

        def show(
            message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None
        ) -> None:
            before(message, category, filename, lineno, file, line)
            if file is None and not is_inside_a_sink():
                _log_warning(chain, message, category, str(filename), lineno, sys._getframe(1))

        self._show = (before, show)
        warnings.showwarning = show

    def undo(self) -> None:
        """Take everything away again; further calls do nothing."""
        if self._is_undone:
            return
        self._is_undone = True
        for logger, handler, level in self._handlers:
            logger.removeHandler(handler)
            logger.setLevel(level)
        for name, tee in self._streams:
            tee.finish()
            if getattr(sys, name) is tee:
                setattr(sys, name, tee.stream)
        if self._show is not None and warnings.showwarning is self._show[1]:
            warnings.showwarning = self._show[0]
        if self in self._chain._captures:
            self._chain._captures.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()


class _Handler(logging.Handler):
    """Records of `logging` become entries."""

    def __init__(self, chain: LogChain, *, is_alone: bool) -> None:
        super().__init__(0)
        self._chain = chain
        # Where nobody set a handler up, `logging` shows warnings on stderr. They still appear there.
        self._last_resort = logging.lastResort if is_alone else None

    def createLock(self) -> None:  # noqa: N802  # the standard library names it
        """None is needed: the chain's sinks have their own, and may be entered again."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        kept = bool(self.filter(record))
        if kept:
            self.emit(record)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        last = self._last_resort
        if last is not None and record.levelno >= last.level and not self._chain.has_console:
            last.handle(record)
        try:
            self._chain.deliver(_entry_of(record, self._chain))
        except BaseException as error:
            if passes_through(error):
                raise
            self.handleError(record)


def _entry_of(record: logging.LogRecord, chain: LogChain) -> Entry:
    fields = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
    plugin = origin.plugin_of_logger(record.name)
    if plugin is not None:
        fields.setdefault(names.PLUGIN, plugin)
    error = record.exc_info[1] if record.exc_info else None
    moment = datetime.fromtimestamp(record.created, UTC).astimezone()
    try:
        message = record.getMessage()
    except Exception as broken:  # arguments that do not fit the format
        message = f"{record.msg!r} with {len(record.args or ())} arguments: {type(broken).__name__}"
    return Entry(
        moment.isoformat(timespec="microseconds"),
        level_of(record.levelno),
        message,
        record.name,
        f"{record.filename}:{record.lineno}",
        record.funcName or "",
        record.threadName or "",
        record.process or 0,
        chain.fields_here(sys._getframe(3), fields),
        exception_text(error) if error is not None else record.exc_text,
    )


def _log_warning(
    chain: LogChain, message: Any, category: type[Warning], filename: str, line: int, frame: FrameType
) -> None:
    fields = chain.fields_here(frame, {"category": category.__name__, names.STREAM: "warnings"})
    caller = f"{filename.rpartition('/')[2]}:{line}"
    thread = threading.current_thread().name
    chain.deliver(Entry(now(), "warn", str(message), "py.warnings", caller, "", thread, os.getpid(), fields))


# `print` borrows `sys.stdout`, and writes to it twice. If another thread puts the former stream back in
# between, and nobody else held this one, the second write ends the process with a segmentation fault.
_kept: deque[_Tee] = deque(maxlen=32)


class _Tee:
    """A stream that passes everything on, and logs the lines that plugins write."""

    def __init__(self, stream: TextIO, chain: LogChain, name: str) -> None:
        self.stream = stream
        self._chain = chain
        self._name = name
        self._begun: dict[tuple[int, Any], tuple[str, dict[str, Any]]] = {}
        self._is_finished = False
        _kept.append(self)

    def write(self, text: str) -> int:
        written = self.stream.write(text)
        if not self._is_finished and not is_inside_a_sink():
            self._note(text, sys._getframe(1))
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def _note(self, text: str, frame: FrameType) -> None:
        fields = origin.printed_by(frame, self._chain._whose)
        if not fields:
            return
        key = (threading.get_ident(), fields.get(names.GENERATION))
        begun, _ = self._begun.pop(key, ("", {}))
        *lines, rest = (begun + text).split("\n")
        if rest:
            if len(rest) > _LONGEST_LINE:
                lines, rest = [*lines, rest], ""
            else:
                self._begun[key] = (rest, fields)
        for line in lines:
            self._log(line, fields, frame)

    def _log(self, line: str, fields: dict[str, Any], frame: FrameType | None) -> None:
        if not line.strip():
            return
        level = "info" if self._name == "stdout" else "warn"
        caller = (
            f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}" if frame is not None else ""
        )
        module = (frame.f_globals.get("__name__") or "") if frame is not None else ""
        function = frame.f_code.co_name if frame is not None else ""
        named = self._chain.fields_here(frame, {**fields, names.STREAM: self._name})
        thread = threading.current_thread().name
        self._chain.deliver(Entry(now(), level, line, module, caller, function, thread, os.getpid(), named))

    def finish(self) -> None:
        """Log lines that were begun and not ended, and log no more."""
        for key in list(self._begun):
            line, fields = self._begun.pop(key, ("", {}))
            self._log(line, fields, None)
        self._is_finished = True

    def __iter__(self) -> Any:
        return iter(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
