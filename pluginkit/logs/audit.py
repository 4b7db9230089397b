"""`AuditLog`: what was done to plugins and what they were allowed, one JSON line each, in a file of its own.

It is apart from the log: no level silences it, and it takes nothing else. A record is with the
operating system when `record` returns, so that a kill -9 of the process loses none.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit.events import EVENT_KINDS

if TYPE_CHECKING:
    from pluginkit.events import Event, EventBus, Subscription

_log = logging.getLogger("pluginkit")

MAX_TEXT = 4096
"""Characters of one value from which on it is cut."""

NOT_AUDITED = frozenset({"discovered", "file_changed", "started", "stopped"})
"""Kinds of events that change nothing about which code runs, or what it may do."""

AUDITED = EVENT_KINDS - NOT_AUDITED

_LEVELS = {
    "failed": "error",
    "reload_failed": "error",
    "crashed": "error",
    "conflict": "warn",
    "restart_needed": "warn",
    "capability_denied": "warn",
    "guard": "warn",
}


class AuditLog:
    """Writes audit records to a file, from `attach` or `record` to `close`; safe under threads.

    Parameters: `path` is the file, appended to, made with its directory if there is none.

    Raises `OSError` if it cannot be written to.

    >>> from tempfile import mkdtemp
    >>> log = AuditLog(Path(mkdtemp()) / "audit.log")
    >>> log.record("loaded", "cat", version="1.0.0")
    >>> log.close()
    >>> record = json.loads(log.path.read_text("utf-8"))
    >>> record["kind"], record["plugin"], record["version"], record["seq"]
    ('loaded', 'cat', '1.0.0', 1)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Re-entrant: what a collection in here ends may be an event.
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._number = 0
        self._subscriptions: list[Subscription] = []
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def attach(self, events: EventBus) -> None:
        """Record from now on what a host tells of: its `events`."""
        self._subscriptions.append(events.subscribe(self._keep, kinds=AUDITED))

    def record(self, kind: str, plugin: str | None = None, /, **fields: Any) -> None:
        """Write one record. What cannot be written is told in the log of `pluginkit`; nothing is raised."""
        self._write(kind, plugin, fields, datetime.now().astimezone())

    def close(self) -> None:
        """Take no more. Idempotent."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.cancel()
            self._subscriptions = []
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)

    def _keep(self, event: Event) -> None:
        self._write(event.kind, event.plugin, event.data, datetime.fromtimestamp(event.time).astimezone())

    def _write(self, kind: str, plugin: str | None, fields: Mapping[str, Any], time: datetime) -> None:
        head = {
            "@timestamp": time.isoformat(timespec="microseconds"),
            "@level": _LEVELS.get(kind, "info"),
            "@message": kind if plugin is None else f"{kind} {plugin}",
            "@module": "pluginkit.audit",
            "kind": kind,
            "plugin": plugin,
            "pid": os.getpid(),
        }
        tail = {name: value for name, value in _plain(fields).items() if name not in head and name != "seq"}
        if self._process != os.getpid():
            # In a forked child, where a lock that another thread held then is held for ever.
            self._process, self._lock = os.getpid(), threading.RLock()
        with self._lock:
            if self._file < 0:
                return
            self._number += 1
            line = json.dumps(head | {"seq": self._number} | tail)
            try:
                # One write for one line: several hosts may have one file.
                os.write(self._file, line.encode() + b"\n")
            except OSError:
                _log.exception("an audit record is lost: %s", line)


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it; what it has no form for is its `str`, and what is long is cut."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, Mapping) and depth < 4:
        return {_text(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < 4:
        return [_plain(one, depth + 1) for one in value]
    return _text(value)


def _text(value: object) -> str:
    try:
        text = str(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose str() raises {type(error).__name__}>"
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
