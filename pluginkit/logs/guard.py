"""The place of one sink in the chain: one thread at a time, no failure gets out, nothing waits for ever.

What must stay true:

- A sink's failure is its own. It is told once, to the neighbours or else on stderr; the records
  wait, up to a limit, and are tried again with growing pauses, so that the order is kept. What
  does not fit, and what is refused too often, is counted as lost.
- A thread that is inside of a sink (the sink logs, a signal handler or a `__del__` interrupts it)
  never waits: not for itself, and not for another sink either, since that one's holder may wait
  for this one. Its record is put aside, and whoever holds the lock writes it before leaving.
  Both sides look again after they let go, so that no record stays aside.
- A record that is made while such a record is written is counted and left out by that sink,
  else a sink that logs would never end.
- What is told is told after the lock is free.
- After a fork the child has locks of its own: what another thread held stays in the parent.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pluginkit.errors import describe_exception, passes_through
from pluginkit.logs.entry import Entry
from pluginkit.logs.levels import NUMBERS
from pluginkit.logs.sinks import PartlyWritten, Sink
from pluginkit.printable import hanging

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_MAX_WAITING = 1_000
_MAX_ATTEMPTS = 10
"""Of one record at a realtime sink; then it is lost, so that those behind it have a chance."""


class _Here(threading.local):
    depth = 0


_here = _Here()


def is_inside_a_sink() -> bool:
    """Whether this thread is inside of some sink's code."""
    return _here.depth > 0


class Guard:
    """A sink with its level, its lock and what it could not take yet."""

    def __init__(self, sink: Sink, name: str, level: str, tell: Callable[[str, Guard], None]) -> None:
        self.sink = sink
        self.name = name
        self.number = NUMBERS[level]
        self.failures = 0
        self.lost = 0
        self.last_error = ""
        self.is_closed = False
        self._tell = tell
        self._lock = threading.RLock()
        self._depth = 0
        self._aside: deque[Entry] = deque()
        self._waiting: deque[Entry] = deque()
        self._refusals = 0
        self._news: deque[str] = deque()
        self._try_at = 0.0
        self._pause = _FIRST_PAUSE

    @property
    def waiting(self) -> int:
        """Records that wait for the sink to work again."""
        return len(self._waiting)

    def write(self, entry: Entry) -> None:
        """Have the sink take a record, now or when it works again. Raises nothing of the sink."""
        if entry.number < self.number:
            return
        if not self._lock.acquire(blocking=not _here.depth):
            self._aside.append(entry)
        else:
            try:
                if not self._depth:
                    self._enter([entry])
                elif self._depth == 1:
                    self._aside.append(entry)
                else:
                    self.lost += 1
            finally:
                self._lock.release()
        self._settle()

    def attempt(self, entries: Sequence[Entry]) -> tuple[int, str | None]:
        """Have the sink take records, for who keeps them himself: how many it took, and what went wrong."""
        with self._lock, self._inside(1):
            result = self._attempt(entries)
        self._settle()
        return result

    def _settle(self) -> None:
        """Write what was put aside, if nobody else is about to, and tell what is to be told."""
        while self._aside and self._lock.acquire(blocking=False):
            try:
                if self._depth:
                    break
                self._enter([])
            finally:
                self._lock.release()
        while self._news and not self._depth:
            self._tell(self._news.popleft(), self)

    def _enter(self, entries: Sequence[Entry]) -> None:
        if self.is_closed:
            self._aside.clear()
            return
        with self._inside(1):
            self._take(entries)
        while self._aside:
            with self._inside(2):
                self._take([self._aside.popleft()])

    @contextmanager
    def _inside(self, depth: int) -> Iterator[None]:
        """Count this thread as inside of the sink; the lock is held."""
        before, self._depth = self._depth, depth
        _here.depth += 1
        try:
            yield
        finally:
            _here.depth -= 1
            self._depth = before

    def _take(self, entries: Sequence[Entry]) -> None:
        """Write what waits and then these, one after the other, as far as the sink takes them."""
        for entry in entries:
            if len(self._waiting) < _MAX_WAITING:
                self._waiting.append(_kept(entry) if self.last_error else entry)
            else:
                self.lost += 1
        if self.last_error and time.monotonic() < self._try_at:
            return
        while self._waiting:
            entry = self._waiting.popleft()
            # What passes through (Ctrl-C) takes its record along.
            taken, error = self._attempt([entry])
            if error is None or taken:
                self._refusals = 0
                continue
            self._refusals += 1
            if self._refusals < _MAX_ATTEMPTS:
                self._waiting.appendleft(_kept(entry))
            else:
                self._refusals = 0
                self.lost += 1
            return

    def _attempt(self, entries: Sequence[Entry]) -> tuple[int, str | None]:
        try:
            self.sink.write(entries)
        except PartlyWritten as partly:
            return partly.count, self._failed(describe_exception(partly.__cause__ or partly))
        except BaseException as error:
            if passes_through(error):
                raise
            return 0, self._failed(describe_exception(error))
        if self.last_error:
            self.last_error, self._pause = "", _FIRST_PAUSE
            lost = f"; it has lost {self.lost} records so far" if self.lost else ""
            self._news.append(f"log sink {self.name} works again{lost}")
        return len(entries), None

    @property
    def seconds_until_attempt(self) -> float:
        """How long the pause after the last failure still is."""
        return max(0.0, self._try_at - time.monotonic()) if self.last_error else 0.0

    def _failed(self, why: str) -> str:
        self.failures += 1
        is_new, self.last_error = not self.last_error, why
        self._try_at = time.monotonic() + self._pause
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)
        if is_new:
            self._news.append(f"log sink {self.name} fails: {why}; its records wait and are tried again")
        return why

    def close(self, timeout: float = 1.0) -> None:
        """Try once more what waits, then close the sink. Waits up to `timeout` seconds for who is inside."""
        if not self._lock.acquire(timeout=timeout):
            self._news.append(f"log sink {self.name} is busy, and was not closed")
        else:
            try:
                if not self.is_closed:
                    with self._inside(2):
                        self._close()
            finally:
                self._lock.release()
        self._settle()

    def _close(self) -> None:
        self._try_at = 0.0
        self._take([])
        self.is_closed = True
        if self._waiting:
            self.lost += len(self._waiting)
            self._waiting.clear()
            self._news.append(
                f"log sink {self.name} is closed and lost {self.lost} records: {self.last_error}"
            )
        try:
            self.sink.close()
        except Exception as error:
            self._news.append(f"log sink {self.name} could not be closed: {describe_exception(error)}")

    def after_fork(self) -> None:
        """Give the child locks that nobody holds; what waits is the parent's to write."""
        self._lock = threading.RLock()
        self._depth = 0
        self._aside.clear()
        self._waiting.clear()
        self._news.clear()
        _here.depth = 0


def _kept(entry: Entry) -> Entry:
    """A record that may wait for long: as text, which is bounded, and which nobody changes meanwhile."""
    return Entry.from_json(entry.json())


def on_stderr(text: str) -> None:
    """A line on the process's own stderr, whoever has replaced `sys.stderr`; never raises."""
    stream = sys.__stderr__
    try:
        if stream is not None:
            stream.write(f"pluginkit: {hanging(text)}\n")
            stream.flush()
    except (OSError, ValueError):
        pass
