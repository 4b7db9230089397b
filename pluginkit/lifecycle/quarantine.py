"""Which plugin failed too often: errors in calls are counted over a sliding window of time."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass


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
    """Counts errors per plugin; safe under threads."""

    def __init__(self, rule: QuarantineRule) -> None:
        self.rule = rule
        self._lock = threading.Lock()
        self._errors: dict[str, deque[float]] = {}

    def note(self, plugin: str) -> bool:
        """Count an error of `plugin` now; whether it has reached the limit."""
        if not self.rule.is_on:
            return False
        now = time.monotonic()
        with self._lock:
            times = self._errors.setdefault(plugin, deque(maxlen=self.rule.errors))
            times.append(now)
            return len(times) == self.rule.errors and now - times[0] <= self.rule.window

    def forget(self, plugin: str) -> None:
        """Begin anew with a plugin."""
        with self._lock:
            self._errors.pop(plugin, None)
