"""Plugins that write into their own directory: whoever does would be reloaded for ever.

Data files in a plugin's directory count as part of it, so that an edited template is seen. Who
has written a file cannot be known. But a person does not save the same data file, and nothing
else, five times in half a minute; a plugin that keeps its state beside its code does.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable
from importlib.machinery import all_suffixes

from pluginkit.discovery.candidates import MANIFEST_NAMES

TIMES = 5
WINDOW = 30.0
"""So many reloads in so many seconds because of one data file alone, and it is the plugin's own output."""

_CODE_SUFFIXES = tuple(all_suffixes())


class OwnOutput:
    """Counts, by file, the reloads that were due to data alone."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        self._own: set[str] = set()

    def is_own(self, path: str) -> bool:
        """Whether a change of this file no longer counts."""
        return path in self._own

    def reloaded(self, paths: Iterable[str]) -> list[str]:
        """Note that a plugin was reloaded because these changed; gives those that do not count from now on."""
        files = list(paths)
        if not files or any(map(_is_code, files)):
            return []
        now, found = time.monotonic(), []
        for path in files:
            times = self._times.setdefault(path, deque(maxlen=TIMES))
            times.append(now)
            if len(times) == TIMES and now - times[0] <= WINDOW:
                del self._times[path]
                self._own.add(path)
                found.append(path)
        return found


def _is_code(path: str) -> bool:
    name = os.path.basename(path)
    return name.endswith(_CODE_SUFFIXES) or name.endswith(MANIFEST_NAMES)
