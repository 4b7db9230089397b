"""Exactly one process uses a queue's file: a lock beside it that ends with its process.

The lock is `flock` on `FILE.lock`; the system lets go of it however the process ends, so there is
no stale lock to clean up. What is written in that file is for people only.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path

from pluginkit.queue.errors import QueueOwned, QueueUnusable

_NETWORK = frozenset(
    {"afs", "cephfs", "cifs", "fuse.sshfs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)
"""File systems on which neither locks nor SQLite's write-ahead log can be relied on."""


class OwnerLock:
    """The lock of one file. Raises `QueueOwned` if another process has it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(
            path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 4096, 0)
            self.let_go()
            raise _owned(path, owner) from None
        except BaseException:
            self.let_go()
            raise
        self._sign()

    def _sign(self) -> None:
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        text = json.dumps(mine).encode()
        try:
            os.pwrite(self._descriptor, text, 0)
            os.ftruncate(self._descriptor, len(text))
        except OSError:
            return  # a full disk: the lock holds all the same, only its owner's name is missing

    def let_go(self) -> None:
        """Give the lock up. In a forked child this closes its copy only; the parent keeps the lock."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _owned(path: Path, written: bytes) -> QueueOwned:
    try:
        owner = json.loads(written)
        pid = int(owner["pid"])
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(owner["since"])))
        who = f"process {pid} on {owner['host']} has it since {since}"
    except (ValueError, LookupError, TypeError, OverflowError):
        pid, who = 0, "another process has it"
    todo = "stop that one, or give this host a queue file of its own (`logging.mq.log_db_file`)"
    return QueueOwned(path, pid, f"the queue is in use: {who}; {todo}")


def refuse_network(path: Path, mounts: str = "/proc/self/mountinfo") -> None:
    """Raise `QueueUnusable` if the file would lie on a network file system, where that can be known."""
    kind = _file_system(os.path.realpath(path), mounts)
    if kind in _NETWORK:
        text = f"it would lie on a network file system ({kind}), where locks cannot be relied on"
        raise QueueUnusable(path, f"{text}; put it on a local disk")


def _file_system(path: str, mounts: str) -> str:
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return ""  # not Linux
    best, kind = -1, ""
    for line in lines:
        fields, _, tail = line.partition(" - ")
        place = fields.split(" ")[4].replace("\\040", " ")
        is_above = path == place or path.startswith(place.rstrip("/") + "/")
        # The last of several mounts on one place is the one that is seen.
        if is_above and len(place) >= best:
            best, kind = len(place), tail.split(" ")[0]
    return kind
