"""Plugins in a plugins directory: each direct subdirectory, and each single `*.py` file.

A subdirectory is a candidate unless its name says that it is none: hidden (`.git`),
`__pycache__`, what pip leaves (`*.dist-info`, `*.egg-info`, `~name`), an editor's backup
(`name~`). Anything else without a manifest is broken, not overlooked. What lies deeper is the
plugin's own affair.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import reasons
from pluginkit.discovery.candidates import read_directory, read_file
from pluginkit.discovery.values import Broken, Entry, Found, Origin, Scan
from pluginkit.errors import Problem

if TYPE_CHECKING:
    from pluginkit.manifest import ManifestReader

_SKIPPED_SUFFIXES = (".dist-info", ".egg-info", "~")
_BESIDE_FILE = (".manifest.yaml", ".manifest.yml")

_Status = os.stat_result | OSError
"""What a path leads to, or why one cannot tell."""


def scan(plugins_dirs: Sequence[Path | str], manifests: ManifestReader) -> Scan:
    """Read all candidates of all directories, in order of path.

    A directory that does not exist is a notice, since a host may start before its first plugin
    is there; one that is a file, or cannot be read, is a problem.
    """
    problems: list[Problem] = []
    notices: list[str] = []
    candidates: dict[str, _Status] = {}
    for directory in plugins_dirs:
        try:
            listing = _list(os.path.abspath(directory))
        except FileNotFoundError:
            notices.append(f"the plugins directory {directory} does not exist; no plugins are read from it")
        except (OSError, ValueError) as error:
            problems.append(_unusable(str(directory), error))
        else:
            candidates.update(_candidates(listing))
            notices.extend(_orphans(listing))
    entries, repeated = _read(sorted(candidates.items()), manifests)
    return Scan(tuple(entries), tuple(problems), (*notices, *repeated))


def _list(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as listing:
        return [entry for entry in listing if _may_be_plugin(entry.name)]


def _may_be_plugin(name: str) -> bool:
    return name[0] not in ".~" and name != "__pycache__" and not name.endswith(_SKIPPED_SUFFIXES)


def _is_module_name(name: str) -> bool:
    return name.endswith(".py") and name[0] != "_"


def _candidates(listing: Sequence[os.DirEntry[str]]) -> Iterator[tuple[str, _Status]]:
    """The paths that may be plugins: directories, modules, and links that lead nowhere."""
    for entry in listing:
        try:
            status = entry.stat()
        except OSError as error:
            if entry.is_symlink():
                yield entry.path, error
            continue  # anything else was removed since the listing was made
        if stat.S_ISDIR(status.st_mode) or _is_module_name(entry.name):
            yield entry.path, status


def _orphans(listing: Sequence[os.DirEntry[str]]) -> Iterator[str]:
    names = {entry.name for entry in listing}
    for name in sorted(names):
        for suffix in _BESIDE_FILE:
            module = name.removesuffix(suffix) + ".py"
            if name.endswith(suffix) and module not in names:
                yield f"the manifest {name} describes {module}, which is not beside it"


def _read(
    candidates: Sequence[tuple[str, _Status]], manifests: ManifestReader
) -> tuple[list[Entry], list[str]]:
    """Read each candidate; of several paths to the same files keep one, a usable one if there is."""
    entries: dict[object, Entry] = {}
    repeated: list[str] = []
    for path, status in candidates:
        identity = _identity(path, status)
        earlier = entries.get(identity)
        if isinstance(earlier, Found):
            repeated.append(f"{path} leads to the same files as {earlier.origin}; they are read once")
            continue
        entry = _read_one(path, status, manifests)
        if earlier is None or isinstance(entry, Found):
            entries[identity] = entry
    return list(entries.values()), repeated


def _identity(path: str, status: _Status) -> object:
    """What two paths to the same files have in common. Hard links to one file stay apart."""
    if isinstance(status, OSError):
        return path
    if stat.S_ISDIR(status.st_mode) and status.st_ino:
        return status.st_dev, status.st_ino
    return os.path.realpath(path)


def _read_one(path: str, status: _Status, manifests: ManifestReader) -> Entry:
    if isinstance(status, OSError):
        return _dangling(path, status)
    if stat.S_ISDIR(status.st_mode):
        return read_directory(path, manifests)
    return read_file(path, manifests)


def _dangling(path: str, error: OSError) -> Broken:
    gone = isinstance(error, FileNotFoundError)
    reason = reasons.dangling_symlink(path) if gone else reasons.unreadable(path, error)
    name = os.path.basename(path)
    origin = Origin("file" if _is_module_name(name) else "directory", Path(path))
    return Broken(name.removesuffix(".py"), origin, reason)


def _unusable(directory: str, error: OSError | ValueError) -> Problem:
    if isinstance(error, NotADirectoryError):
        what = "the plugins directory is a file; give the directory that holds the plugins"
    else:
        what = f"the plugins directory cannot be read: {getattr(error, 'strerror', None) or error}"
    return Problem(what, path="directories.plugins_dir", file=directory)
