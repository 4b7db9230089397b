"""A gate holds new calls of some hooks back while nobody may run in them; calls that run go on.

Closed, every one of these hooks has an `AtGate` in the place of its body: whoever calls waits in
there, and calls again when the gate opens, whatever is there by then. Three pass: the thread that
has closed the gate, since it would wait for itself; who is inside of a hook call already, since
the gate waits for that call to end; and who has pinned the versions, for the same reason.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from pluginkit.errors import CallTimeout
from pluginkit.hooks.frames import is_inside_a_call
from pluginkit.hooks.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluginkit.hooks.entry import Body
    from pluginkit.hooks.hook import HookState


class Gate:
    """Closed from the beginning; opened once, by whoever has closed it."""

    def __init__(self, states: Iterable[HookState]) -> None:
        self._opened = threading.Event()
        self._owner = threading.get_ident()
        self._states = tuple(states)
        # Frames hold the function that they run: its end is that of the last plain call.
        self._bodies: list[weakref.ref[Body]] = []
        for state in self._states:
            self._bodies.append(weakref.ref(state.close(self)))

    @property
    def is_empty(self) -> bool:
        """Whether the last plain call has ended that began before the gate was closed."""
        return all(body() is None for body in self._bodies)

    def lets_pass(self) -> bool:
        """Whether the calling thread need not, or must not, wait."""
        return self._opened.is_set() or threading.get_ident() == self._owner or is_inside_a_call()

    def wait(self, hook: str, timeout: float | None) -> None:
        """Wait until the gate is open. Raises `CallTimeout` after `timeout` seconds."""
        if not self._opened.wait(timeout):
            raise CallTimeout(hook, timeout or 0.0, ())

    def open(self) -> None:
        """Let everybody through; hooks that nobody has changed meanwhile get their bodies back."""
        for state in self._states:
            state.reopen(self)
        self._opened.set()


class AtGate:
    """Stands in the place of a hook's body while the gate is closed."""

    __slots__ = ("__weakref__", "_state", "gate", "version")

    def __init__(self, gate: Gate, state: HookState, version: Version) -> None:
        self.gate = gate
        self.version = version
        self._state = state

    def __call__(self, *values: Any) -> Any:
        return self._state.again(self.for_call(None), values)

    def for_call(self, timeout: float | None) -> Version:
        """The version that a call which has come here is to run."""
        if self.gate.lets_pass():
            # An open gate has no hook any more: this call was on its way here when it opened.
            return self.version if self._state.is_behind(self) else self._state.for_call(timeout)
        self.gate.wait(self._state.spec.name, timeout)
        return self._state.for_call(timeout)
