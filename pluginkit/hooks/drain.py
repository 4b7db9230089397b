"""Knowing when nobody runs in the implementations of a provider any more.

Bodies hold their implementations, frames hold their bodies. So when the last call ends that
began before a provider was removed, the provider's implementations die at once, by reference
count, and a weak reference says so. No call pays for that.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable

from pluginkit.hooks.values import Implementation


class Retirement:
    """The end of one removed provider, from its commit until the last call in it has ended.

    >>> with_nothing_to_wait_for = Retirement("cat", [])
    >>> with_nothing_to_wait_for.is_drained
    True
    """

    def __init__(self, plugin: str, implementations: Iterable[Implementation]) -> None:
        self.plugin = plugin
        # Reentrant: collecting garbage under it may end an implementation in this very thread.
        self._lock = threading.RLock()
        self._drained = threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        self._alive = {weakref.ref(one, self._one_gone) for one in implementations}
        if not self._alive:
            self._drained.set()

    def __repr__(self) -> str:
        return f"<Retirement of {self.plugin!r}, {'drained' if self.is_drained else 'draining'}>"

    @property
    def is_drained(self) -> bool:
        """Whether the last call that used the provider has ended."""
        return self._drained.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for the last call; gives whether it has ended."""
        return self._drained.wait(timeout)

    def when_drained(self, callback: Callable[[], object]) -> None:
        """Have `callback` called once, in the thread that ends the last call, or now if it has ended."""
        with self._lock:
            if not self._drained.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def _one_gone(self, reference: weakref.ref[Implementation]) -> None:
        with self._lock:
            self._alive.discard(reference)
            if self._alive:
                return
            self._drained.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
