"""Signal handlers as layers, which any thread can take away.

Python sets signal handlers in the main thread only, but a plugin is reloaded and unloaded from
any thread. So the handler that the interpreter knows is one of ours for as long as there is a
layer; what it does is looked up when the signal comes, in the main thread.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from pluginkit.errors import StateError
from pluginkit.loading import layers

_wanted: dict[int, Any] = {}
"""Signal → what to do about it, for those that `_deliver` is the handler of."""


@dataclass(frozen=True, slots=True)
class SignalPlace:
    """What the process does about one signal."""

    number: int

    @property
    def key(self) -> Hashable:
        return "signal", self.number

    def read(self) -> Any:
        present = signal.getsignal(self.number)
        return behind(self.number, present)

    def write(self, value: Any) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main and signal.getsignal(self.number) is not _deliver:
            raise StateError(
                f"{signal.Signals(self.number).name}: Python lets only the main thread set a signal handler; "
                "load the plugin there first, later versions may come from any thread"
            )
        _wanted[self.number] = value
        if is_main:
            signal.signal(self.number, _deliver)


def behind(number: int, handler: Any) -> Any:
    """What really is to be done, where the interpreter names `handler`."""
    return _wanted.get(number) if handler is _deliver else handler


def uncovered(number: int, remove: Callable[[], None]) -> Callable[[], None]:
    """`remove`, which after the last layer gives the signal back where that is possible."""

    def undo() -> None:
        remove()
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(number) is _deliver and not layers.is_held(SignalPlace(number)):
            original = _wanted.pop(number)
            # None was set by C code, and nobody but C code can set it again.
            if original is not None:
                signal.signal(number, original)

    return undo


def _deliver(number: int, frame: FrameType | None) -> None:
    """Do what is wanted now; runs in the main thread, as every handler of Python does."""
    wanted = _wanted.get(number)
    if callable(wanted):
        wanted(number, frame)
    elif wanted == signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
