"""Everything is registered with its undo; undoing runs in reverse, each exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pluginkit.errors import StateError, passes_through


class UndoStack:
    """A last-in-first-out list of undo calls that survives a failing one."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._calls: list[Callable[[], Any]] = []
        self._closed = False

    def push(self, undo: Callable[[], Any]) -> None:
        """Remember `undo`. Raises `StateError` once the stack is closed: nobody would run it."""
        with self._lock:
            if self._closed:
                raise StateError(f"{self._owner} is unloaded: nothing can be registered for it any more")
            self._calls.append(undo)

    def close(self) -> list[BaseException]:
        """Run what is left, last first, and return what it raised. Further calls do nothing."""
        errors: list[BaseException] = []
        while True:
            with self._lock:
                if not self._calls:
                    self._closed = True
                    return errors
                undo = self._calls.pop()
            try:
                undo()
            except BaseException as error:
                if passes_through(error):
                    raise
                errors.append(error)

    def __len__(self) -> int:
        return len(self._calls)
