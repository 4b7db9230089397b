"""The audit trail: one structured record for each thing that happened to a plugin, in a file of its own.

It does not pass through the chain: no level, filter or queue of the log keeps a record from it.
Each is in the file when `record` returns.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Mapping
from dataclasses import fields as parts_of
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.errors import describe_exception
from pluginkit.events import EVENT_KINDS
from pluginkit.logs import fields as names
from pluginkit.logs.entry import Entry, now
from pluginkit.logs.files import FileSink
from pluginkit.logs.guard import Guard, on_stderr

if TYPE_CHECKING:
    from pluginkit.events import Event, EventBus, Subscription

NOT_AUDITED = frozenset({"discovered", "file_changed", "started", "stopped"})
"""Kinds of events that change nothing about which code runs, or what it may do."""
AUDITED = EVENT_KINDS - NOT_AUDITED
"""All others are recorded, those too that come to be known later."""
OF_RUN = frozenset({"host_started", "host_stopped"})
"""The kinds of records that `pluginkit run` adds."""

_LEVELS = {
    "failed": "error",
    "reload_failed": "error",
    "crashed": "error",
    "conflict": "warn",
    "held": "warn",
    "restart_needed": "warn",
    "capability_denied": "warn",
    "guard": "warn",
}
_OWN = frozenset({"kind", names.PLUGIN, "seq"})


class AuditLog:
    """Writes JSON lines as a log has them, with `kind`, `plugin`, `seq` and whatever else is known.

    `seq` counts the records of this process, so that a gap shows. The file is rotated at
    `max_bytes`; of the rotated ones all are kept unless `max_backups` says otherwise.

    >>> import tempfile, pathlib
    >>> from pluginkit.logs.reading import last
    >>> path = pathlib.Path(tempfile.mkdtemp(), "audit.log")
    >>> audit = AuditLog(path)
    >>> audit.record("loaded", "cat", generation=1)
    >>> audit.close()
    >>> [(one["seq"], one["kind"], one["plugin"], one["generation"]) for one in last(path)]
    [(1, 'loaded', 'cat', 1)]
    """

    def __init__(
        self, path: str | os.PathLike[str], *, max_bytes: int = 2_000_000, max_backups: int = 0
    ) -> None:
        sink = FileSink(path, max_bytes=max_bytes, max_backups=max_backups)
        self.path = sink.path
        self._guard = Guard(sink, f"audit {path}", "trace", lambda text, _: on_stderr(text))
        self._process = os.getpid()
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._subscriptions: list[Subscription] = []

    @property
    def last_error(self) -> str:
        """Why records cannot be written at the moment; empty if they can."""
        return self._guard.last_error

    def record(self, kind: str, plugin: str | None = None, /, **fields: Any) -> None:
        """Write one record. Raises nothing: a trail that cannot be written is told once, on stderr."""
        if self._process != os.getpid():
            # In a forked child, where a lock that another thread held then is held for ever.
            self._process, self._lock = os.getpid(), threading.RLock()
            self._guard.after_fork()
        with self._lock:
            # Numbered and written under one lock, so that the file's order is that of the numbers.
            self._guard.write(_entry(next(self._numbers), kind, plugin, fields))

    def attach(self, events: EventBus) -> None:
        """Record what a host tells of its plugins, of whatever kind, from now on."""
        self._subscriptions.append(events.subscribe(self._on_event, kinds=AUDITED))

    def _on_event(self, event: Event) -> None:
        self.record(event.kind, event.plugin, **{str(name): plain(one) for name, one in event.data.items()})

    def close(self) -> None:
        """End the subscriptions and close the file."""
        while self._subscriptions:
            self._subscriptions.pop().cancel()
        self._guard.close()


def _entry(number: int, kind: str, plugin: str | None, data: Mapping[str, Any]) -> Entry:
    own = {"kind": kind, names.PLUGIN: plugin, "seq": number}
    # What a record is about cannot stand in for what it says of itself.
    rest = {f"_{name}" if name in _OWN else name: value for name, value in data.items()}
    return Entry(
        now(),
        _LEVELS.get(kind, "info"),
        kind,
        "pluginkit.audit",
        thread=threading.current_thread().name,
        process=os.getpid(),
        fields=own | rest,
    )


def plain(value: Any) -> Any:
    """An event's value as data: exceptions as one line, dataclasses (a `Reason`, say) by their fields."""
    if isinstance(value, BaseException):
        return describe_exception(value)
    if hasattr(value, "as_json"):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in parts_of(value)}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(one) for one in value]
    return value
