"""Garbage of retired generations is collected off the call path, and what stays alive is named.

Modules, classes and functions refer to each other in circles, so a retired generation is freed
by a garbage collection, and Python's own comes late in a big process. To collect at every reload
would cost more than the reload. So it is done when several have come together, in the thread that
reloads, or after a quiet time, in a thread of its own that ends with it.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.lifecycle.in_flight import would_wait_for_itself

if TYPE_CHECKING:
    from pluginkit.runtimes import Leftover

_log = logging.getLogger("pluginkit")

MOST = 8
"""How many retired generations wait for a collection at most."""
QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Retired:
    """A generation that should be gone: `alive` names its modules that are not, `running` what runs in it."""

    plugin: str
    generation: int | None
    alive: Callable[[], tuple[str, ...]]
    running: tuple[Leftover, ...] = ()


class Collector:
    """Sees to it that retired generations are freed; knows those that somebody still refers to."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Retired] = []
        self._held: list[Retired] = []
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._arrivals = 0

    def retired(self, plugin: str, generation: int | None, alive: Callable[[], tuple[str, ...]]) -> None:
        """Have a generation's memory freed soon."""
        with self._changed:
            if self._is_closed:
                return
            # The thread is not woken, which would cost whoever reloads: it looks when it wakes.
            self._waiting.append(Retired(plugin, generation, alive))
            self._arrivals += 1
            self._begin_to_wait()

    def relieve(self) -> None:
        """Collect if enough have come together; for the end of an operation, when nothing of it is left.

        Within a hook call somebody waits for the result; the thread does it then.
        """
        if len(self._waiting) >= MOST and not would_wait_for_itself():
            self.collect()

    def collect(self) -> None:
        """Collect now, and look what is left."""
        with self._changed:
            waiting, self._waiting = self._waiting, []
            self._changed.notify()
        if any(one.alive() for one in waiting):
            gc.collect()
        held = [one for one in waiting if one.alive()]
        for one in held:
            names = ", ".join(one.alive())
            _log.warning(
                "plugin %r: generation %s is out of use, but somebody still refers to: %s",
                one.plugin,
                one.generation,
                names,
            )
        with self._changed:
            self._held = [one for one in (*self._held, *held) if one.alive()]

    def held(self) -> tuple[Retired, ...]:
        """The retired generations that were still referred to when it was last looked."""
        with self._changed:
            self._held = [one for one in self._held if one.alive()]
            return tuple(self._held)

    def close(self) -> None:
        """Collect no more; the thread ends."""
        with self._changed:
            self._is_closed, self._waiting = True, []
            self._changed.notify()
        self.rest()

    def rest(self) -> None:
        """Wait for the thread to end, if there is nothing more to wait for."""
        with self._changed:
            thread = None if self._waiting else self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _begin_to_wait(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, name="pluginkit-collect", daemon=True)
            self._thread.start()

    def _wait(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    return
                # Whatever comes meanwhile begins the quiet time anew.
                arrivals = self._arrivals
                if self._changed.wait(QUIET_SECONDS) or self._arrivals != arrivals:
                    continue
            self.collect()
