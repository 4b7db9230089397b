"""Where sockets lie: a directory of the user's own, which nobody else can enter or has prepared."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pluginkit.errors import UsageError

MAX_SOCKET_PATH = 107
"""Bytes that the kernel keeps of a socket's path on Linux, without the closing NUL."""

_SHARED = Path("/tmp")  # noqa: S108  # one place for all processes of a user, whatever their TMPDIR; see `make_private`


class ControlError(UsageError):
    """The socket of a running host cannot be opened or reached; the sentence says why."""


def runtime_dir() -> Path:
    """The directory for the sockets of this user's hosts. It need not exist.

    The order is that of platformdirs: `$XDG_RUNTIME_DIR`, `/run/user/UID`, `/tmp/runtime-UID`.
    platformdirs itself costs every command 20 ms, and its versions differ in when they fall back,
    so that a host and a command might not meet.
    """
    uid = os.geteuid()
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    usual = Path(f"/run/user/{uid}")
    if os.path.isabs(given):
        return Path(given) / "pluginkit"
    return (usual if usual.is_dir() else _SHARED / f"runtime-{uid}") / "pluginkit"


def make_private(directory: Path) -> None:
    """Make a directory that only this user can enter, or make sure that it is one.

    Raises `ControlError` if somebody else owns it or could replace it: whoever can write to the
    directory above could put a socket of their own in the place of ours.
    """
    parent = directory.parent
    try:
        if not parent.exists():
            parent.mkdir(mode=0o700, parents=True)
        _require_unswappable(parent)
        directory.mkdir(mode=0o700, exist_ok=True)
        require_private(directory)
    except OSError as error:
        raise ControlError(f"{directory} cannot be made: {error.strerror or error}") from error


def require_private(directory: Path) -> None:
    """Raise `ControlError` unless the directory is this user's own and closed to all others."""
    about = directory.lstat()
    if not stat.S_ISDIR(about.st_mode):
        raise ControlError(f"{directory} is not a directory, or a symlink to one; remove it")
    if about.st_uid != os.geteuid():
        raise ControlError(
            f"{directory} belongs to the user {about.st_uid}, not to {os.geteuid()}: it is not trusted"
        )
    if stat.S_IMODE(about.st_mode) & 0o077:
        directory.chmod(0o700)


def _require_unswappable(directory: Path) -> None:
    about = directory.stat()
    is_open = bool(about.st_mode & 0o022) and not about.st_mode & stat.S_ISVTX
    if about.st_uid not in (0, os.geteuid()) or is_open:
        raise ControlError(
            f"{directory} can be changed by other users; set XDG_RUNTIME_DIR to a directory of mode 0700"
        )


def socket_path(directory: Path, key: str) -> Path:
    """Where the socket of a host lies: in `directory`, or near the root if that path is too long."""
    path = directory / f"{key}.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return path
    import hashlib

    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return _SHARED / f"pluginkit-{os.geteuid()}-{digest}" / f"{key}.sock"
