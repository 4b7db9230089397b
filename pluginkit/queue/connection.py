"""The one connection to a queue's file, how it is set up, and what SQLite's errors mean for us."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeAlias

from pluginkit.queue.errors import QueueUnusable
from pluginkit.queue.tables import APPLICATION, FILE_TABLES, FORMAT

Durability: TypeAlias = Literal["process", "power"]

CHECKPOINT_PAGES = 4000
"""Pages of the log (16 MB) after which a commit moves them into the file; each time costs two syncs."""
POWER_CHECKPOINT_PAGES = 1000
LOG_SIZE = POWER_CHECKPOINT_PAGES * 4200
"""Bytes of a log with so many pages, each with its head."""
CACHED_STATEMENTS = 512

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SYNCHRONOUS = {"process": "NORMAL", "power": "FULL"}


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for this process alone, or make it. What is committed now is synced; see `settle`.

    Raises `sqlite3.Error`, and `QueueUnusable` for a file that is whole but not a queue of ours.
    """
    connection = sqlite3.connect(
        path, timeout=1.0, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS
    )
    try:
        # Before the first look at the file: then SQLite keeps the log's index in memory and takes
        # its locks once. Nobody else may come in anyway: `owner` sees to that.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # What was delivered need not be overwritten with zeros; some systems build SQLite to do that.
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        _identify(connection, path)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _damage(str(verdict))
    except BaseException:
        connection.close()
        raise
    return connection


def settle(connection: sqlite3.Connection, durability: Durability) -> None:
    """From now on a commit survives the end of the process, or a loss of power too."""
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    if durability == "power":
        _lay_out_log(connection)


def _lay_out_log(connection: sqlite3.Connection) -> None:
    """Give the log its size beforehand: a sync that need not note a new size too is a third faster.

    SQLite reads a log up to the first frame whose check sum is wrong, and zeros have none.
    """
    connection.execute(f"PRAGMA wal_autocheckpoint = {POWER_CHECKPOINT_PAGES}")
    log = Path(connection.execute("PRAGMA database_list").fetchone()[2] + "-wal")
    with suppress(OSError):  # there is no room: then it grows as it goes
        size = log.stat().st_size
        with log.open("r+b") as stream:
            stream.seek(size)
            stream.write(bytes(max(0, LOG_SIZE - size)))
            os.fsync(stream.fileno())


def _identify(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == 0 and tables == 0:
        with transaction(connection):
            for text in FILE_TABLES:
                connection.execute(text)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        return
    if application != APPLICATION:
        raise QueueUnusable(path, "this is a SQLite database of another program; name another file")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        text = f"it was written by a newer pluginkit (format {found}, this one knows {FORMAT})"
        raise QueueUnusable(path, f"{text}; update pluginkit, or name another file")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All statements of the block, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """End an open transaction without its changes; SQLite itself has done that for some errors."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def means_damage(error: sqlite3.Error) -> bool:
    """Whether the file is not what SQLite, or we, have written."""
    return _code(error) in _DAMAGED or _says(error, "no such table", "no such column")


def means_full(error: sqlite3.Error) -> bool:
    """Whether the disk is full, or a limit on the size of a file is reached."""
    code = getattr(error, "sqlite_errorcode", 0)
    return _code(error) == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE


def _code(error: sqlite3.Error) -> int:
    """The primary code; 0 for an error of the module itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _says(error: sqlite3.Error, *texts: str) -> bool:
    return any(text in str(error) for text in texts)


def _damage(text: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error
