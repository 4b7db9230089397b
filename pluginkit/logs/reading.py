"""Log files of JSON lines, read back: the last records, those that somebody wants, and those to come.

A log is the file and the parts that rotation has put beside it, some of them compressed. While it is
read it may grow and rotate: who follows it keeps the file open that was the live one, reads it to
its end, and only then goes on to the new one.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pluginkit.logs import fields as names
from pluginkit.logs.levels import NUMBERS, level_named
from pluginkit.logs.parts import all_files

Record = Mapping[str, Any]
"""One record, as the JSON of its line; of a line that is none, only `@message`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records somebody wants to see; what is None or empty takes all.

    `level` is the lowest; `since` seconds since the epoch; `plugins`, `jobs` and `kinds` (of audit
    records) the values of those fields.

    >>> Wanted(level="warn").takes({"@level": "error"}), Wanted(plugins={"cat"}).takes({"plugin": "dog"})
    (True, False)
    """

    level: str | None = None
    since: float | None = None
    plugins: frozenset[str] | set[str] = frozenset()
    jobs: frozenset[str] | set[str] = frozenset()
    kinds: frozenset[str] | set[str] = frozenset()

    def takes(self, record: Record) -> bool:
        """Whether the record is one of them."""
        return (
            (not self.plugins or record.get(names.PLUGIN) in self.plugins)
            and (not self.jobs or record.get(names.JOB_ID) in self.jobs)
            and (not self.kinds or record.get("kind") in self.kinds)
            and (self.level is None or _number(record) >= NUMBERS[level_named(self.level)])
            and (self.since is None or time_of(record) >= self.since)
        )


def time_of(record: Record) -> float:
    """When it was logged, in seconds since the epoch; 0 if it does not say."""
    try:
        return datetime.fromisoformat(record[names.TIMESTAMP]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0.0


EVERYTHING = Wanted()


def last(path: Path, wanted: Wanted = EVERYTHING, count: int | None = None) -> list[Record]:
    """The newest `count` records that are wanted, or all of them, oldest first.

    Raises `OSError` if there is no log, or it cannot be read.
    """
    log = _Log(path)
    with log.live:
        return log.last(wanted, count)


def follow(path: Path, wanted: Wanted, count: int | None, pause: Callable[[], object]) -> Iterator[Record]:
    """The newest `count` records, or all of them, then each that comes, until `pause()` gives something true.

    `pause` is called whenever there is nothing more, and waits as long as it likes. The log need not
    exist yet. Of a file that is rotated twice between two pauses the part between is not seen.
    """
    log = None
    while log is None:
        try:
            log = _Log(path)
        except FileNotFoundError:
            if pause():
                return
    try:
        yield from log.last(wanted, count)
        while True:
            records = log.more()
            yield from filter(wanted.takes, records)
            if records:
                continue
            successor = log.successor()
            if successor is not None:
                yield from filter(wanted.takes, log.move_on(successor))
            elif pause():
                return
    finally:
        log.live.close()


class _Log:
    """A log that is being read: the file that was the live one when it was opened, and what came before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self.live, self._older = self._open()

    def _open(self) -> tuple[BinaryIO, list[Path]]:
        while True:
            live = self._path.open("rb")
            older = [part for part in all_files(self._path) if part != self._path]
            if _is_at(live, self._path):
                return live, older
            live.close()  # rotated meanwhile: one of the older parts may be this one

    def last(self, wanted: Wanted, count: int | None) -> list[Record]:
        """The newest records so far; `more` goes on after them."""
        found = list(filter(wanted.takes, self.more()))
        for part in reversed(self._older):
            if count is not None and len(found) >= count:
                break
            found[:0] = filter(wanted.takes, map(_record, _lines_of(part)))
        return found if count is None else found[max(0, len(found) - count) :]

    def more(self) -> list[Record]:
        """What has been written to the file since; a line that is not ended yet waits."""
        *lines, self._rest = (self._rest + self.live.read()).split(b"\n")
        return [_record(line) for line in lines if line]

    def successor(self) -> BinaryIO | None:
        """The file that is the live one by now, opened, if the one read so far was rotated or cut."""
        try:
            if _is_at(self.live, self._path) and self._path.stat().st_size >= self.live.tell():
                return None
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def move_on(self, successor: BinaryIO) -> list[Record]:
        """Read the successor from now on. Gives what was written last to the file read so far."""
        records = self.more()
        if self._rest:
            records.append(_record(self._rest))
        self.live.close()
        self.live, self._rest = successor, b""
        return records


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def read_bytes(file: Path) -> bytes:
    """The content of a log file, uncompressed; of a compressed one that is torn, what is before the tear.

    Raises `OSError` if it cannot be read.
    """
    if file.suffix != ".gz":
        return file.read_bytes()
    pieces: list[bytes] = []
    with file.open("rb") as packed, gzip.open(packed) as stream:
        try:
            while piece := stream.read(1 << 18):
                pieces.append(piece)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            pass
    return b"".join(pieces)


def _lines_of(part: Path) -> list[bytes]:
    """The lines of an older part; none of one that has been deleted."""
    try:
        return [line for line in read_bytes(part).split(b"\n") if line]
    except FileNotFoundError:
        return []


def _record(line: bytes) -> Record:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else {names.MESSAGE: line.decode("utf-8", "replace")}


def _number(record: Record) -> int:
    level = record.get(names.LEVEL)
    return NUMBERS[level_named(level)] if isinstance(level, str) else -1
