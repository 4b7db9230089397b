"""The statements of one queue inside the file; each queue has tables of its own, by its number.

Apart by table and not by a column: a queue is read in the order of its ids without an index that
every put would pay for, and no queue ever reads over the records of another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from zlib import crc32

APPLICATION = 0x504C4B51
"""`PRAGMA application_id` of our files: PLKQ."""
FORMAT = 1
"""`PRAGMA user_version`: which tables there are, and what their columns mean."""

FILE_TABLES = (
    "CREATE TABLE file (one INTEGER PRIMARY KEY CHECK (one = 1), is_clean INTEGER NOT NULL)",
    "INSERT INTO file VALUES (1, 1)",
    """CREATE TABLE queues (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, delivered INTEGER NOT NULL DEFAULT 0,
        dropped INTEGER NOT NULL DEFAULT 0, given INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE marks (
        queue INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (queue, name)
    ) WITHOUT ROWID""",
    "CREATE TABLE adopted (name TEXT PRIMARY KEY, up_to INTEGER NOT NULL) WITHOUT ROWID",
)
"""`delivered`: the last id that was handed out. `given`: an id up to which all have been given."""

QUEUE_TABLES = (
    "CREATE TABLE IF NOT EXISTS records_N (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tries_N (id INTEGER PRIMARY KEY, attempts INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS done_N (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS dead_N (
        id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL,
        attempts INTEGER NOT NULL, error TEXT NOT NULL
    )""",
)

ROWS_AT_ONCE = 250
"""Rows of one INSERT: each statement lets other threads run and waits for its turn again, a row need not."""


class Statements:
    """The texts for queue number `number`."""

    def __init__(self, number: int) -> None:
        def of(text: str) -> str:
            return text.replace("_N", f"_{number}").replace("PICKED", "IN (SELECT value FROM json_each(?))")

        self.create = tuple(map(of, QUEUE_TABLES))
        self.put = of("INSERT INTO records_N VALUES (?, ?, ?)")
        self._put_more = of("INSERT INTO records_N VALUES ")
        self.delivered = "UPDATE queues SET delivered = ?, dropped = ? WHERE number = ?"
        self.given = "UPDATE queues SET given = ?, dropped = ? WHERE number = ?"
        self.fresh = of("SELECT id, crc, body FROM records_N WHERE id > ? ORDER BY id LIMIT ?")
        self.fresh_sizes = of("SELECT id, length(body) FROM records_N WHERE id > ? ORDER BY id")
        self.some = of("SELECT id, crc, body FROM records_N WHERE id PICKED ORDER BY id")
        self.sizes = of("SELECT id, length(body) FROM records_N WHERE id PICKED ORDER BY id")
        self.all_sizes = of("SELECT id, length(body) FROM records_N ORDER BY id")
        self.last = of("SELECT max(id) FROM records_N")
        self.total = of("SELECT count(*), coalesce(sum(length(body)), 0) FROM records_N")
        self.total_fresh = of("SELECT count(*) FROM records_N WHERE id > ?")
        self.returned = of("SELECT id FROM records_N WHERE id <= ? ORDER BY id")
        self.tries = of("SELECT id, attempts FROM tries_N")
        self.try_again = of(
            "INSERT INTO tries_N SELECT value, 2 FROM json_each(?) WHERE true"
            " ON CONFLICT (id) DO UPDATE SET attempts = attempts + 1"
        )
        self.first_try = of("INSERT OR REPLACE INTO tries_N SELECT value, 0 FROM json_each(?)")
        self.forget_tries = of("DELETE FROM tries_N WHERE id PICKED")
        self.remove = of("DELETE FROM records_N WHERE id PICKED")
        self.remove_up_to = of("DELETE FROM records_N WHERE id <= ?")
        self.remove_but = of("DELETE FROM records_N WHERE id NOT PICKED")
        self.keep = of("INSERT OR REPLACE INTO done_N SELECT id, crc, body FROM records_N WHERE id PICKED")
        self.bury = of(
            "INSERT OR REPLACE INTO dead_N SELECT r.id, r.crc, r.body, json_extract(e.value, '$[1]'), ?"
            " FROM json_each(?) AS e JOIN records_N AS r ON r.id = json_extract(e.value, '$[0]')"
        )
        self.dead = of("SELECT id, body, attempts, error FROM dead_N ORDER BY id LIMIT ?")
        self.dead_sizes = of("SELECT id, length(body) FROM dead_N ORDER BY id")
        self.revive = of("INSERT OR REPLACE INTO records_N SELECT id, crc, body FROM dead_N WHERE id PICKED")
        self.remove_dead = of("DELETE FROM dead_N WHERE id PICKED")
        self.clear = {"done": of("DELETE FROM done_N"), "dead": of("DELETE FROM dead_N")}
        self.count = {"done": of("SELECT count(*) FROM done_N"), "dead": of("SELECT count(*) FROM dead_N")}
        self.clear_tries = of("DELETE FROM tries_N WHERE id NOT PICKED")
        self.mark = "SELECT value FROM marks WHERE queue = ? AND name = ?"
        self.set_mark = "INSERT OR REPLACE INTO marks VALUES (?, ?, ?)"

    def insert(self, connection: sqlite3.Connection, first: int, bodies: Sequence[bytes]) -> None:
        """Insert records under the ids from `first` on, in as few statements as there can be."""
        if len(bodies) == 1:
            connection.execute(self.put, (first, crc32(bodies[0]), bodies[0]))
            return
        for start in range(0, len(bodies), ROWS_AT_ONCE):
            values: list[int | bytes] = []
            chunk = bodies[start : start + ROWS_AT_ONCE]
            for number, body in enumerate(chunk, first + start):
                values += (number, crc32(body), body)
            connection.execute(self._put_more + _places(len(chunk)), values)


@cache
def _places(rows: int) -> str:
    return ", ".join(["(?, ?, ?)"] * rows)
