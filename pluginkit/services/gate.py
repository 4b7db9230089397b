"""The way out of every service: what the rules refuse becomes a `PermissionDenied`, told once.

A plugin that asks for the same again and again is refused each time, but told of once per window, with
the count of what was left out: an audit that can be flooded hides what matters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pluginkit.errors import PermissionDenied, Reason
from pluginkit.security.refusal import Refusal
from pluginkit.security.repeats import Repeats, Telling, shown

Publish = Callable[..., Any]
"""`EventBus.publish`: kind, plugin, and the event's data by name."""


class Gate:
    """Refuses for one generation of one plugin, and tells `publish` about it."""

    def __init__(
        self, plugin: str, publish: Publish | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plugin = plugin
        self._publish = publish
        self._repeats = Repeats(clock)

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
        data = {
            "operation": operation,
            "target": shown(target),
            "rule": refusal.rule,
            "code": refusal.code,
            "reason": refusal.text,
        }
        self._send(self._repeats.note(data, "operation", "target", "code"))

    def close(self) -> None:
        """Tell what was only counted so far."""
        self._send(self._repeats.rest())

    def _send(self, tellings: list[Telling]) -> None:
        if self._publish is not None:
            for data, repeated in tellings:
                self._publish("capability_denied", self.plugin, **data, repeated=repeated)
