"""`LogChain`: loguru in front, any number of sinks behind, a queue between them where that is wanted.

loguru calls a handler's filter outside of the handler's lock, and before it formats. The chain
stands there: it makes one `Entry` of the record, gives it to each sink, and lets loguru's own
handler write nothing. So a sink, a signal handler or a `__del__` may log (loguru refuses that
under its lock), no sink waits for another's lock, and nothing is formatted twice.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NewType, Self, TextIO, cast

from pluginkit.errors import UnknownName, describe_exception, passes_through
from pluginkit.logs import fields as names
from pluginkit.logs import origin
from pluginkit.logs.console import ConsoleSink
from pluginkit.logs.entry import Entry, exception_text
from pluginkit.logs.files import FileSink
from pluginkit.logs.guard import Guard, is_inside_a_sink, on_stderr
from pluginkit.logs.levels import LevelRules, level_named, level_of
from pluginkit.logs.sinks import FunctionSink, Sink

if TYPE_CHECKING:
    from loguru import Logger

    from pluginkit.logs.capture import Capture
    from pluginkit.logs.queued import AsyncPath
    from pluginkit.queue.protocol import RecordQueue

SinkId = NewType("SinkId", int)
"""What `add_…` gives, for `remove`."""

_SEEN = "pluginkit_chains"
"""In loguru's record: which chains have taken it. While levels change, two handlers see it."""


@dataclass(frozen=True, slots=True)
class SinkStats:
    """How one sink fares: `lost` records it could not take, `waiting` are tried again."""

    name: str
    failures: int
    lost: int
    waiting: int
    last_error: str


@dataclass(frozen=True, slots=True)
class LogStats:
    """How the chain fares. `queue` holds the counts of the queue, `direct` (logged without it) among them."""

    sinks: tuple[SinkStats, ...]
    queue: Mapping[str, int] = field(default_factory=dict)


