"""Calls, errors and seconds per plugin and hook, counted only while somebody wants to know.

Switched on, a hook's body reads the clock around each implementation; switched off, the body
has no trace of it. A wrapper's seconds are those up to its `yield`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pluginkit.hooks.values import CallFailure


@dataclass(frozen=True, slots=True)
class CallMetrics:
    """What one plugin's implementations of one hook have cost so far; times are seconds."""

    plugin: str
    hook: str
    calls: int
    errors: int
    total_seconds: float
    longest_seconds: float


class Counter:
    """Counts of one plugin in one hook; the lock makes additions of several threads add up."""

    __slots__ = ("_lock", "calls", "errors", "longest", "total")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = 0
        self.errors = 0
        self.total = 0.0
        self.longest = 0.0

    def spent(self, seconds: float) -> None:
        """Count one call; bodies call this after each implementation."""
        with self._lock:
            self.calls += 1
            self.total += seconds
            if seconds > self.longest:  # noqa: PLR1730  # max() takes longer than all the rest
                self.longest = seconds

    def failed(self) -> None:
        """Count one error."""
        with self._lock:
            self.errors += 1


class Metrics:
    """The counters of one hook table. Numbers of a plugin end with its last provider."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str], Counter] = {}

    def counter(self, plugin: str, hook: str) -> Counter:
        """The counter of a plugin in a hook, which begins at zero."""
        counter = self._counters.get((plugin, hook))
        return counter if counter is not None else self._counters.setdefault((plugin, hook), Counter())

    def reporting(self, report: Callable[[CallFailure], None] | None) -> Callable[[CallFailure], None]:
        """`report`, with each failure counted as well."""

        def count(failure: CallFailure) -> None:
            self.counter(failure.plugin, failure.hook).failed()
            if report is not None:
                report(failure)

        return count

    def forget(self, plugin: str) -> None:
        for key in [key for key in tuple(self._counters) if key[0] == plugin]:
            self._counters.pop(key, None)

    def read(self) -> tuple[CallMetrics, ...]:
        """All counters that have counted anything, ordered by plugin and hook."""
        return tuple(
            CallMetrics(plugin, hook, counter.calls, counter.errors, counter.total, counter.longest)
            for (plugin, hook), counter in sorted(self._counters.copy().items(), key=lambda item: item[0])
            if counter.calls or counter.errors
        )
