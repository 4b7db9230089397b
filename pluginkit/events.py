"""What happened to plugins, told to whoever asked to be told.

A callback runs in the thread that publishes, outside every lock, so it may call the host
back, subscribe, cancel and publish. What it raises is logged: an observer cannot break what
it observes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Self

from .errors import UnknownName, passes_through

EVENT_KINDS = frozenset(
    {
        "discovered",
        "loaded",
        "started",
        "stopped",
        "reloaded",
        "reload_failed",
        "reconfigured",
        "unloaded",
        "failed",
        "held",
        "crashed",
        "conflict",
        "enabled",
        "disabled",
        "registered",
        "unregistered",
        "file_changed",
        "restart_needed",
        "capability_granted",
        "capability_denied",
        "guard",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `kind` is one of `EVENT_KINDS`, `time` seconds since the epoch.

    `plugin` is None where the event is about the host as a whole. `data` is read-only; its
    keys depend on the kind and are listed in the reference of events.
    """

    kind: str
    plugin: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    time: float = field(default_factory=time.time)


Callback = Callable[[Event], object]


class Subscription:
    """A callback's place in a bus. It ends by `cancel()`, or with the `with` block it opens."""

    __slots__ = ("_remove", "callback", "is_active", "kinds", "plugin")

    def __init__(
        self,
        callback: Callback,
        kinds: frozenset[str] | None,
        plugin: str | None,
        remove: Callable[[Subscription], None],
    ) -> None:
        self.callback = callback
        self.kinds = kinds
        self.plugin = plugin
        self.is_active = True
        self._remove = remove

    def wants(self, event: Event) -> bool:
        """Whether the callback is to be called for this event."""
        if not self.is_active or (self.plugin is not None and event.plugin != self.plugin):
            return False
        return self.kinds is None or event.kind in self.kinds

    def cancel(self) -> None:
        """No call begins after this returns, but one that another thread is just beginning."""
        self.is_active = False
        self._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()


class EventBus:
    """Delivers events to callbacks, in the order in which they subscribed; safe under threads.

    >>> bus = EventBus()
    >>> with bus.subscribe(lambda event: print(event.kind, event.plugin), kinds=["loaded"]):
    ...     event = bus.publish("loaded", "cat", generation=1)
    loaded cat
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def subscribe(
        self, callback: Callback, *, kinds: Iterable[str] | None = None, plugin: str | None = None
    ) -> Subscription:
        """Call `callback(event)` for each event from now on, of these kinds and this plugin only.

        Raises `UnknownName` for a kind that does not exist.
        """
        wanted = None if kinds is None else frozenset([kinds] if isinstance(kinds, str) else kinds)
        for kind in sorted(wanted or ()):
            _require_known(kind)
        subscription = Subscription(callback, wanted, plugin, self._remove)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def publish(self, kind: str, plugin: str | None = None, **data: object) -> Event:
        """Tell it to all who subscribed, in this thread; gives the event after the last callback.

        Raises `UnknownName` for a kind that does not exist, and what `passes_through` of a
        callback: all else that callbacks raise goes to the log of `pluginkit`.
        """
        _require_known(kind)
        event = Event(kind, plugin, MappingProxyType(data))
        for subscription in self._subscriptions:
            if not subscription.wants(event):
                continue
            try:
                subscription.callback(event)
            except BaseException as error:
                if passes_through(error):
                    raise
                _log_failure(subscription, event, error)
        return event

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)


def _require_known(kind: str) -> None:
    if kind not in EVENT_KINDS:
        raise UnknownName("event kind", kind, EVENT_KINDS)


def _log_failure(subscription: Subscription, event: Event, error: BaseException) -> None:
    import logging

    logging.getLogger("pluginkit").error(
        "the event callback %r failed for %s of %s",
        subscription.callback,
        event.kind,
        event.plugin or "the host",
        exc_info=error,
    )
