"""Answers that came after their call had timed out: dropped, but counted."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class LateResults:
    """How many late answers were dropped, by plugin and hook."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, plugin: str, hook: str) -> None:
        with self._lock:
            self._counts[plugin, hook] = self._counts.get((plugin, hook), 0) + 1

    def read(self) -> Mapping[tuple[str, str], int]:
        """(plugin, hook) to the number of its late answers so far."""
        with self._lock:
            return dict(self._counts)
