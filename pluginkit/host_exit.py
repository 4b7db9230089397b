"""No host is forgotten: it is closed when the interpreter exits, and on signals if it asked for that."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
import weakref
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.host import Host

_log = logging.getLogger("pluginkit")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_QUIET_SECONDS = 0.1


class ExitGuard:
    """Armed with the first load, disarmed by close; while it is armed, the host is kept alive.

    A host that nobody refers to any more still has plugins to stop, at the latest when the
    program ends.
    """

    def __init__(self, host: Host, *, signals: bool) -> None:
        self._host = weakref.ref(host)
        self._kept: Host | None = None
        self._wants_signals = signals
        self._before: dict[int, Any] = {}
        self._process = os.getpid()

    @property
    def is_armed(self) -> bool:
        return self._kept is not None

    def arm(self) -> None:
        if self.is_armed:
            return
        self._kept = self._host()
        atexit.register(self._close)
        if self._wants_signals and threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_hangup)

    def disarm(self) -> None:
        """Be as if never armed. From another thread than the main one, signals are given back when they come."""
        if self.is_armed:
            self._kept = None
            atexit.unregister(self._close)
            if threading.current_thread() is threading.main_thread():
                self._give_signals_back()

    def _give_signals_back(self) -> None:
        for number, handler in self._before.items():
            # Somebody who replaced our handler since has the last word.
            if signal.getsignal(number) in (self._on_signal, self._on_hangup):
                signal.signal(number, handler)
        self._before = {}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Close, then let the signal do what it would have done without us; so does a second one at once."""
        self._give_signals_back()
        self._close()
        signal.raise_signal(number)

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        """Look for plugins again; not in here, where the main thread may hold any lock."""
        if os.getpid() == self._process:
            threading.Thread(target=self._rescan, name="pluginkit-rescan", daemon=True).start()

    def _rescan(self) -> None:
        host = self._kept
        if host is not None and not host.is_closed:
            try:
                _log.info("SIGHUP: %s", host.rescan(apply=True, quiet=_QUIET_SECONDS))
            except Exception:
                _log.exception("looking for plugins again")

    def _close(self) -> None:
        host = self._kept
        if os.getpid() != self._process:
            # A forked copy: what the plugins hold is the parent's, and locks that another thread
            # held at the fork stay locked here for ever.
            return
        if host is not None and not host.is_closed:
            try:
                host.close()
            except Exception:
                _log.exception("closing the host")
