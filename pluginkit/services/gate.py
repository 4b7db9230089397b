"""The way out of every service: what the rules refuse becomes a `PermissionDenied`, told once.

A plugin that asks for the same again and again is refused each time, but told of once per window, with
the count of what was left out: an audit that can be flooded hides what matters.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pluginkit.errors import PermissionDenied, Reason
from pluginkit.security.refusal import Refusal

Publish = Callable[..., Any]
"""`EventBus.publish`: kind, plugin, and the event's data by name."""

WINDOW = 10.0
MOST_KINDS = 64
LONGEST_TARGET = 512


class Gate:
    """Refuses for one generation of one plugin, and tells `publish` about it."""

    def __init__(
        self, plugin: str, publish: Publish | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plugin = plugin
        self._publish = publish
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[str, ...], _Repeated] = {}

    @contextmanager
    def asking(self, operation: str, target: str) -> Iterator[None]:
        """Turn a `Refusal` in the block into a `PermissionDenied` for this operation and target."""
        try:
            yield
        except Refusal as refusal:
            raise self.denied(operation, target, refusal) from None

    def denied(self, operation: str, target: str, refusal: Refusal) -> PermissionDenied:
        """Tell about a refusal; gives the error to raise."""
        self.tell(operation, target, refusal)
        reason = Reason(refusal.code, refusal.text)
        return PermissionDenied(
            self.plugin, operation, target, reason, rule=refusal.rule, advice=refusal.advice
        )

    def tell(self, operation: str, target: str, refusal: Refusal) -> None:
        """Have a denial told, unless the same was told within the last ten seconds."""
        target = _shown(target)
        data = {
            "operation": operation,
            "target": target,
            "rule": refusal.rule,
            "code": refusal.code,
            "reason": refusal.text,
        }
        with self._lock:
            now = self._clock()
            late = self._expired(now)
            key: tuple[str, ...] = (operation, target, refusal.code)
            if key not in self._told and len(self._told) >= MOST_KINDS:
                key = ("many",)
                data = {**data, "target": "(many others)"}
            known = self._told.get(key)
            if known is None:
                self._told[key] = _Repeated(now, data)
            else:
                known.repeated += 1
        self._publish_all(late)
        if known is None:
            self._send(data, 0)

    def close(self) -> None:
        """Tell what was only counted so far."""
        with self._lock:
            late = [one for one in self._told.values() if one.repeated]
            self._told.clear()
        self._publish_all(late)

    def _expired(self, now: float) -> list[_Repeated]:
        old = {key: one for key, one in self._told.items() if now - one.since >= WINDOW}
        for key in old:
            del self._told[key]
        return [one for one in old.values() if one.repeated]

    def _publish_all(self, late: list[_Repeated]) -> None:
        for one in late:
            self._send(one.data, one.repeated)

    def _send(self, data: dict[str, Any], repeated: int) -> None:
        if self._publish is not None:
            self._publish("capability_denied", self.plugin, **data, repeated=repeated)


class _Repeated:
    """One denial that was told, and how often it came again since."""

    __slots__ = ("data", "repeated", "since")

    def __init__(self, since: float, data: dict[str, Any]) -> None:
        self.since = since
        self.data = data
        self.repeated = 0


def _shown(target: str) -> str:
    """A target as one line of bounded length, whatever it is made of."""
    text = target if target.isprintable() else repr(target)[1:-1]
    return text if len(text) <= LONGEST_TARGET else f"{text[:LONGEST_TARGET]}…"