class LogChain:
    """The log of a program: records of its loguru logger, of plugins, of `LoggerJob`s, to many sinks.

    It should live as long as the program does; `close` gives everything back that it has taken.
    `level` is the least severe level that is kept: trace, debug, info, warn or error.

    >>> seen = []
    >>> with LogChain("zoo") as chain:
    ...     _ = chain.add_sink(lambda entry: seen.append((entry.level, entry.message, entry.fields["cats"])))
    ...     chain.logger.bind(cats=3).info("fed")
    ...     chain.logger.debug("not kept")
    >>> seen
    [('info', 'fed', 3)]
    """

    def __init__(self, app_name: str, level: str = "info") -> None:
        self.app_name = app_name
        self._rules = LevelRules(level)
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._guards: dict[SinkId, Guard] = {}
        self._paths: dict[SinkId, AsyncPath] = {}
        self._targets: tuple[Guard | AsyncPath, ...] = ()
        self._contexts: tuple[Callable[[], Mapping[str, Any]], ...] = ()
        self._whose: origin.Whose = origin.by_generation
        self._names_plugins = False
        self._captures: list[Capture] = []
        self._handler: int | None = None
        self._took_default = False
        self._is_closed = False
        _chains.add(self)
        atexit.register(_close_at_exit, weakref.ref(self))

    @property
    def logger(self) -> Logger:
        """The program's loguru logger, which this chain listens to."""
        from loguru import logger

        return logger

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def has_console(self) -> bool:
        """Whether some sink shows records on a stream."""
        return any(isinstance(guard.sink, ConsoleSink) for guard in tuple(self._guards.values()))

    # Sinks

    def add_console(
        self,
        stream: TextIO | None = None,
        *,
        colour: bool | None = None,
        json: bool = False,
        location: bool = True,
        level: str = "trace",
    ) -> SinkId:
        """Write lines for people, or JSON, to a stream; without one to `sys.stderr`.

        `colour` None means on a terminal, unless NO_COLOR is set. `location` names file and line
        of the caller. loguru's own handler on stderr, if it is still there, is put out of service
        until `close`.
        """
        self._take_default()
        return self._add(ConsoleSink(stream, colour=colour, json=json, location=location), "console", level)

    def add_file(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 2_000_000,
        max_backups: int = 0,
        max_age_days: float = 0,
        compress: bool = False,
        location: bool = True,
        level: str = "trace",
    ) -> SinkId:
        """Write JSON lines to a file, which is rotated at `max_bytes` (0 = never).

        Of the rotated files the newest `max_backups` are kept, and none longer than
        `max_age_days`; 0 is no limit, both hold at once. `compress` makes them `.gz`. Directories
        are created. The call that logs writes to the file itself, in one `write`.
        """
        sink = FileSink(
            path,
            max_bytes=max_bytes,
            max_backups=max_backups,
            max_age_days=max_age_days,
            compress=compress,
            location=location,
        )
        return self._add(sink, str(path), level)

    def add_sink(
        self,
        target: Sink | Callable[[Entry], object] | logging.Handler,
        *,
        name: str | None = None,
        level: str = "trace",
    ) -> SinkId:
        """Give records to a function, to a handler of `logging`, or to an object with `write` and `close`."""
        sink, given = _sink_of(target)
        return self._add(sink, name or given, level)

    def asynchronous(
        self,
        queue: RecordQueue,
        sinks: Iterable[Sink | Callable[[Entry], object] | logging.Handler],
        *,
        attempts: int = 5,
        batch: int = 500,
        level: str = "trace",
    ) -> SinkId:
        """Put records into a queue, and write them from there to `sinks` in a thread of their own.

        A call that logs returns when the queue has the record. `FileSink`s get each record exactly once,
        whenever the process is killed; others at least once, with `record_id` to drop doubles
        by. A sink that fails `attempts` times gets the record no more: it is a dead letter of
        the queue. `close` waits for the queue to be written, but does not close it.
        """
        from pluginkit.logs.queued import AsyncPath

        guards = []
        for target in sinks:
            sink, name = _sink_of(target)
            if isinstance(sink, FileSink):
                sink._background = False
            guards.append(Guard(sink, name, level_named(level), self._tell))
        path = AsyncPath(queue, guards, self._tell, attempts=attempts, batch=batch)
        with self._lock:
            self._require_open()
            key = SinkId(next(self._ids))
            self._paths[key] = path
            self._renew()
        return key

    def remove(self, sink: SinkId, *, timeout: float = 1.0) -> None:
        """Take a sink out and close it; what it has taken is written. Raises `UnknownName`."""
        with self._lock:
            guard, path = self._guards.pop(sink, None), self._paths.pop(sink, None)
            self._renew()
        if guard is None and path is None:
            raise UnknownName("log sink", str(sink), map(str, [*self._guards, *self._paths]))
        if guard is not None:
            guard.close(timeout)
        if path is not None:
            _close_path(path, timeout)

    def _add(self, sink: Sink, name: str, level: str) -> SinkId:
        guard = Guard(sink, name, level_named(level), self._tell)
        with self._lock:
            self._require_open()
            key = SinkId(next(self._ids))
            self._guards[key] = guard
            self._renew()
        return key

    def _renew(self) -> None:
        """Have the tuple that calls read hold what there is now; the lock is held."""
        self._targets = (*self._guards.values(), *self._paths.values())
        if self._targets and self._handler is None:
            self._listen()

    def _require_open(self) -> None:
        if self._is_closed:
            from pluginkit.errors import StateError

            raise StateError("this log chain is closed; make a new one")

    # Levels

    def set_level(self, name: str, level: str | None) -> None:
        """From which level on records of a plugin or logger are kept, from now on.

        `name` is a plugin, a logger or a module with all below it; `""` is everything that has no
        level of its own. None as `level` takes the name's own away.
        """
        with self._lock:
            before = self._rules.lowest
            self._rules.set(name, level)
            if self._handler is not None and self._rules.lowest != before:
                self._listen()
            for capture in self._captures:
                capture.level_changed(self._rules.lowest)

    def levels(self) -> Mapping[str, str]:
        """Name → level; the one for everything else has the name `""`."""
        return self._rules.as_mapping()

    # Records

    def log(self, level: str, message: str, /, **fields: Any) -> None:
        """Log without loguru: for a program's own adapters."""
        self.deliver(Entry.made(level, message, fields, depth=1))

    def deliver(self, entry: Entry) -> None:
        """Give a record to all sinks whose level it has. Raises nothing of a sink."""
        if not self._rules.keeps(entry.number, entry.module, entry.plugin):
            return
        for target in self._targets:
            target.write(entry)

    def add_context(self, context: Callable[[], Mapping[str, Any]]) -> Callable[[], None]:
        """Have each record carry the fields that `context()` gives where it is logged; gives the undo."""
        self._contexts = (*self._contexts, context)

        def undo() -> None:
            self._contexts = tuple(one for one in self._contexts if one is not context)

        return undo

    def name_plugins(self, whose: origin.Whose | None = None) -> None:
        """Have records that plugins' code logs carry the plugin, its version and generation, and the hook.

        `whose` maps a generation to those fields; without it they are the generation's own.
        """
        self._names_plugins = True
        self._whose = whose or origin.by_generation

    def fields_here(self, frame: FrameType | None, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of a record that this code logs: the plugin's and the context's, then its own."""
        if not self._contexts and not self._names_plugins:
            return given
        fields: dict[str, Any] = {}
        if self._names_plugins:
            fields.update(origin.origin_of(frame, self._whose))
        for context in self._contexts:
            try:
                fields.update(context())
            except Exception as error:
                fields["context_error"] = describe_exception(error)
        fields.update(given)
        return fields

    def capture(self, *, stdlib: bool = True, streams: bool = True, warnings: bool = True) -> Capture:
        """Have the records of `logging`, what plugins print, and warnings arrive here, with the plugin's name.

        Gives a context manager, which has begun already; its end, or `undo()`, restores all. What is
        printed and warned of still appears where it did.
        """
        from pluginkit.logs.capture import Capture

        if not self._names_plugins:
            self.name_plugins()
        capture = Capture(self, stdlib=stdlib, streams=streams, warnings=warnings)
        self._captures.append(capture)
        return capture

    def _listen(self) -> None:
        """Be a handler of loguru from the lowest level on; each record passes once while it changes."""
        before = self._handler
        self._handler = self.logger.add(
            _nowhere, level=self._rules.lowest, filter=self._take, format="", catch=True, colorize=False
        )
        if before is not None:
            with suppress(ValueError):
                self.logger.remove(before)

    def _take(self, record: Any) -> bool:
        """Loguru's record becomes an entry and goes to the sinks; the answer keeps loguru from writing it."""
        if record.get(_SEEN) is self:
            return False
        record[_SEEN] = self
        try:
            self._taken(record)
        except BaseException as error:
            if passes_through(error):
                raise
            on_stderr(f"a log record could not be taken: {describe_exception(error)}")
        return False

    def _taken(self, record: Any) -> None:
        number, module = record["level"].no, record["name"] or ""
        given = record["extra"]
        if self._contexts or self._names_plugins:
            given = self.fields_here(sys._getframe(2), given)
        if not self._rules.keeps(number, module, given.get(names.PLUGIN)):
            return
        exception = record["exception"]
        text = None
        if exception is not None and exception.value is not None:
            text = exception_text(exception.value, exception.traceback)
        entry = Entry(
            record["time"].isoformat(),
            level_of(number),
            record["message"],
            module,
            f"{record['file'].name}:{record['line']}",
            record["function"],
            record["thread"].name,
            record["process"].id,
            given,
            text,
        )
        for target in self._targets:
            target.write(entry)

    def _tell(self, text: str, about: Guard | None) -> None:
        """Say something about the chain itself: to all sinks but the one that it is about, or on stderr."""
        entry = Entry.made("warn", text, depth=1)
        healthy = [guard for guard in self._guards.values() if guard is not about and not guard.last_error]
        for guard in healthy:
            guard.write(entry)
        if not healthy:
            on_stderr(text)

    def _take_default(self) -> None:
        try:
            self.logger.remove(0)
        except ValueError:  # the program has removed it itself
            return
        self._took_default = True

    # The end

    def complete(self, timeout: float = 10.0) -> bool:
        """Wait until what was logged by now is written, at most `timeout` seconds; whether it is."""
        done = [path.complete(timeout) for path in tuple(self._paths.values())]
        return all(done)

    def stats(self) -> LogStats:
        """How sinks and queue fare."""
        guards = [
            *self._guards.values(),
            *(lane.guard for path in self._paths.values() for lane in path.lanes),
        ]
        queue: dict[str, int] = {}
        for path in self._paths.values():
            for name, count in path.stats().items():
                queue[name] = queue.get(name, 0) + count
        sinks = tuple(
            SinkStats(one.name, one.failures, one.lost, one.waiting, one.last_error) for one in guards
        )
        return LogStats(sinks, queue)

    def close(self, timeout: float = 5.0) -> bool:
        """Write what is to be written, close the sinks, and leave loguru, streams and logging as they were.

        Returns whether all was written within `timeout` seconds; what was not is in the queue
        still. Further calls do nothing.
        """
        with self._lock:
            if self._is_closed:
                return True
            self._is_closed = True
        for capture in reversed(tuple(self._captures)):
            capture.undo()
        if self._handler is not None:
            with suppress(ValueError):  # the program has removed all handlers
                self.logger.remove(self._handler)
        is_complete = [_close_path(path, timeout) for path in self._paths.values()]
        for guard in self._guards.values():
            guard.close(timeout)
        self._targets = ()
        if self._took_default:
            self.logger.add(sys.stderr)
        return all(is_complete)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        for guard in self._guards.values():
            guard.after_fork()
        for path in self._paths.values():
            path.after_fork()
            for lane in path.lanes:
                lane.guard.after_fork()


def _close_path(path: AsyncPath, timeout: float) -> bool:
    is_complete = path.close(timeout)
    for lane in path.lanes:
        lane.guard.close(timeout)
    return is_complete


def _sink_of(target: Sink | Callable[[Entry], object] | logging.Handler) -> tuple[Sink, str]:
    if isinstance(target, logging.Handler):
        return FunctionSink(target), repr(target)
    if hasattr(target, "write") and hasattr(target, "close"):
        name = str(target.path) if isinstance(target, FileSink) else type(target).__name__
        return cast("Sink", target), name
    if callable(target):
        return FunctionSink(target), getattr(target, "__qualname__", repr(target))
    raise TypeError(
        f"a log sink is a function, a logging.Handler, or has write and close; this is {target!r}"
    )


def _nowhere(message: str) -> None:
    """Loguru's handler needs a sink; the filter in front of it lets nothing pass."""


_chains: weakref.WeakSet[LogChain] = weakref.WeakSet()


def _close_at_exit(chain: weakref.ref[LogChain]) -> None:
    living = chain()
    if living is not None:
        living.close(1.0)


def _after_fork_in_child() -> None:
    for chain in list(_chains):
        chain._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)

__all__ = ["LogChain", "LogStats", "SinkId", "SinkStats", "is_inside_a_sink"]
