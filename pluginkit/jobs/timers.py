"""What has to happen to jobs at a later time: limits that run out, and attempts that come again."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

_LINGER = 1.0
"""Seconds that the thread stays without anything to do."""
_LONGEST_WAIT = 3600.0
"""Seconds after which it looks again, however far the next time is."""
_JOIN = 1.0
"""Seconds that `close` waits for an action that is under way: it may be somebody's callback."""


class Entry:
    """Something to be done at a time; cancelled, it keeps nothing of what it was for."""

    __slots__ = ("action", "key")

    def __init__(self, when: float, number: int, action: Callable[[], None]) -> None:
        self.key = (when, number)
        self.action: Callable[[], None] | None = action

    def __lt__(self, other: Entry) -> bool:
        return self.key < other.key


class Timers:
    """Runs actions at their times, in one thread, which is there only while there are some."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._heap: list[Entry] = []
        self._dead = 0
        self._is_closing = False
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def at(self, when: float, action: Callable[[], None]) -> Entry:
        """Have `action` called at `when` seconds of the monotonic clock. It must not raise."""
        entry = Entry(when, next(self._numbers), action)
        with self._changed:
            self._is_closing = False
            heapq.heappush(self._heap, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            elif self._heap[0] is entry:
                self._changed.notify()
        return entry

    def close(self) -> None:
        """Forget everything; the thread ends."""
        with self._changed:
            for entry in self._heap:
                entry.action = None
            self._heap, self._dead, self._is_closing = [], 0, True
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN)

    def cancel(self, entry: Entry) -> None:
        """Forget an entry."""
        with self._changed:
            if entry.action is None:
                return
            entry.action = None
            self._dead += 1
            while self._heap and self._heap[0].action is None:
                heapq.heappop(self._heap)
                self._dead -= 1
            # Most limits are never reached: their entries must not wait for their time.
            if self._dead > 64 and self._dead > len(self._heap) // 2:
                self._heap = [one for one in self._heap if one.action is not None]
                heapq.heapify(self._heap)
                self._dead = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                if not self._heap:
                    if self._is_closing or (not self._changed.wait(_LINGER) and not self._heap):
                        self._thread = None
                        return
                    continue
                if self._heap[0].key[0] > now:
                    # A time that never comes is one, too, but not for the system's clock.
                    self._changed.wait(min(self._heap[0].key[0] - now, _LONGEST_WAIT))
                    continue
                entry = heapq.heappop(self._heap)
                action, entry.action = entry.action, None
                if action is None:
                    self._dead -= 1
            if action is not None:
                action()
            action = None
