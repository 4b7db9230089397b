"""Files that are either the old one or the new one, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def write_atomic(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Replace the content of a file so that a reader, or a crash, sees all of it or the old one.

    The bytes go to a temporary file in the same directory, are flushed to the disk, and take
    the place of `path` by one rename. Writers at the same time do not mix: the last one wins.
    A symbolic link at `path` is replaced, not followed. The directory must exist.

    Args:
        path: the file to replace or create.
        data: its new content.
        mode: permission bits; None keeps those of the present file, or gives a new one the
            usual (0o666 less the umask).

    Raises OSError if it could not be done; the old file is as it was, and no temporary is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     state = Path(directory, "state.json")
    ...     write_atomic(state, b"{}")
    ...     state.read_bytes()
    b'{}'
    """
    temporary = path.with_name(f".pluginkit-{os.urandom(8).hex()}.tmp")
    kept_mode = _present_mode(path) if mode is None else mode
    try:
        _write_synced(temporary, data, kept_mode)
        os.replace(temporary, path)
    except BaseException:
        # It may not exist yet, or lie where nothing can be removed any more: the first error counts.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(path.parent)


@contextlib.contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Let one writer after the other read, change and replace a file; without `fcntl` all at once."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    # The directory is what stays the same while the file is replaced.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _present_mode(path: Path) -> int | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else None


def _write_synced(path: Path, data: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    # A mode that is set afterwards must not be wider for a moment than it will be in the end.
    descriptor = os.open(path, flags, 0o666 if mode is None else mode & 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        if mode is not None:
            os.chmod(path, mode)
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    """Make the rename itself survive a loss of power, where the file system can do that.

    The new file is in place by now: a directory that cannot be flushed (or not even be opened
    for reading) takes nothing back, so it is no failure of the write.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
