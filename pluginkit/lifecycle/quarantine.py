"""Which plugin failed too often: errors in calls are counted over a sliding window of time."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from pluginkit.lifecycle.live import Live


@dataclass(frozen=True, slots=True)
class QuarantineRule:
    """`errors` within `window` seconds put a plugin into quarantine; 0 errors: never.

    >>> QuarantineRule(errors=3, window=60.0).is_on
    True
    """

    errors: int = 0
    window: float = 60.0

    @property
    def is_on(self) -> bool:
        return self.errors > 0


class Quarantine:
    """Counts errors of each live plugin; with its generation the count goes. Safe under threads."""

    def __init__(self, rule: QuarantineRule) -> None:
        self.rule = rule
        self._lock = threading.Lock()
        self._errors: WeakKeyDictionary[Live, deque[float]] = WeakKeyDictionary()

    def note(self, live: Live) -> bool:
        """Count an error now; whether the limit has been reached."""
        if not self.rule.is_on:
            return False
        now = time.monotonic()
        with self._lock:
            times = self._errors.setdefault(live, deque(maxlen=self.rule.errors))
            times.append(now)
            return len(times) == self.rule.errors and now - times[0] <= self.rule.window

    def forget(self, live: Live) -> None:
        """Begin anew with a plugin."""
        with self._lock:
            self._errors.pop(live, None)
