"""From a path to bounded UTF-8 text, whatever stands at that path."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from pluginkit.errors import Problem

from .document import YamlError, shorten

MAX_BYTES = 64 * 1024

# A file may be exchanged for a FIFO between the look at it and the opening: that must not block.
_OPEN_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)


def read_regular_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a small regular file; anything else in its place is a `YamlError`, never a hang.

    A FIFO blocks whoever opens it, a device may act when it is opened: so the type is looked
    at first, and again on the open descriptor, because the file may have been exchanged.
    """
    try:
        _require_regular(path, os.stat(path), max_bytes)
        descriptor = os.open(path, _OPEN_FLAGS)
        try:
            _require_regular(path, os.fstat(descriptor), max_bytes)
            content = _read(descriptor, max_bytes + 1)
        finally:
            os.close(descriptor)
    except YamlError:
        raise
    except (OSError, ValueError) as error:
        raise YamlError([Problem(_why_unreadable(path, error), file=path)]) from error
    if len(content) > max_bytes:
        raise _too_large(path, max_bytes)
    return content


def decode(content: bytes, *, file: str | Path | None, max_bytes: int) -> str:
    """The text of a document: UTF-8 (a byte order mark is allowed), bounded, without NUL."""
    if len(content) > max_bytes:
        raise _too_large(file, max_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise YamlError([Problem("is not UTF-8 text", found=found, file=file, line=line)]) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise YamlError([Problem("contains a NUL character; it is not a text file", file=file, line=line)])
    return text


def encode(text: str, *, file: str | Path | None) -> bytes:
    """The bytes of a document that was given as text."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise YamlError([Problem("contains half a surrogate pair", file=file, line=line)]) from error


def _read(descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size)
    while content and len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more
    return content


def _require_regular(path: Path, status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise YamlError([Problem(f"is {_kind(status.st_mode)}, not a regular file", file=path)])
    if status.st_size > max_bytes:
        raise _too_large(path, max_bytes)


def _too_large(file: str | Path | None, max_bytes: int) -> YamlError:
    return YamlError([Problem(f"is larger than {max_bytes} bytes", file=file)])


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO (named pipe)",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a character device",
        stat.S_IFBLK: "a block device",
    }
    return kinds.get(stat.S_IFMT(mode), "a special file")


def _why_unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        if not path.is_symlink():
            return "does not exist"
        return f"is a symbolic link to {shorten(repr(os.readlink(path)))}, which does not exist"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "is a symbolic link that leads round in a circle"
    return f"cannot be read: {(error.strerror if isinstance(error, OSError) else None) or error}"
