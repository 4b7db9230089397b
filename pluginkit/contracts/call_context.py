"""What one `execute` call carries: values, and the means to call it off.

A context belongs to one call. The caller makes it, hands it in, and may cancel it from any
thread; the plugin reads values, looks whether it should stop, and leaves values behind.
(`PluginContext` is the other context: one per plugin, for as long as the plugin is loaded.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from pluginkit.errors import CallCancelled


class CallContext:
    """Values by key, cancellation with its cause, and a deadline, for one call.

    Every method may be called from any thread. A context ends once, by `cancel` or by its
    deadline, whichever is first, and the cause then stays as it is. Values stay readable and
    writable after the end, so that a plugin can say how far it came.

    Args:
        values: what the plugin may read; copied.
        timeout: seconds until the call has to be done; None means no limit.

    Raises:
        TypeError: a key is not a string.
        ValueError: the timeout is negative, or not a number.

    >>> ctx = CallContext({"who": "World"}, timeout=30.0)
    >>> ctx.get_value("who"), ctx.get_value("colour", "blue"), ctx.is_done
    ('World', 'blue', False)
    >>> ctx.cancel("no longer needed"), ctx.is_done, str(ctx.cause)
    (True, True, 'no longer needed')
    """

    __slots__ = ("_cause", "_deadline", "_done", "_lock", "_timeout", "_values")

    def __init__(self, values: Mapping[str, object] | None = None, *, timeout: float | None = None) -> None:
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds from 0 on, not {timeout!r}")
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._cause: BaseException | None = None
        self._timeout = timeout
        # Monotonic, so that a clock set by hand or by NTP neither ends a call nor keeps it alive.
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._values: dict[str, object] = {_key(key): value for key, value in (values or {}).items()}

    def get_value(self, key: str, default: object = None) -> object:
        """The value of `key`, or `default`. Raises TypeError when the key is not a string."""
        with self._lock:
            return self._values.get(_key(key), default)

    def set_value(self, key: str, value: object) -> None:
        """Set `key` for everybody who holds this context. Raises TypeError as `get_value` does."""
        with self._lock:
            self._values[_key(key)] = value

    @property
    def values(self) -> Mapping[str, object]:
        """A read-only copy of all values at this moment."""
        with self._lock:
            return MappingProxyType(dict(self._values))

    @property
    def label(self) -> str | None:
        """The value `label`, which selects the work (see `LabelDispatch`), if it is text."""
        label = self.get_value("label")
        return label if isinstance(label, str) else None

    @property
    def deadline(self) -> float | None:
        """When the call has to be done, on the clock of `time.monotonic()`; None for no limit."""
        return self._deadline

    @property
    def remaining(self) -> float | None:
        """Seconds left until the deadline, 0.0 after it, None for no limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def cancel(self, cause: BaseException | str | None = None) -> bool:
        """Call the call off. The first cause stays; True if this was the first.

        Nothing is interrupted by force: the plugin sees it by `is_done`, `wait` or
        `raise_if_done`.

        Args:
            cause: why, as an exception or a sentence; what `cause` then gives.
        """
        if not isinstance(cause, BaseException):
            cause = CallCancelled(cause or "the caller cancelled the call")
        with self._lock:
            return self._end(cause) if not self._is_over() else False

    @property
    def is_done(self) -> bool:
        """Whether the call should end: it was cancelled, or its time is up."""
        if self._done.is_set():
            return True
        with self._lock:
            return self._is_over()

    @property
    def is_cancelled(self) -> bool:
        """Whether the call was called off, as opposed to running out of time."""
        return self.is_done and not isinstance(self._cause, TimeoutError)

    @property
    def cause(self) -> BaseException | None:
        """Why the call should end: what `cancel` was given, or a TimeoutError; None while it may go on."""
        return self._cause if self.is_done else None

    def raise_if_done(self) -> None:
        """Leave a long loop in one line.

        Raises:
            CallCancelled: the call should end; its `__cause__` says why.
        """
        cause = self.cause
        if isinstance(cause, CallCancelled):
            raise CallCancelled(str(cause)) from cause
        if cause is not None:
            raise CallCancelled(f"the call was ended: {cause}") from cause

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until the call should end, at most `timeout` seconds; the answer is `is_done`.

        The right way to pause in a plugin: `if ctx.wait(0.5): return` wakes at once on cancel.
        """
        remaining = self.remaining
        limits = [limit for limit in (timeout, remaining) if limit is not None]
        self._done.wait(min(limits) if limits else None)
        return self.is_done

    def _is_over(self) -> bool:
        """With the lock held: end the context if its deadline has passed; say whether it has ended."""
        if not self._done.is_set() and self._deadline is not None and time.monotonic() >= self._deadline:
            self._end(TimeoutError(f"the call's {self._timeout:g} s are over"))
        return self._done.is_set()

    def _end(self, cause: BaseException) -> bool:
        # The cause first: whoever sees the event set may read the cause without the lock.
        self._cause = cause
        self._done.set()
        return True

    def __repr__(self) -> str:
        state = f"done: {self._cause}" if self.is_done else "running"
        return f"<CallContext {state}, values: {', '.join(self.values) or 'none'}>"


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of CallContext is a string, not {type(key).__name__}: {key!r}")
    return key
