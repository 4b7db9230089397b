"""The file sink: JSON lines, rotated by size, kept by count and by age, compressed.

What must stay true:

- A line is whole or not there. Each write is one `os.write` of whole lines to a file opened for
  appending; what a full disk or a kill left of a line is cut off, at once or at the next opening.
- Whoever renames, compresses or removes holds the directory's lock and looks again whether the
  file under the name is still his: two processes may write to one log.
- Only the process that opened it rotates it. A forked child appends to it.
- When it raises it says how many records are in the file, so that none is written twice.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pluginkit.logs import parts
from pluginkit.logs.entry import Entry
from pluginkit.logs.sinks import PartlyWritten

_LOOK_AGAIN = 1.0
"""Seconds after which it is looked whether the file was moved away by somebody else."""
_RECORD_ID = re.compile(rb'"record_id":"([0-9a-f]+)-(\d+)"\}$')


class FileSink:
    """Writes one JSON object for each record.

    `max_bytes` is the size at which the file is rotated (0 = never), `max_backups` how many
    rotated ones are kept, `max_age_days` for how long; 0 is no limit. `background` compresses
    and removes in a thread of its own, so that no caller waits for it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 2_000_000,
        max_backups: int = 0,
        max_age_days: float = 0,
        compress: bool = False,
        location: bool = True,
        background: bool = True,
    ) -> None:
        self.path = Path(path).absolute()
        self._max_bytes = max_bytes
        self._tidy_parts = partial(
            parts.tidy, self.path, compress=compress, max_backups=max_backups, max_age_days=max_age_days
        )
        self._location = location
        self._background = background
        self._descriptor = -1
        self._size = 0
        self._look_at = 0.0
        self._owner = os.getpid()
        self._tidying: threading.Thread | None = None

    def write(self, entries: Sequence[Entry]) -> None:
        written = 0
        try:
            self._open_if_needed()
            while written < len(entries):
                chunk, count = self._chunk(entries, written)
                if self._is_full(len(chunk)):
                    self._rotate()
                    continue
                self._append(chunk)
                written += count
        except OSError as error:
            self._close_descriptor()
            raise PartlyWritten(written) from error

    def _chunk(self, entries: Sequence[Entry], start: int) -> tuple[bytes, int]:
        """Whole lines from `start` on that fit into the file, at least one."""
        room = self._max_bytes - self._size if self._max_bytes else 1 << 62
        lines: list[str] = []
        size = 0
        for entry in entries[start:]:
            line = entry.json(location=self._location)
            if lines and size + len(line) + 1 > room:
                break
            lines.append(line)
            size += len(line) + 1
        lines.append("")
        return "\n".join(lines).encode("utf-8", "backslashreplace"), len(lines) - 1

    def _is_full(self, more: int) -> bool:
        return bool(self._max_bytes and self._size and self._size + more > self._max_bytes and self._owns)

    @property
    def _owns(self) -> bool:
        return self._owner == os.getpid()

    def _append(self, data: bytes) -> None:
        written = os.write(self._descriptor, data)
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            # The disk is full: no half line stays, unless somebody else has written behind it.
            if os.fstat(self._descriptor).st_size == self._size + written:
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += written

    def _open_if_needed(self) -> None:
        if self._descriptor >= 0:
            now = time.monotonic()
            if now < self._look_at:
                return
            self._look_at = now + _LOOK_AGAIN
            if self._is_current():
                self._size = os.fstat(self._descriptor).st_size
                return
            self._close_descriptor()
        is_first = not self._look_at
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        if is_first and self._owns:
            with parts.directory_lock(self.path.parent):
                self._cut_torn_line()
            self._tidy()

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o666)
        # Says to a compression that somebody still writes to this file, whatever its name is by then.
        fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._size = os.fstat(self._descriptor).st_size
        self._look_at = time.monotonic() + _LOOK_AGAIN

    def _is_current(self) -> bool:
        mine = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def _rotate(self) -> None:
        with parts.directory_lock(self.path.parent):
            if self._is_current():
                parts.rotate(self.path)
            self._close_descriptor()
            self._open()
        self._tidy()

    def _tidy(self) -> None:
        if not self._background:
            self._tidy_now()
        elif self._tidying is None or not self._tidying.is_alive():
            self._tidying = threading.Thread(target=self._tidy_now, name="pluginkit-log-tidy", daemon=True)
            try:
                self._tidying.start()
            except RuntimeError:  # the interpreter is about to end: the next start tidies
                self._tidying = None

    def _tidy_now(self) -> None:
        try:
            with parts.directory_lock(self.path.parent):
                self._tidy_parts()
        except OSError:
            # A full disk has no room for the compressed file. The part stays as it is: nothing is lost.
            return

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._descriptor).st_size
        end = size
        while end:
            start = max(0, end - 65_536)
            newline = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._descriptor, end)
        self._size = end

    def written_ids(self, token: str, above: int, since: float) -> set[int]:
        """Which of a queue's records above an id are in the files already.

        That is the cursor: the files themselves say how far they are written, so no rotation,
        compression or kill can part what they say from what is in them. Files that were last
        written before `since` are not looked at, nor those before the one where it ends.
        """
        found: set[int] = set()
        with parts.directory_lock(self.path.parent):
            files = parts.all_files(self.path)
            for file in reversed(files):
                if file.stat().st_mtime < since or self._ids_of(file, token, above, found):
                    break
        return found

    @staticmethod
    def _ids_of(file: Path, token: str, above: int, found: set[int]) -> bool:
        """Add the ids of a file; whether it holds one that is not above, so that older files need no look."""
        from pluginkit.logs.reading import read_bytes

        for line in reversed(read_bytes(file).split(b"\n")[:-1]):
            match = _RECORD_ID.search(line)
            if match is None or match[1].decode() != token:
                continue
            number = int(match[2])
            if number <= above:
                return True
            found.add(number)
        return False

    def _close_descriptor(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Close the file, and wait for a compression that is going on."""
        self._close_descriptor()
        tidying, self._tidying = self._tidying, None
        if tidying is not None and self._owns:
            tidying.join(10.0)
