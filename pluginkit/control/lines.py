"""JSON lines over one socket: bounded in size, bounded in time, in both directions."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any

_CHUNK = 65536


class LineTooLong(Exception):
    """A line that is longer than its reader takes."""


class Lines:
    """One side of a connection. Used by one thread at a time; owns the socket."""

    def __init__(self, connection: socket.socket, *, max_bytes: int) -> None:
        self.connection = connection
        self.max_bytes = max_bytes
        self._buffer = bytearray()

    def read(self, timeout: float | None) -> bytes | None:
        """The next line without its end, or None when the other side has gone.

        The whole line has to come within `timeout` seconds, so that a byte now and then keeps
        nobody waiting. Raises `TimeoutError`, `LineTooLong`, `OSError`.
        """
        until = None if timeout is None else time.monotonic() + timeout
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen > self.max_bytes:
                raise LineTooLong
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            self.connection.settimeout(left)
            chunk = self.connection.recv(_CHUNK)
            if not chunk:
                return None
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if len(line) > self.max_bytes:
            raise LineTooLong
        return line

    def write(self, line: bytes, timeout: float) -> None:
        """Send a line, all of it within `timeout` seconds. Raises `TimeoutError`, `OSError`."""
        self.connection.settimeout(timeout)
        self.connection.sendall(line)

    def close(self) -> None:
        self.connection.close()


def to_line(data: Mapping[str, Any]) -> bytes:
    """Data as a line. Raises `ValueError` for what JSON cannot hold, such as a number of 5,000 digits."""
    # ASCII: no character of any plugin can break a line or an encoding.
    return json.dumps(data).encode("ascii") + b"\n"


def read_json(line: bytes) -> Any:
    """A line as data. Raises `ValueError` for anything but one JSON document in UTF-8."""
    try:
        return json.loads(line.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
