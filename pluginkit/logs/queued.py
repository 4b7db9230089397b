"""The asynchronous path: encode at the caller, keep in the queue, let the drain write.

`write` returns after the queue's commit: from then on a kill loses nothing; see `draining` for the rest
of the way. What the queue refuses (full, closed, unusable) goes to the sinks at once, in the
caller's thread; that is told once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from pluginkit.errors import describe_exception
from pluginkit.logs.draining import Drain, Lane, Tell
from pluginkit.logs.entry import Entry
from pluginkit.logs.guard import Guard
from pluginkit.queue.protocol import RecordQueue


class AsyncPath:
    """A queue with the sinks behind it; to the chain it is one more place that takes records."""

    def __init__(
        self, queue: RecordQueue, guards: Iterable[Guard], tell: Tell, *, batch: int = 500, attempts: int = 5
    ) -> None:
        self.queue = queue
        self.direct = 0
        self.lanes = [Lane(guard) for guard in guards]
        self.drain = Drain(queue, self.lanes, tell, batch=batch, attempts=attempts)
        self._tell = tell
        self._error = ""
        self._last_put = 0
        self._is_closing = False
        self._owner = os.getpid()

    def write(self, entry: Entry) -> None:
        """Keep a record in the queue; without a queue, write it here and now."""
        try:
            number = self.queue.put(entry.json().encode())
        except Exception as error:
            self._write_directly(entry, describe_exception(error))
            return
        self._last_put = max(self._last_put, number)
        if self._error:
            self._error = ""
            self._tell(f"the log queue takes records again; {self.direct} were logged without it", None)

    def _write_directly(self, entry: Entry, why: str) -> None:
        self.direct += 1
        for lane in self.lanes:
            lane.guard.write(entry)
        if not self._error and not self._is_closing and self._owner == os.getpid():
            self._error = why
            self._tell(f"the log queue refuses records: {why}; they are logged without it", None)

    def complete(self, timeout: float) -> bool:
        """Wait until all that was put before this call is written, for at most `timeout` seconds."""
        # A forked child has no drain: its records go into the queue if that takes them, else directly.
        return self._owner == os.getpid() and self.drain.wait_for(self._last_put, timeout)

    def close(self, timeout: float) -> bool:
        """Drain for at most `timeout` seconds, then leave the rest in the queue for the next start."""
        if self._owner != os.getpid():
            return True
        self._is_closing = True
        return self.drain.stop(self._last_put, timeout)

    def stats(self) -> Mapping[str, int]:
        """Counts of the queue, what was logged without it, and what was given up here."""
        counts: dict[str, int] = {}
        with suppress(Exception):  # a queue that is closed has nothing to say
            counts = self.queue.counts().as_json()
        return {**counts, "direct": self.direct, "given_up": self.drain.dead}
