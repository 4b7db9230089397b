"""A call that its caller does not wait for longer than it wants to.

Python cannot end a thread. So the call runs in a thread of its own, the caller leaves when the
time is over, and the thread is told to begin nothing further; what it runs at that moment, it
runs to its end. The thread is a daemon: a plugin that hangs does not keep the process alive.
It has a copy of the caller's context variables; what the plugin sets in them stays with it.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pluginkit.errors import CallTimeout
from pluginkit.hooks.late import LateResults
from pluginkit.hooks.observing import Progress
from pluginkit.hooks.values import Implementation
from pluginkit.hooks.version import Version

R = TypeVar("R")


class Handover:
    """What passes between a thread that works and one that waits, whichever ends first."""

    def __init__(self, work: Callable[[], Any], late: Callable[[], None], title: str) -> None:
        self._work = work
        self._late = late
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._is_abandoned = False
        self._result: Any = None
        self._error: BaseException | None = None
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name=title, daemon=True)

    def ends_within(self, seconds: float) -> bool:
        """Begin the work and wait for it; whether it ended in time. If not, it is abandoned."""
        try:
            self._thread.start()
            if self._done.wait(seconds):
                return True
        except BaseException:
            # Ctrl-C: nobody will ask for the result.
            self._abandon()
            raise
        return not self._abandon()

    def result(self) -> Any:
        """What the work gave, or raised."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            # Otherwise the error and this frame hold each other.
            del error

    def _abandon(self) -> bool:
        with self._lock:
            self._is_abandoned = not self._done.is_set()
            return self._is_abandoned

    def _run(self) -> None:
        try:
            result = self._work()
        except BaseException as error:
            self._finish(None, error)
        else:
            self._finish(result, None)

    def _finish(self, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if not self._is_abandoned:
                self._result, self._error = result, error
            self._done.set()
        if self._is_abandoned:
            self._late()


def finish_within(
    timeout: float, call: Callable[[], R], progress: Progress, version: Version, late: LateResults
) -> R:
    """Run an observed call, for at most `timeout` seconds of the caller's time.

    Raises:
        CallTimeout: it took longer. The plugin that was running is named, and its failure
            reported; what it gives later is dropped and counted in `late`.
    """
    hook = version.spec.name

    def count() -> None:
        if progress.current is not None:
            late.add(progress.current.plugin, hook)

    handover = Handover(call, count, f"hook {hook}")
    try:
        if handover.ends_within(timeout):
            result: R = handover.result()
            return result
    finally:
        progress.abandon()
    raise _timed_out(version, timeout, progress.current)


def _timed_out(version: Version, timeout: float, running: Implementation | None) -> CallTimeout:
    error = CallTimeout(version.spec.name, timeout, [] if running is None else [running.plugin])
    if running is not None:
        version.failures("record").note(running, error)
    return error
