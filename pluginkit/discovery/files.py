"""Looking at files without trusting them: no hang on a FIFO, no surprise from a device or a link."""

from __future__ import annotations

import os
import stat

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_regular(path: str, *, max_bytes: int) -> bytes:
    """Return the content of the regular file `path`.

    Raises OSError if it cannot be read, is no regular file, or is larger than `max_bytes`.
    The type is looked at before opening, since opening a device may act, and again after it,
    since the file may have been exchanged; opening a FIFO does not wait.
    """
    _require_regular(path, os.stat(path))
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _require_regular(path, status)
        # Asking for the bound itself would set aside that much memory for the smallest file.
        data = file.read(min(status.st_size, max_bytes) + 1)
        if len(data) > status.st_size:
            data += file.read(max_bytes + 1 - len(data))
    if len(data) > max_bytes:
        raise OSError(0, f"it is larger than {max_bytes} bytes", path)
    return data


def mode_of(path: str) -> int:
    """The `st_mode` of what `path` itself is (links are not followed), 0 if there is nothing.

    Raises OSError if one may not look.
    """
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def is_readable(path: str) -> bool:
    """Whether others may be let read `path`: a regular file is there. False means that there is nothing.

    Raises OSError for anything else, as for a file that one may not read.
    """
    try:
        _require_regular(path, os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    os.close(os.open(path, _FLAGS))
    return True


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file", path)
