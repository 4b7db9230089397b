"""Queues over `fork`: the child leaves the inherited connection alone, and what it puts is not lost.

SQLite's state must not be used by two processes that share it, and even closing it in the child would
write to the file that the parent has. So in a child a store is marked, by a hook that runs before
any other code of the child, and from then on the connection is neither used nor ever freed. What the
child puts goes into a spool, a plain file beside the queue's (`FILE.fork-PID-…`); the owner takes it over
while it leases, and whoever opens the file next takes over what the owner did not.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from pluginkit.queue.connection import transaction
from pluginkit.queue.errors import QueueFull

if TYPE_CHECKING:
    from pluginkit.queue.channel import Channel

_HEAD = struct.Struct("<II")
"""Before each frame: its length and its check sum. The first frame is the queue's name."""
PAUSE = 1.0
"""Seconds between two looks of the owner for what its children have put."""

kept_for_ever: list[object] = []
"""Connections that this process inherited."""


def never_free(connection: object) -> None:
    """Keep an inherited connection from being closed, also when the interpreter takes everything down."""
    if not kept_for_ever:
        atexit.register(_hold)
    kept_for_ever.append(connection)


def _hold() -> None:
    import ctypes

    for one in kept_for_ever:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


class Spool:
    """What a forked child puts into one queue: framed records, each written by one call."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self.reset()

    def reset(self) -> None:
        """In a child that was just forked: nothing of its parent's spool is its own."""
        self._descriptor = -1
        self._lock = threading.RLock()

    def write(self, bodies: Sequence[bytes], *, is_synced: bool) -> None:
        """Keep records for the owner. Raises `QueueFull` if the disk has no room, and other OSErrors."""
        data = b"".join(map(_frame, bodies))
        with self._lock:
            try:
                if self._descriptor < 0:
                    self._descriptor = self._create()
                size = os.fstat(self._descriptor).st_size
                if os.write(self._descriptor, data) < len(data):
                    # Half a frame would hide what comes after it.
                    os.ftruncate(self._descriptor, size)
                    raise QueueFull(self._path, "the disk is full; the record was not kept")
                if is_synced:
                    os.fdatasync(self._descriptor)
            except OSError as error:
                raise QueueFull(self._path, f"a forked child cannot keep its record: {error}") from error

    def _create(self) -> int:
        name = f"{self._path.name}.fork-{os.getpid()}-{os.urandom(4).hex()}"
        final, making = self._path.with_name(name), self._path.with_name(f".{name}.tmp")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        # Locked before it has its name: the owner removes spools that nobody has locked.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, _frame(self._name.encode()))
        os.rename(making, final)
        return descriptor


def _frame(body: bytes) -> bytes:
    return _HEAD.pack(len(body), crc32(body)) + body


class Adoption:
    """The owner's side: takes over, once each, what children have put into one queue."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def run(self) -> int:
        """Take over what is there now; returns how many records. Under the store's lock."""
        self._next = time.monotonic() + PAUSE
        path = self._channel.store.path
        taken = 0
        with contextlib.suppress(OSError):
            for entry in sorted(os.listdir(path.parent)):
                if entry.startswith(f"{path.name}.fork-"):
                    taken += self._take(path.with_name(entry))
        return taken

    def _take(self, spool: Path) -> int:
        with contextlib.suppress(FileNotFoundError), open(spool, "rb") as stream:
            # Asked before reading: nothing can be written after the answer that its writer is gone.
            is_left = _is_left(stream.fileno())
            start = self._taken_up_to(spool.name)
            name, first = _read_frame(stream.read(), 0)
            if name is None or name.decode() != self._channel.name:
                return 0
            stream.seek(max(start, first))
            bodies, length = _whole_frames(stream.read())
            self._keep(spool.name, bodies, max(start, first) + length)
            if is_left:
                spool.unlink()
                self._forget(spool.name)
            return len(bodies)
        return 0

    def _taken_up_to(self, name: str) -> int:
        run = self._channel.store.connection.execute
        row = run("SELECT up_to FROM adopted WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def _keep(self, name: str, bodies: list[bytes], up_to: int) -> None:
        if not bodies:
            return
        channel = self._channel
        first = channel.ledger.last + 1
        with transaction(channel.store.connection):
            channel.sql.insert(channel.store.connection, first, bodies)
            channel.store.connection.execute("INSERT OR REPLACE INTO adopted VALUES (?, ?)", (name, up_to))
        channel.ledger.added(first, len(bodies), sum(map(len, bodies)))

    def _forget(self, name: str) -> None:
        self._channel.store.connection.execute("DELETE FROM adopted WHERE name = ?", (name,))


def _is_left(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _whole_frames(data: bytes) -> tuple[list[bytes], int]:
    bodies: list[bytes] = []
    place = 0
    while True:
        body, end = _read_frame(data, place)
        if body is None:
            return bodies, place
        bodies.append(body)
        place = end


def _read_frame(data: bytes, place: int) -> tuple[bytes | None, int]:
    """The frame at a place and where it ends; None if it is not there as a whole (yet)."""
    begin = place + _HEAD.size
    if begin > len(data):
        return None, place
    length, crc = _HEAD.unpack_from(data, place)
    body = data[begin : begin + length]
    if len(body) < length or crc32(body) != crc:
        return None, place
    return body, begin + length
