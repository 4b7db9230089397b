"""The same thing again and again, told once per window with a count: what can be flooded hides what matters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pluginkit.printable import one_line

WINDOW = 10.0
MOST_KINDS = 64
LONGEST_TARGET = 512

Telling = tuple[Mapping[str, Any], int]
"""What to tell now, and how often it came again since it was told."""


class Repeats:
    """Decides what is told; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[object, ...], _Repeated] = {}

    def note(self, data: Mapping[str, Any], *same: str) -> list[Telling]:
        """What is to be told now that `data` has happened; it is the same as before if its keys `same` are equal.

        In one window at most 64 different things are told apart; the rest is counted as one.
        """
        with self._lock:
            now = self._clock()
            late = self._expired(now)
            key: tuple[object, ...] = tuple(data[name] for name in same)
            if key not in self._told and len(self._told) >= MOST_KINDS:
                key, data = (), {**data, "target": "(many others)"}
            known = self._told.get(key)
            if known is not None:
                known.repeated += 1
                return late
            self._told[key] = _Repeated(now, data)
            return [*late, (data, 0)]

    def rest(self) -> list[Telling]:
        """What was only counted so far, for the end."""
        with self._lock:
            late = [(one.data, one.repeated) for one in self._told.values() if one.repeated]
            self._told.clear()
        return late

    def _expired(self, now: float) -> list[Telling]:
        old = {key: one for key, one in self._told.items() if now - one.since >= WINDOW}
        for key in old:
            del self._told[key]
        return [(one.data, one.repeated) for one in old.values() if one.repeated]


class _Repeated:
    """One thing that was told, and how often it came again since."""

    __slots__ = ("data", "repeated", "since")

    def __init__(self, since: float, data: Mapping[str, Any]) -> None:
        self.since = since
        self.data = data
        self.repeated = 0


def shown(target: str) -> str:
    """A target as one line of bounded length, whatever it is made of."""
    return one_line(target, LONGEST_TARGET)
