"""One consistent picture of a plugin's files, held in memory.

Code is read as bytes, once: what is checked is what is compiled, whatever happens on disk
afterwards. A pass counts only if no file changed between the first look and the last, so a
tree that somebody is writing at that moment is never seen half old, half new. Data files
stay on disk; they are read when the digest is asked for.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path
from types import MappingProxyType

from pluginkit.errors import PluginkitError
from pluginkit.noise import SKIPPED_DIRECTORIES, is_noise
from pluginkit.printable import one_line

_CODE_SUFFIXES = tuple(SOURCE_SUFFIXES + BYTECODE_SUFFIXES)
_BINARY_SUFFIXES = tuple(EXTENSION_SUFFIXES)
_MUST_REST = (*_CODE_SUFFIXES, *_BINARY_SUFFIXES, "manifest.yaml", "manifest.yml", "plugin.json")

_SMALL = 1 << 20
"""Bytes. Data files up to this size are compared by content; to read larger ones would take too long."""

_Fingerprint = tuple[int, int, int, int]
"""Inode, size, times of writing and of change: what must be equal before and after reading."""


class SnapshotError(PluginkitError):
    """The files could not be read as one consistent set. The message names them on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class SymlinkInside(SnapshotError):
    """A symbolic link lies inside the tree; it is never followed."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of one code file, with the hash that its compiled code is kept under."""

    data: bytes
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """What a plugin's root held at one moment.

    `root` is the resolved package directory, or the file of a single-file plugin. `code` maps
    posix paths relative to the root's directory to their bytes; `binaries` and `data` name the
    files that are used from disk. Two snapshots of equal `identity` have the same contents; of
    compiled modules, and of data files of more than a megabyte, only that nobody wrote them in
    between.
    """

    root: Path
    is_package: bool
    code: Mapping[str, SourceFile]
    binaries: frozenset[str]
    data: frozenset[str]
    identity: str = ""
    known: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The sha256 of those data files that were read with the code."""

    @property
    def directory(self) -> Path:
        """The directory that the relative paths start from."""
        return self.root if self.is_package else self.root.parent

    @cached_property
    def digest(self) -> str:
        """The sha256 over names and contents of all files, code and data alike."""
        return digest_of(self.files)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The sha256 of every file by its path; those that were not read with the code are read now."""
        code = {name: source.sha256 for name, source in self.code.items()}
        rest = (self.binaries | self.data) - self.known.keys()
        return MappingProxyType(
            {**code, **self.known, **{name: _hash_file(self.directory / name) for name in sorted(rest)}}
        )


def digest_of(files: Mapping[str, str]) -> str:
    """One sha256 over the paths and the hashes of a tree, whatever their order."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{files[name]}\n".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def take(root: Path, *, quiet: float = 0.0, timeout: float = 5.0) -> Snapshot:
    """Read the files below `root` until one pass saw no change; give up after `timeout` seconds.

    `quiet` is how many seconds the newest change must lie back: a writer who pauses between two
    files looks finished, and only time tells. Data files that are written all the time (a log beside
    the code) delay it for half of `timeout`; then only code and manifest have to be at rest, for data
    is read from disk by the plugin anyway.

    Raises `SnapshotError` when the tree keeps changing, holds a symbolic link (a link inside a
    plugin could lead out of it), or cannot be read.
    """
    deadline = time.monotonic() + timeout
    patience = deadline - timeout / 2
    try:
        resolved = root.resolve(strict=True)
        place = os.path.join(resolved if resolved.is_dir() else resolved.parent, "")
        while True:
            found = _pass(resolved, place, quiet, only_code=time.monotonic() >= patience)
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise SnapshotError(
                    f"{root}: the files kept changing for {timeout:g} s; is somebody still writing them?"
                )
            time.sleep(0.01)
    except OSError as error:
        raise SnapshotError(f"{error.filename or root}: cannot be read: {error.strerror or error}") from error


def _pass(root: Path, place: str, quiet: float, *, only_code: bool) -> Snapshot | None:
    """Read everything once; None if something changed meanwhile, or has not rested for long enough."""
    try:
        before = dict(_walk(root))
        code = {name: _read(place + name) for name in before if name.endswith(_CODE_SUFFIXES)}
        small = {
            name: _read(place + name).sha256
            for name, fingerprint in before.items()
            if name not in code and fingerprint[1] <= _SMALL and not name.endswith(_BINARY_SUFFIXES)
        }
        after = dict(_walk(root))
    except FileNotFoundError:
        root.stat()  # the root itself is gone: that is for the caller
        return None  # a temporary file, renamed since it was listed
    must_rest = [_at_rest(files) if only_code else files for files in (before, after)]
    if must_rest[0] != must_rest[1] or not _is_quiet(must_rest[1], quiet):
        return None
    return _snapshot(root, before, code, small)


def _snapshot(
    root: Path, files: dict[str, _Fingerprint], code: dict[str, SourceFile], small: dict[str, str]
) -> Snapshot:
    binaries = frozenset(name for name in files if name.endswith(_BINARY_SUFFIXES))
    return Snapshot(
        root=root,
        is_package=root.is_dir(),
        code=MappingProxyType(code),
        binaries=binaries,
        data=frozenset(files) - binaries - code.keys(),
        identity=_identity(files, {**{name: file.sha256 for name, file in code.items()}, **small}),
        known=MappingProxyType(small),
    )


def _identity(files: dict[str, _Fingerprint], contents: dict[str, str]) -> str:
    """By content where that is known; other files by inode, size and time of writing, not by that of a chmod."""
    total = hashlib.sha256()
    for name in sorted(files):
        what = contents[name] if name in contents else str(files[name][:3])
        total.update(f"{name}\0{what}\n".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def _at_rest(files: dict[str, _Fingerprint]) -> dict[str, _Fingerprint]:
    return {name: files[name] for name in files if name.endswith(_MUST_REST)}


def _is_quiet(files: dict[str, _Fingerprint], quiet: float) -> bool:
    if quiet <= 0 or not files:
        return True
    age = time.time() - max(fingerprint[3] for fingerprint in files.values()) / 1e9
    # A change in the future says only that a clock was set.
    return age >= quiet or age < 0


def _walk(root: Path) -> Iterator[tuple[str, _Fingerprint]]:
    if not root.is_dir():
        yield root.name, _fingerprint(root.stat())
        return
    pending = [(str(root), "")]
    while pending:
        directory, prefix = pending.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                name = prefix + entry.name
                if is_noise(entry.name):
                    continue  # even a link: an Emacs that edits a file leaves one that leads nowhere
                if entry.is_symlink():
                    raise SymlinkInside(
                        f"{entry.path}: a symbolic link inside a plugin is not followed, because it can lead "
                        "out of the plugin's directory; put the file itself there"
                    )
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_DIRECTORIES:
                        pending.append((entry.path, name + "/"))
                elif entry.is_file(follow_symlinks=False):
                    yield name, _fingerprint(entry.stat(follow_symlinks=False))


def _fingerprint(status: os.stat_result) -> _Fingerprint:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: str) -> SourceFile:
    # A FIFO that took the file's place after the walk must not block the host.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SnapshotError(f"{path}: is not a regular file")
        data = file.readall()
    return SourceFile(data, hashlib.sha256(data).hexdigest())


def _hash_file(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
