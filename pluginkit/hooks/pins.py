"""Pins: a block of code for which every hook stays as it is at the block's beginning.

Nobody else pays for it. A pin remembers nothing until a hook changes; then the change hands the
old version to every pin that has begun before, and puts a `Pinned` in front of the new body,
which asks who calls. When the last of those pins has ended, it is taken away again.

A pin belongs to a context (`contextvars`): threads and tasks that the block starts with a copy of
its context share it, for as long as the block lasts.
"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any

from pluginkit.hooks.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluginkit.hooks.entry import Body
    from pluginkit.hooks.gate import Gate
    from pluginkit.hooks.hook import HookState
    from pluginkit.hooks.values import Provider

_innermost: contextvars.ContextVar[Pin | None] = contextvars.ContextVar("pluginkit_pin", default=None)


class Pin:
    """One block. Used once, as a context manager."""

    __slots__ = ("_outer", "_pins", "_token", "is_active", "versions")

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._outer: Pin | None = None
        self._token: contextvars.Token[Pin | None] | None = None
        self.is_active = False
        self.versions: dict[HookState, Version] = {}

    def __enter__(self) -> None:
        self._outer = _innermost.get()
        self._pins.begin(self)
        self._token = _innermost.set(self)

    def __exit__(self, *_error: object) -> None:
        if self._token is not None:
            _innermost.reset(self._token)
        self._pins.end(self)

    @classmethod
    def of(cls, pins: Pins) -> Pin | None:
        """The outermost block of this context that pins these hooks: it began first."""
        found, pin = None, _innermost.get()
        while pin is not None:
            if pin._pins is pins and pin.is_active:
                found = pin
            pin = pin._outer
        return found


class Pins:
    """The pins of one table. `lock` is the table's, under which hooks change; `gate` is the last closed."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._active: set[Pin] = set()
        self.gate: Gate | None = None

    def begin(self, pin: Pin) -> None:
        """Count a pin; one that begins while a gate is closed waits for what comes behind it."""
        is_inner = Pin.of(self) is not None
        while True:
            with self._lock:
                gate = self.gate
                if gate is None or is_inner or gate.lets_pass():
                    pin.is_active = True
                    self._active.add(pin)
                    return
            gate.wait("pinned", None)

    def end(self, pin: Pin) -> None:
        """Forget a pin; hooks that no other has kept go without asking again."""
        with self._lock:
            pin.is_active = False
            self._active.discard(pin)
            versions, pin.versions = pin.versions, {}
            kept = {state for other in self._active for state in other.versions}
            for state in versions.keys() - kept:
                state.unpin()

    def is_here(self) -> bool:
        """Whether the calling context has pinned the hooks."""
        return bool(self._active) and Pin.of(self) is not None

    def holds(self, provider: Provider) -> bool:
        """Whether a pin keeps a version with implementations of `provider`."""
        with self._lock:
            versions = [version for pin in self._active for version in pin.versions.values()]
        return any(one.provider is provider for version in versions for one in version.implementations)

    def in_front_of(self, state: HookState, body: Body) -> Body:
        """What is to be installed for `body`, now that the hook changes; under the lock."""
        for pin in self._active:
            pin.versions.setdefault(state, state.version)
        return Pinned(self, state, body) if self._active else body

    def kept(self, state: HookState) -> Version | None:
        """The version of a hook that the calling context has pinned, if it has changed since."""
        pin = Pin.of(self)
        return None if pin is None else pin.versions.get(state)


class Pinned:
    """Stands in front of a hook's body while somebody has an older version pinned."""

    __slots__ = ("__weakref__", "_pins", "_state", "body")

    def __init__(self, pins: Pins, state: HookState, body: Body) -> None:
        self._pins = pins
        self._state = state
        self.body = body

    @property
    def version(self) -> Version:
        version: Version = self.body.version  # type: ignore[attr-defined]  # every body carries its version
        return version

    def __call__(self, *values: Any) -> Any:
        version = self._pins.kept(self._state)
        return self.body(*values) if version is None else self._state.again(version, values)

    def for_call(self, ask: Callable[[Body], Version]) -> Version:
        """The version that the calling context is to run; `ask` asks what stands behind."""
        return self._pins.kept(self._state) or ask(self.body)
