"""The host's events, sent to one client until it leaves.

Whoever publishes an event must not wait for a client: an event is put into a bounded queue, and
the client's own thread sends it. What does not fit is counted, and the client is told how much
it has missed.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pluginkit.control.values import plain

if TYPE_CHECKING:
    import socket

    from pluginkit.events import Event, EventBus

QUEUED = 1000
"""Events that are kept for a client which is slower than the host."""


class Follower:
    """One client's subscription, from `with` to its end."""

    def __init__(
        self,
        events: EventBus,
        *,
        kinds: Sequence[str] | None = None,
        plugin: str | None = None,
        queued: int = QUEUED,
    ) -> None:
        self._events = events
        self._kinds = kinds
        self._plugin = plugin
        self._limit = queued
        # Re-entrant: the collector may run in here, and what it ends may publish an event.
        self._lock = threading.RLock()
        self._queue: deque[Event] = deque()
        self._lost = 0

    def __enter__(self) -> Self:
        # A pipe, so that one `poll` waits for events and for the client's leaving alike.
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._subscription = self._events.subscribe(self._keep, kinds=self._kinds, plugin=self._plugin)
        except BaseException:
            self._close_pipe()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscription.cancel()
        with self._lock:  # another thread may be in the middle of `_keep`
            self._close_pipe()

    def _close_pipe(self) -> None:
        os.close(self._woken)
        os.close(self._wake)
        self._wake = -1

    def _keep(self, event: Event) -> None:
        with self._lock:
            if len(self._queue) >= self._limit:
                self._lost += 1
                return
            is_first = not self._queue
            self._queue.append(event)
            if is_first and self._wake >= 0:
                os.write(self._wake, b".")

    def wait(self, connection: socket.socket) -> list[dict[str, Any]] | None:
        """The lines that are to be sent next; None when the client has left, or said anything.

        What had been kept by then still comes before.
        """
        poll = select.poll()
        poll.register(connection, select.POLLIN | select.POLLRDHUP)
        poll.register(self._woken, select.POLLIN)
        ready = {file for file, _ in poll.poll()}
        if self._woken not in ready:
            return None
        with self._lock:
            os.read(self._woken, 1)
            events, self._queue = list(self._queue), deque()
            lost, self._lost = self._lost, 0
        lines = [{"event": as_dict(event)} for event in events]
        return [*lines, {"lost": lost}] if lost else lines


def as_dict(event: Event) -> dict[str, Any]:
    """An event as plain data."""
    return {"kind": event.kind, "plugin": event.plugin, "time": event.time, "data": plain(event.data)}
