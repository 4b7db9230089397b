"""Everything is registered with its undo; undoing runs in reverse, each exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pluginkit.errors import StateError


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
            self._require_open()
            self._calls.append(undo)

    def require_open(self) -> None:
        """Raise `StateError` if the stack is closed."""
        with self._lock:
            self._require_open()

    def _require_open(self) -> None:
        if self._closed:
            raise StateError(f"{self._owner} is unloaded: nothing can be registered for it any more")

    def close(self) -> list[BaseException]:
        """Run what is left, last first, and return all that it raised. Further calls do nothing.

        Ctrl-C is among what is returned: whatever comes in between, everything is undone.
        """
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
                errors.append(error)

    def __len__(self) -> int:
        return len(self._calls)
