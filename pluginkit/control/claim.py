"""One host's place among the running ones: a lock, a socket, and a note of who it is.

What must stay true:

- Who holds the lock lives. The kernel gives a lock back when its owner dies, however it dies, so
  neither a pid that was given out again nor a file that was left behind is ever believed.
- The note, which is the locked file's text, is written when the socket listens, and not before.
- Files are removed by who holds the lock, so nobody removes those of a living host. A lock file
  may be removed between opening and locking it; then the lock is on a file that nobody will find,
  and is taken again.
- A forked child inherits the lock; it lets go of it at once, see `server`.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.control.identity import Identity, Wanted
from pluginkit.control.places import ControlError, make_private, require_private, runtime_dir, socket_path

if TYPE_CHECKING:
    import socket

_BACKLOG = 64
# Whoever looks for hosts holds the lock of a dead one for the moment that it takes to remove it.
_PATIENCE = 0.5
_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Running:
    """A host that runs, as it says in its note."""

    identity: Identity
    pid: int
    socket: Path

    def __str__(self) -> str:
        return f"{self.identity}, pid {self.pid}"


class Claim:
    """A host's own lock and socket, from `take` to `release`."""

    def __init__(self, identity: Identity, directory: Path | None = None) -> None:
        self.identity = identity
        self.directory = runtime_dir() if directory is None else directory
        self.lock_path = self.directory / f"{identity.key}.lock"
        self.socket_path = socket_path(self.directory, identity.key)
        self._lock: int | None = None
        self._listener: socket.socket | None = None

    def take(self) -> socket.socket:
        """The listening socket. Raises `ControlError` if another host has the place, or there is no room."""
        make_private(self.directory)
        if self.socket_path.parent != self.directory:
            make_private(self.socket_path.parent)
        try:
            self._lock = self._locked()
            self._listener = self._listening()
            self._note(self._lock)
        except BaseException as error:
            with suppress(OSError):  # what cannot be removed is why this has failed
                self.release()
            if isinstance(error, OSError):
                why = error.strerror or error
                raise ControlError(f"{self.socket_path} cannot be opened: {why}") from error
            raise
        return self._listener

    def _locked(self) -> int:
        until = time.monotonic() + _PATIENCE
        while True:
            lock = _try_lock(self.lock_path, create=True)
            if lock is not None:
                return lock
            if time.monotonic() > until:
                raise ControlError(
                    f"another host has the socket already: {_owner(self.lock_path) or self.identity}; "
                    "give one of them a name of its own (application.app_name)"
                )
            time.sleep(_PAUSE)

    def _listening(self) -> socket.socket:
        import socket

        # Ours is the lock, so whatever lies here was left by a host that is dead.
        self.socket_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self.socket_path))
            # Nobody can have connected yet: that takes `listen`.
            self.socket_path.chmod(0o600)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
        return listener

    def _note(self, lock: int) -> None:
        note = {**self.identity.as_dict(), "pid": os.getpid(), "socket": str(self.socket_path)}
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(note).encode() + b"\n", 0)

    def release(self) -> None:
        """Close the socket and leave no file. Further calls do nothing. Raises `OSError` if one stays."""
        try:
            if self._lock is not None:
                _remove(self.lock_path, self.socket_path)
        finally:
            if self._listener is not None:
                # To close it does not wake the thread that waits in `accept`.
                with suppress(OSError):
                    self._listener.shutdown(2)  # SHUT_RDWR; who only looks for hosts pays for no `socket`
            self.abandon()

    def abandon(self) -> None:
        """Let go of all that is open and touch no file: it is another process's."""
        listener, self._listener = self._listener, None
        lock, self._lock = self._lock, None
        if listener is not None:
            listener.close()
        if lock is not None:
            os.close(lock)


def running_hosts(wanted: Wanted, directory: Path | None = None) -> list[Running]:
    """The hosts of this user that run and are meant, by name; what dead ones left is removed.

    Raises `ControlError` if the directory of sockets is not this user's own.
    """
    directory = runtime_dir() if directory is None else directory
    try:
        require_private(directory)
        locks = sorted(path for path in directory.iterdir() if path.suffix == ".lock")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ControlError(f"{directory} cannot be read: {error.strerror or error}") from error
    found = [host for path in locks for host in _living(path) if wanted.matches(host.identity)]
    return sorted(found, key=lambda host: (host.identity.name, host.pid))


def _living(lock_path: Path) -> Iterator[Running]:
    """The host that holds this lock; without one, its files are removed."""
    with suppress(OSError):  # it ends in this very moment, or the file is not ours to read
        lock = _try_lock(lock_path, create=False)
        if lock is None:
            owner = _owner(lock_path)
            if owner is not None:
                yield owner
            return
        try:
            _remove(lock_path, socket_path(lock_path.parent, lock_path.stem))
        finally:
            os.close(lock)


def _try_lock(path: Path, *, create: bool) -> int | None:
    """A file that is locked and still lies at its path, or None while somebody else has it."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    while True:
        file = os.open(path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _lies_at(file, path):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lies_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _owner(lock_path: Path) -> Running | None:
    """Who says to hold the lock; None while it is only beginning, or has just ended."""
    try:
        note = json.loads(lock_path.read_bytes())
        return Running(Identity.from_dict(note), int(note["pid"]), Path(note["socket"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remove(lock_path: Path, socket_: Path) -> None:
    # The lock file last: from then on the place is free, and the next host's socket may lie there.
    try:
        socket_.unlink(missing_ok=True)
    finally:
        lock_path.unlink(missing_ok=True)
    if socket_.parent != lock_path.parent:
        # The short directory is for this one reason; another host's socket may still lie in it.
        with suppress(OSError):
            socket_.parent.rmdir()
