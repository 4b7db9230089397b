"""A damaged file is set aside, and what is whole in it goes into a new one, in order.

Nothing is thrown away: the old file, with its log, stays as `FILE.corrupt-1` (2, 3, …) for whoever
wants to look closer. A record is whole if SQLite can reach it and its check sum is right.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from pluginkit.queue.connection import CACHED_STATEMENTS, connect, transaction
from pluginkit.queue.tables import Statements

_TABLE = re.compile(r"(records|done|dead|tries)_(\d+)\Z")
_AT_ONCE = 200
_LAST_ID = 1 << 62
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """What became of a damaged file: why, where it lies now, and how many records were whole."""

    error: str
    kept: Path
    recovered: int

    def __str__(self) -> str:
        return (
            f"the queue's file was damaged ({self.error}); it is kept as {self.kept}, "
            f"and {self.recovered} whole records were taken over"
        )


def renew(path: Path, error: object, names: dict[int, str]) -> Damage:
    """Set the file aside and make a new one from it. `names` are queues known by number.

    The connection to the old file must be closed. Raises OSError or sqlite3.Error if not even a
    new file can be made; then the old one is still there, under its new name.
    """
    kept = _set_aside(path)
    with closing(connect(path)) as new:
        recovered = _take_over(kept, new, names)
    return Damage(str(error), kept, recovered)


def _set_aside(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    # The log goes first: a main file without its log is an older state, but a log beside a new
    # file would be taken for the log of that one.
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{kept}{suffix}")
    return kept


def _take_over(kept: Path, new: sqlite3.Connection, names: dict[int, str]) -> int:
    """Copy what can be read. Whatever of the old file cannot be read is left in it."""
    old = sqlite3.connect(kept, isolation_level=None, cached_statements=CACHED_STATEMENTS)
    with closing(old):
        try:
            tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master")]
        except sqlite3.Error:
            return 0  # not even the list of tables: SQLite cannot reach anything
        with transaction(new):
            _file_tables(old, new)
            found = {int(match[2]) for match in map(_TABLE.match, tables) if match}
            for number in sorted(found):
                name = names.get(number) or f"recovered-{number}"
                new.execute("INSERT OR IGNORE INTO queues (number, name) VALUES (?, ?)", (number, name))
                for text in Statements(number).create:
                    new.execute(text)
            return sum(_copy(old, new, match) for match in map(_TABLE.match, tables) if match)


def _file_tables(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    # After damage ids go on with a gap: some that were given may be gone without a trace.
    new.execute("UPDATE file SET is_clean = 0")
    for table, places in (("queues", "?, ?, ?, ?, ?"), ("marks", "?, ?, ?"), ("adopted", "?, ?")):
        with suppress(sqlite3.Error):
            for row in old.execute("SELECT * FROM " + table):  # noqa: S608  # our own names
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608  # our own names


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, match: re.Match[str]) -> int:
    table, kind = match[0], match[1]
    copied = 0
    for row in _rows(old, table):
        if kind != "tries" and not _is_whole(row):
            continue
        places = ", ".join("?" * len(row))
        new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608  # our own names
        copied += kind != "tries"
    return copied


def _is_whole(row: _Row) -> bool:
    return isinstance(row[2], bytes) and crc32(row[2]) == row[1]


def _rows(old: sqlite3.Connection, table: str) -> Iterator[_Row]:
    """All rows that can be read, in order; what cannot is jumped over in ever larger steps."""
    text = f"SELECT * FROM {table} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608  # our own names
    last, step, size = 0, 1, _AT_ONCE
    while last < _LAST_ID:
        try:
            rows = old.execute(text, (last, _LAST_ID, size)).fetchall()
        except sqlite3.Error:
            # First close in on the row that cannot be read, then on the next one that can.
            if size > 1:
                size = 1
            else:
                last, step = last + step, step * 2
            continue
        if size == 1 and step > 1:
            # Readable again, but the last jump may have gone over rows that are too.
            low = last - step // 2
            rows = _between(old, text, low, last) + rows
        step, size = 1, _AT_ONCE
        if not rows:
            return
        yield from rows
        last = rows[-1][0]


def _between(old: sqlite3.Connection, text: str, low: int, high: int) -> list[_Row]:
    """The readable rows at the end of a stretch whose beginning cannot be read."""
    best: list[_Row] = []
    good = high
    while low + 1 < good:
        middle = (low + good) // 2
        try:
            best = old.execute(text, (middle, high, -1)).fetchall()
        except sqlite3.Error:
            low = middle
        else:
            good = middle
    return best
