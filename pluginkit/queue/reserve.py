"""Some disk space kept back, so that a full disk can be drained: even deleting needs room in SQLite."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

SIZE = 512 * 1024
"""Bytes; many times what a transaction that deletes some hundred records writes."""
PAUSE = 1.0
"""Seconds between two attempts to take the space back."""


class Reserve:
    """The file `FILE.reserve`: given away when the disk is full, made again when there is room."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path.with_name(f"{path.name}.reserve")
        self._size = size
        self._next = 0.0
        self.is_there = False
        self.make()

    def make(self) -> None:
        """Take the space, if it is not taken; no room for it is no error."""
        if self.is_there or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # A file with holes would keep nothing back.
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError:
            self._remove()
        else:
            self.is_there = True

    def give(self) -> bool:
        """Free the space for what must be written now; False if it was given before."""
        had, self.is_there = self.is_there, False
        self._next = time.monotonic() + PAUSE
        self._remove()
        return had

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()
