"""A look at a queue that no host has open at the moment."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Literal, Self

from pluginkit.queue.channel import Policy
from pluginkit.queue.errors import QueueUnusable
from pluginkit.queue.opening import join, leave
from pluginkit.queue.protocol import DeadLetter, Leased, QueueCounts


class QueueView:
    """Counts, dead letters and what can be done about them, without being the drain.

    It has the file as long as it is open, so close it soon. It makes no file, repairs none, and
    leases nothing. Raises `QueueOwned`, which names the process that has the file, and `QueueUnusable`
    if there is no such file or it is damaged (the next host that opens it repairs it).
    """

    def __init__(self, path: str | PathLike[str], name: str = "log_queue") -> None:
        file = Path(path)
        if not file.is_file():
            raise QueueUnusable(file, "there is no such queue yet; a host makes it when it needs one")
        policy = Policy(remove_on_complete=True, max_bytes=None, on_full="raise", max_attempts=1)
        self._store, self._channel = join(file, name, "power", policy, is_host=False)

    def counts(self) -> QueueCounts:
        """How many records are where."""
        return self._store.run(self._channel.counts)

    def peek(self, count: int = 10) -> list[Leased]:
        """The next records to be delivered."""
        return self._store.run(lambda: self._channel.peek(count))

    def dead_letters(self, limit: int | None = None) -> list[DeadLetter]:
        """The records that were given up."""
        return self._store.run(lambda: self._channel.dead_letters(limit))

    def replay(self, ids: Iterable[int] | None = None) -> int:
        """Let dead letters be delivered again by the next drain; returns how many."""
        picked = None if ids is None else list(ids)
        return self._store.run(lambda: self._channel.replay(picked))

    def purge(self, which: Literal["done", "dead", "pending"]) -> int:
        """Delete records of one kind; returns how many."""
        return self._store.run(lambda: self._channel.purge(which))

    def close(self) -> None:
        """Let go of the file."""
        leave(self._store, self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
