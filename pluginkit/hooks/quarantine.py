"""When a plugin has failed often enough to be taken out: so many errors within so much time.

This only counts and says when; the host takes the provider out of its hook table, shows the
plugin as quarantined, and forgets its failures when it is enabled or reloaded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class FailureWindow:
    """Counts failures per plugin in a sliding window.

    Args:
        errors: how many failures are too many; 0 never says so.
        window: the seconds within which they have to happen.
        clock: seconds that never go backwards.

    >>> failures = FailureWindow(errors=2, window=60.0)
    >>> failures.add("cat"), failures.add("cat"), failures.add("cat")
    (False, True, False)
    """

    def __init__(self, errors: int, window: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = errors
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}
        self._full: set[str] = set()

    def add(self, plugin: str) -> bool:
        """Count one failure; True exactly once, for the one that is too many."""
        if self._limit <= 0:
            return False
        now = self._clock()
        with self._lock:
            if plugin in self._full:
                return False
            times = self._times.setdefault(plugin, deque(maxlen=self._limit))
            times.append(now)
            if len(times) < self._limit or now - times[0] > self._window:
                return False
            self._full.add(plugin)
            return True

    def forget(self, plugin: str) -> None:
        """Begin anew with a plugin, because it was enabled or reloaded."""
        with self._lock:
            self._times.pop(plugin, None)
            self._full.discard(plugin)
