"""The host's side of the socket: one thread that accepts, and one for each client.

What must stay true:

- No client can stop another, or the host: each has its own thread, every read and write has its
  time, and there are never more than `MAX_CLIENTS`.
- Nothing of it keeps the program from ending: the threads are daemons, and a host that dies
  leaves files that the next one recognises as dead (see `claim`).
- A forked child is not the host. It inherits every descriptor, the lock's among them, and lets go
  of them before its first line runs; else a dead host would seem to live in its children.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.control.claim import Claim
from pluginkit.control.connection import IDLE_TIMEOUT, SEND_TIMEOUT, Connection
from pluginkit.control.lines import Lines, to_line
from pluginkit.control.peers import require_supported
from pluginkit.control.places import ControlError
from pluginkit.control.protocol import failure, hello

if TYPE_CHECKING:
    from pluginkit.control.controlled import Controlled
    from pluginkit.control.identity import Identity

_log = logging.getLogger("pluginkit")

MAX_CLIENTS = 64
"""Clients at the same time; one more is told to come again."""
JOIN_TIMEOUT = 2.0
"""Seconds in which clients get the answers to what they had asked when the host closes."""

_PAUSE = 0.1  # seconds until the next try when the system has no descriptor or memory left
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PASSING = _EXHAUSTED | {errno.ECONNABORTED}


class Busy(ControlError):
    """The host takes no client at this moment."""


class ControlServer:
    """The socket of one host, from `start` to `stop`; it may be started again."""

    def __init__(
        self,
        host: Controlled,
        identity: Identity,
        *,
        directory: Path | None = None,
        max_clients: int = MAX_CLIENTS,
        idle_timeout: float = IDLE_TIMEOUT,
        send_timeout: float = SEND_TIMEOUT,
    ) -> None:
        # The host owns this; the other way it is only asked, in threads that end before it does.
        self._host = host
        self._identity = identity
        self._directory = directory
        self._max_clients = max_clients
        self._timeouts = {"idle_timeout": idle_timeout, "send_timeout": send_timeout}
        # Re-entrant: a signal's handler may close the host while this thread opens the socket.
        self._lock = threading.RLock()
        self._claim: Claim | None = None
        self._stopping = threading.Event()
        self._threads: dict[threading.Thread, Connection | None] = {}

    @property
    def path(self) -> Path | None:
        """Where the socket lies; None while there is none."""
        claim = self._claim
        return None if claim is None else claim.socket_path

    def start(self) -> bool:
        """Open the socket, or log a warning why there is none: a host works without. Gives whether it is open."""
        try:
            self.open()
        except ControlError as error:
            _log.warning("`pluginkit` cannot ask this host while it runs: %s", error)
        return self._claim is not None

    def open(self) -> None:
        """Open the socket; does nothing if it is. Raises `ControlError` if it cannot be."""
        with self._lock:
            if self._claim is not None:
                return
            require_supported()
            claim = Claim(self._identity, self._directory)
            listener = claim.take()
            self._stopping = threading.Event()
            thread = threading.Thread(
                target=self._accept, args=(listener, self._stopping), name="pluginkit-control", daemon=True
            )
            try:
                thread.start()
            except BaseException:
                claim.release()
                raise
            self._claim = claim
            self._threads[thread] = None
            _open_servers.add(self)

    def stop(self) -> None:
        """Close the socket and remove its files; no request is taken any more. Does not wait, see `join`.

        Who follows the events does so until then.
        """
        with self._lock:
            claim, self._claim = self._claim, None
            if claim is None:
                return
            _open_servers.discard(self)
            self._stopping.set()
            try:
                claim.release()
            except OSError as error:
                # It must not keep the host from being closed, and the next one removes it.
                _log.warning("the socket of the host cannot be removed: %s", error)
            connections = list(self._threads.values())
        for connection in connections:
            if connection is not None:
                connection.finish()

    def join(self, timeout: float = JOIN_TIMEOUT) -> tuple[str, ...]:
        """Wait for the threads after `stop`; gives the names of those that still run a request.

        After `timeout` seconds clients are cut off. A thread that remains then runs a plugin's
        code that does not end; it takes no further request.
        """
        until = time.monotonic() + timeout
        with self._lock:
            connections = list(self._threads.values())
        for one in connections:
            if one is not None:
                one.stop_following()
        left = self._wait(until)
        for _, connection in left:
            if connection is not None:
                connection.cut()
        if left:
            left = self._wait(time.monotonic() + min(timeout, _PAUSE))
        return tuple(thread.name for thread, _ in left)

    def _wait(self, until: float) -> list[tuple[threading.Thread, Connection | None]]:
        me = threading.current_thread()  # a client's request may be what closes the host
        with self._lock:
            threads = [
                (thread, connection) for thread, connection in self._threads.items() if thread is not me
            ]
        for thread, _ in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return [(thread, connection) for thread, connection in threads if thread.is_alive()]

    def _abandon(self) -> None:
        """In a forked child: close what is the parent's, and have nothing. Without the lock, whose owner may be gone."""
        claim, self._claim = self._claim, None
        self._lock = threading.RLock()
        connections, self._threads = list(self._threads.values()), {}
        if claim is not None:
            claim.abandon()
        for connection in connections:
            if connection is not None:
                connection.abandon()

    # The thread that accepts

    def _accept(self, listener: socket.socket, stopping: threading.Event) -> None:
        try:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError as error:
                    if stopping.is_set():
                        return
                    if error.errno not in _PASSING:
                        _log.warning("the socket of the host takes no clients any more: %s", error)
                        return
                    stopping.wait(_PAUSE if error.errno in _EXHAUSTED else 0)
                    continue
                self._welcome(connection)
        finally:
            self._forget()

    def _welcome(self, connection: socket.socket) -> None:
        client = Connection(
            self._host,
            connection,
            hello(self._identity, self._host.setup.pluginkit_version),
            **self._timeouts,
        )
        thread = threading.Thread(
            target=self._serve, args=(client,), name="pluginkit-control-client", daemon=True
        )
        try:
            with self._lock:
                if self._claim is None:
                    raise Busy("the host is being closed")
                # One of the threads is that which accepts.
                if len(self._threads) > self._max_clients:
                    raise Busy(f"the host has {self._max_clients} clients already; try again")
                # Under the lock: whoever joins the threads must find none that was not started.
                thread.start()
                self._threads[thread] = client
        except (Busy, RuntimeError) as error:  # RuntimeError: the system has no thread left
            _turn_away(connection, error)

    def _serve(self, client: Connection) -> None:
        try:
            client.run()
        finally:
            self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._threads.pop(threading.current_thread(), None)


def _turn_away(connection: socket.socket, error: Exception) -> None:
    lines = Lines(connection, max_bytes=0)
    try:
        lines.write(to_line(failure(None, error)), 0.0)  # it fits into the buffer, or nobody waits for it
    except OSError as gone:
        _log.debug("a client of the host's socket: %r", gone)
    finally:
        lines.close()


# All sockets of this process: what a forked child has to let go of.
_open_servers: weakref.WeakSet[ControlServer] = weakref.WeakSet()


def _abandon_all() -> None:
    for server in list(_open_servers):
        server._abandon()
    _open_servers.clear()


os.register_at_fork(after_in_child=_abandon_all)
