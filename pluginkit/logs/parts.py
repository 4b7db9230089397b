"""The files of one rotated log: which there are, in which order, compressed and thrown away.

`app.log` is written to; the parts that were rotated out are `app.000001.log`, `app.000002.log.gz`
and so on. The number gives the order, whatever the clock did.

A kill at any moment leaves at most one of these behind, and `tidy` mends each: a plain part that
was to be compressed; a temporary file of a compression; a plain part beside its finished `.gz`,
which holds the same records. Who reads leaves the plain one out then.
"""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_DAY = 86_400.0


class Part(NamedTuple):
    """One rotated file."""

    number: int
    path: Path

    @property
    def is_compressed(self) -> bool:
        return self.path.suffix == ".gz"


def rotated_parts(path: Path) -> list[Part]:
    """The rotated files of a log, oldest first, each number once."""
    return list({part.number: part for part in _all_parts(path)}.values())


def all_files(path: Path) -> list[Path]:
    """All files of a log that exist, oldest first; the one that is written to comes last."""
    return [*(part.path for part in rotated_parts(path)), *([path] if path.exists() else [])]


def _all_parts(path: Path) -> list[Part]:
    pattern = re.compile(rf"{re.escape(path.stem)}\.(\d{{6,}}){re.escape(path.suffix)}(\.gz)?")
    try:
        matches = [pattern.fullmatch(name) for name in os.listdir(path.parent)]
    except FileNotFoundError:
        return []
    found = [Part(int(match[1]), path.with_name(match[0])) for match in matches if match is not None]
    # The compressed one of a number comes last, and so wins where each number counts once.
    return sorted(found, key=lambda part: (part.number, part.is_compressed))


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """One process, and one thread of it, at a time that renames and removes in this directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def rotate(path: Path) -> None:
    """Give the written file the next number. The directory's lock is held."""
    parts = _all_parts(path)
    number = parts[-1].number + 1 if parts else 1
    os.rename(path, path.with_name(f"{path.stem}.{number:06}{path.suffix}"))


def tidy(path: Path, *, compress: bool, max_backups: int, max_age_days: float) -> None:
    """Compress what is to be compressed, and remove what is too many or too old. The directory's lock is held."""
    parts = _all_parts(path)
    compressed = {part.number for part in parts if part.is_compressed}
    for part in parts:
        if part.is_compressed:
            continue
        if part.number in compressed:
            part.path.unlink(missing_ok=True)
        elif compress:
            _compress(part.path)
    # What a kill has left of a compression whose part is gone; one of our own would be renamed by now.
    for name in os.listdir(path.parent):
        if name.startswith(f".{path.stem}.") and name.endswith(f"{path.suffix}.gz.tmp"):
            path.with_name(name).unlink(missing_ok=True)
    if max_backups or max_age_days:
        parts = rotated_parts(path)
        too_many = parts[:-max_backups] if max_backups else []
        oldest = time.time() - max_age_days * _DAY
        too_old = [part for part in parts if max_age_days and part.path.stat().st_mtime < oldest]
        for part in {*too_many, *too_old}:
            part.path.unlink(missing_ok=True)


def _temporary(plain: Path) -> Path:
    return plain.with_name(f".{plain.name}.gz.tmp")


def _compress(plain: Path) -> None:
    with open(plain, "rb") as source:
        try:
            # Whoever still has it open to write to it holds a shared lock: it is left for later.
            fcntl.flock(source, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        status = os.fstat(source.fileno())
        temporary = _temporary(plain)
        with open(temporary, "wb") as raw:
            with gzip.GzipFile(plain.name, "wb", compresslevel=6, fileobj=raw, mtime=0) as target:
                shutil.copyfileobj(source, target, 1 << 18)
            raw.flush()
            os.fsync(raw.fileno())
        # Its age is that of its records.
        os.utime(temporary, (status.st_atime, status.st_mtime))
        os.replace(temporary, plain.with_name(f"{plain.name}.gz"))
        plain.unlink()
