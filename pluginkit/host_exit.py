"""No host is forgotten: it is closed when the interpreter exits, and on signals if it asked for that."""

from __future__ import annotations

import atexit
import logging
import signal
import threading
import weakref
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.host import Host

_log = logging.getLogger("pluginkit")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ExitGuard:
    """Armed with the first load, disarmed by close. Knows its host weakly: it keeps none alive."""

    def __init__(self, host: Host, *, signals: bool) -> None:
        self._host = weakref.ref(host)
        self._wants_signals = signals
        self._before: dict[int, Any] = {}
        self.is_armed = False

    def arm(self) -> None:
        if self.is_armed:
            return
        self.is_armed = True
        atexit.register(self._at_exit)
        if self._wants_signals and threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

    def disarm(self) -> None:
        if not self.is_armed:
            return
        self.is_armed = False
        atexit.unregister(self._at_exit)
        for number, handler in self._before.items():
            # Somebody who replaced our handler since has the last word.
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, handler)
        self._before = {}

    def _at_exit(self) -> None:
        self._close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Close, then let the signal do what it would have done without us."""
        self._close()
        signal.raise_signal(number)

    def _close(self) -> None:
        host = self._host()
        if host is not None and not host.is_closed:
            try:
                host.close()
            except Exception:
                _log.exception("closing the host")
