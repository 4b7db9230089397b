"""What can go wrong with a queue; every sentence names the file and what to do."""

from __future__ import annotations

import queue
from pathlib import Path

from pluginkit.errors import PluginkitError, UsageError


class QueueOwned(UsageError):
    """The queue's file is in use by somebody else; `pid` is that process (0 if it could not be read)."""

    def __init__(self, path: Path, pid: int, text: str) -> None:
        self.path = path
        self.pid = pid
        super().__init__(f"{path}: {text}")


class QueueClosed(UsageError, RuntimeError):
    """The queue was closed, or is being closed, and takes no more."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(f"{path}: the queue {name!r} is closed; open it again to put or acknowledge records")


class QueueFull(PluginkitError, queue.Full):
    """There is no room for a record: `max_bytes` is reached, or the disk is full. It was not kept."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        super().__init__(f"{path}: {text}")


class QueueUnusable(PluginkitError, OSError):
    """The queue's file cannot be used at all; the sentence says why and what to do."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        super().__init__(f"{path}: {text}")
