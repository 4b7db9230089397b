"""Whose `atexit` calls are whose: the interpreter does not list them, so they are noted as they come.

`atexit.register` is ours while plugins are loaded. It passes everything through; only what a
thread registers in a block of `noted` gets a handle of its own, by which it can be taken back.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class ExitCall:
    """A function registered with `atexit`; equal to it, so that `atexit.unregister` finds it."""

    __slots__ = ("_arguments", "_function", "_keywords")
    __hash__ = None  # type: ignore[assignment]  # equal to a function that hashes by itself

    def __init__(self, function: Callable[..., Any], arguments: Any, keywords: Any) -> None:
        self._function: Callable[..., Any] | None = function
        self._arguments = arguments
        self._keywords = keywords

    def __call__(self) -> Any:
        if self._function is not None:
            return self._function(*self._arguments, **self._keywords)
        return None

    def __eq__(self, other: object) -> bool:
        return other is self or (self._function is not None and other == self._function)

    def undo(self) -> None:
        """Take this very call back, no other of the same function."""
        self._function, self._arguments, self._keywords = None, (), {}
        atexit.unregister(self)


class _Noted(threading.local):
    def __init__(self) -> None:
        self.stack: list[list[ExitCall]] = []


_noted = _Noted()
_lock = threading.Lock()
_register: Callable[..., Any] = atexit.register
"""The interpreter's own, or what somebody had put in its place before us."""


def _register_and_note(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    if not _noted.stack or not callable(function):
        return _register(function, *args, **kwargs)
    call = ExitCall(function, args, kwargs)
    _register(call)
    _noted.stack[-1].append(call)
    return function


@contextmanager
def noted(calls: list[ExitCall]) -> Iterator[None]:
    """Collect in `calls` what this thread registers with `atexit` in the block."""
    _noted.stack.append(calls)
    try:
        yield
    finally:
        _noted.stack.pop()


def install() -> None:
    """Have `atexit.register` note; called when the first plugin is loaded."""
    with _lock:
        # Somebody else's replacement may call ours: to go over it again would go in circles.
        if atexit.register is _register:
            atexit.register = _register_and_note


def uninstall() -> None:
    """Put the original back, unless somebody has replaced ours."""
    with _lock:
        if atexit.register is _register_and_note:
            atexit.register = _register
