"""How a plugin learns that it has to end."""

from __future__ import annotations

import threading


class StopToken:
    """Set once, when the plugin is being stopped. Long work asks it, or waits on it.

    >>> token = StopToken()
    >>> token.is_set
    False
    >>> token.wait(timeout=0.001)
    False
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for `timeout` seconds, or until the stop; return whether it has come."""
        return self._event.wait(timeout)

    def set(self) -> None:
        """Tell all who ask or wait. The host does this; a plugin may, to end its own threads."""
        self._event.set()
