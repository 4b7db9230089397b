"""Reading logs: the files of one log in order, compressed ones too, filtered, and followed while they grow."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pluginkit.logs import fields as names
from pluginkit.logs.levels import NUMBERS
from pluginkit.logs.parts import all_files

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which records are wanted; None is no condition. `level` is the least severe, `kind` an audit record's."""

    plugin: str | None = None
    level: str | None = None
    job: str | None = None
    since: datetime | None = None
    kind: str | None = None

    def wants(self, record: dict[str, Any]) -> bool:
        """Whether a record passes."""
        if self.plugin is not None and record.get(names.PLUGIN) != self.plugin:
            return False
        if self.job is not None and record.get(names.JOB_ID) != self.job:
            return False
        if self.kind is not None and record.get("kind") != self.kind:
            return False
        if self.level is not None and NUMBERS.get(record.get(names.LEVEL, "info"), 20) < NUMBERS[self.level]:
            return False
        return self.since is None or _is_since(record, self.since)


def parse_since(text: str, *, now: datetime | None = None) -> datetime:
    """A moment: a time span before now (`10m`, `1h30m`, `2d`), or ISO 8601, local where it has no zone.

    Raises ValueError.

    >>> from datetime import datetime
    >>> parse_since("1h30m", now=datetime.fromisoformat("2026-01-01T12:00+00:00")).isoformat()
    '2026-01-01T10:30:00+00:00'
    """
    spans = _SPAN.findall(text)
    if spans and not _SPAN.sub("", text).strip():
        seconds = sum(float(count) * _SECONDS[unit.lower()] for count, unit in spans)
        return (now or datetime.now(UTC)) - timedelta(seconds=seconds)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a time span such as 10m nor a moment such as 2026-11-27T10:00"
        ) from None
    return moment if moment.tzinfo is not None else moment.astimezone()


def read_records(path: Path, wanted: LogFilter = LogFilter()) -> Iterator[dict[str, Any]]:  # frozen
    """The records of a log over all of its files, oldest first. Lines that are no records are left out."""
    for file in all_files(path):
        try:
            data = read_bytes(file)
        except FileNotFoundError:  # rotated or removed meanwhile
            continue
        for line in data.splitlines():
            record = _record(line)
            if record is not None and wanted.wants(record):
                yield record


def follow_records(
    path: Path, wanted: LogFilter, *, stopped: Callable[[float], bool], interval: float = 0.2
) -> Iterator[dict[str, Any]]:
    """Records that come from now on, over rotations, until `stopped(interval)` says so.

    `stopped` waits for up to so many seconds, an `Event.wait` say.
    """
    stream, left = None, b""
    is_first = True
    try:
        while True:
            if stream is None and path.exists():
                stream = open(path, "rb")  # noqa: SIM115  # it lives over many turns, and is closed below
                stream.seek(0, 2 if is_first else 0)
            is_first = False
            data = stream.read() if stream is not None else b""
            lines = (left + data).split(b"\n")
            left = lines.pop()
            for line in lines:
                record = _record(line)
                if record is not None and wanted.wants(record):
                    yield record
            if not data and stream is not None and _was_rotated(path, stream):
                stream.close()
                stream, left = None, b""
                continue
            if not data and stopped(interval):
                return
    finally:
        if stream is not None:
            stream.close()


def read_bytes(file: Path) -> bytes:
    """The content of a log file, uncompressed. A compressed file that is damaged gives what is whole of it."""
    if file.suffix != ".gz":
        return file.read_bytes()
    pieces: list[bytes] = []
    try:
        with gzip.open(file, "rb") as stream:
            while piece := stream.read(1 << 18):
                pieces.append(piece)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
    return b"".join(pieces)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _is_since(record: dict[str, Any], since: datetime) -> bool:
    try:
        return datetime.fromisoformat(record.get(names.TIMESTAMP) or record["ts"]) >= since
    except (KeyError, TypeError, ValueError):
        return False


def _was_rotated(path: Path, stream: Any) -> bool:
    mine = os.fstat(stream.fileno())
    try:
        there = path.stat()
    except FileNotFoundError:
        return True
    return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino) or there.st_size < stream.tell()
