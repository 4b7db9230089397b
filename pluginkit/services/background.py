"""Work that goes on beside the plugin's calls: timers and asyncio tasks. Both end with the plugin."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pluginkit.errors import StateError

if TYPE_CHECKING:
    import asyncio


class Timer:
    """Calls a function after `delay` seconds, or every `interval` seconds, in a thread of its own.

    A call that raises is logged, and the next one comes all the same.
    """

    def __init__(
        self,
        function: Callable[[], Any],
        *,
        interval: float | None,
        delay: float | None,
        name: str,
        log: logging.Logger,
    ) -> None:
        if interval is None and delay is None:
            raise ValueError("a timer needs interval=seconds (again and again) or delay=seconds (once)")
        if min(value for value in (interval, delay) if value is not None) < 0:
            raise ValueError("a timer's interval and delay are seconds and cannot be negative")
        self._function = function
        self._interval = interval
        self._delay = interval if delay is None else delay
        self._log = log
        self._cancelled = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def cancel(self) -> None:
        """No further call begins; one that runs is not waited for."""
        self._cancelled.set()

    def _run(self) -> None:
        wait = self._delay
        while wait is not None and not self._cancelled.wait(wait):
            try:
                self._function()
            except Exception:
                self._log.exception("a timer's function has failed")
            wait = self._interval


class BackgroundTask:
    """An asyncio task that can be cancelled, and waited for, from any thread."""

    def __init__(
        self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop | None, *, name: str
    ) -> None:
        import asyncio

        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        self._loop = loop or running
        if self._loop is None:
            work.close()
            raise StateError("no event loop runs in this thread; say which one to use: task(…, loop=loop)")
        self._done = threading.Event()
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False
        if self._loop is running:
            self._start(work, name)
        else:
            self._loop.call_soon_threadsafe(self._start, work, name)

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        if self._loop is None or self._is_cancelled:
            work.close()
            self._done.set()
            return
        self._task = self._loop.create_task(work, name=name)
        self._task.add_done_callback(lambda _task: self._done.set())

    def cancel(self) -> None:
        """Have the task cancelled by its loop; a loop that is closed has none any more."""
        self._is_cancelled = True
        if self._loop is None or self._loop.is_closed():
            self._done.set()
        elif not self._done.is_set():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def is_alive(self) -> bool:
        return not self._done.is_set()

    def join(self, timeout: float) -> None:
        """Wait for the end, unless this very thread would have to bring it about."""
        import asyncio

        if asyncio._get_running_loop() is not self._loop:
            self._done.wait(timeout)
