"""What says that somebody is not done yet, although no file changes at this moment.

- git holds `index.lock` while it writes a work tree.
- pip and uv write RECORD, the list of a distribution's files, last; before that pip compiles
  bytecode, for longer than any quiet time. While it replaces a distribution, the old one waits in
  directories that begin with `~`.

None of them is believed for ever: what a killed git or pip leaves behind must not keep a host
from looking.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterable, Iterator

GIT_PATIENCE = 30.0
"""Seconds after which an `index.lock` no longer holds anybody up: a left-over, or a commit with an open editor."""
INSTALL_PATIENCE = 60.0
"""Seconds without a change after which an unfinished installation is taken for what somebody wants."""
REMOVAL_PATIENCE = 2.0
"""Seconds without a change after which files that RECORD lists may stay missing."""

_INFO_SUFFIX = ".dist-info"


def git_lock(directory: str) -> str | None:
    """The `index.lock` of the repository that `directory` lies in, if there is one; not one left behind."""
    current = os.path.abspath(directory)
    while True:
        inside = os.path.join(current, ".git")
        if os.path.lexists(inside):
            lock = os.path.join(_git_directory(inside), "index.lock")
            return lock if _age(lock) < GIT_PATIENCE else None
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent


def _git_directory(inside: str) -> str:
    """Where a repository keeps its index: `.git`, or what that file says, in a linked work tree."""
    try:
        with open(inside, encoding="utf-8") as file:
            text = file.read(4096)
    except (OSError, UnicodeDecodeError):
        return inside
    target = text.partition("gitdir:")[2].strip()
    return os.path.normpath(os.path.join(os.path.dirname(inside), target)) if target else inside


def unfinished_installation(site: str) -> str | None:
    """What in a directory of installed distributions is not complete, in words; None if all is."""
    try:
        names = os.listdir(site)
    except OSError:
        return None
    for name in names:
        path = os.path.join(site, name)
        if name.startswith("~") and _age(path) < INSTALL_PATIENCE:
            return f"pip is replacing a distribution ({path})"
    for name in names:
        if name.endswith(_INFO_SUFFIX):
            missing = missing_of(os.path.join(site, name))
            if missing is not None:
                return missing
    return None


def missing_of(info: str) -> str | None:
    """What an installation that somebody is at yet lacks: its RECORD, or a file that is in it."""
    record = os.path.join(info, "RECORD")
    age = min(_age(info), _age(record))
    if age >= INSTALL_PATIENCE:
        return None  # nobody is at it; whether it is whole is for discovery to say
    if not os.path.exists(record):
        return f"{info} has no RECORD yet"
    if age >= REMOVAL_PATIENCE:
        return None
    site = os.path.dirname(info)
    for name, size in _recorded(record):
        path = os.path.join(site, name)
        try:
            status = os.stat(path)
        except OSError:
            return f"{path} is in RECORD, but not there yet"
        if size is not None and status.st_size != size:
            return f"{path} is not what RECORD says yet"
    return None


def _recorded(record: str) -> Iterator[tuple[str, int | None]]:
    """Names, relative to the site directory, and sizes. Bytecode, which anybody may remove, is left out."""
    try:
        with open(record, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    for row in rows:
        if len(row) >= 3 and row[0] and row[1] and not row[0].endswith(".pyc"):
            yield row[0], int(row[2]) if row[2].isdigit() else None


def _age(path: str) -> float:
    """Seconds since a file or directory changed; very many if it is not there, or the clock was set."""
    try:
        status = os.lstat(path)
    except OSError:
        return float("inf")
    age = time.time() - max(status.st_mtime, status.st_ctime)
    return age if age >= 0 else float("inf")


def held_by(directories: Iterable[str], sites: Iterable[str]) -> str | None:
    """Why it is too early to look at these directories and installations, in words; None if it is not."""
    for directory in directories:
        lock = git_lock(directory)
        if lock is not None:
            return f"git is at work ({lock})"
    for site in sites:
        unfinished = unfinished_installation(site)
        if unfinished is not None:
            return unfinished
    return None
