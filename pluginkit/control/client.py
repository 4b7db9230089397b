"""The other side of the socket: asks a running host, and gives its answers or raises its errors."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pluginkit.control.lines import Lines, LineTooLong, read_json, to_line
from pluginkit.control.peers import peer_uid, require_same_user
from pluginkit.control.places import ControlError
from pluginkit.control.protocol import MAX_ANSWER, PROTOCOL, Request, error_of

if TYPE_CHECKING:
    from pluginkit.control.claim import Running

HELLO_TIMEOUT = 5.0
"""Seconds that a running host has to say who it is. It does so before it does anything else."""


class HostGone(ControlError):
    """The host ended before it answered."""


class ControlClient:
    """A connection to a running host.

    Raises `ControlError` if nobody listens, does not say hello in time, is another user, or speaks
    another version of the protocol. Used by one thread at a time.
    """

    def __init__(self, running: Running, *, timeout: float = HELLO_TIMEOUT) -> None:
        self.running = running
        self._timeout = timeout
        self._number = 0
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lines = Lines(connection, max_bytes=MAX_ANSWER)
        try:
            connection.settimeout(timeout)
            connection.connect(str(running.socket))
            require_same_user(peer_uid(connection))
            self.hello = self._greeted()
        except TimeoutError as error:
            self.close()
            raise ControlError(f"the running host {running} does not answer within {timeout:g} s") from error
        except OSError as error:
            self.close()
            raise ControlError(f"the running host {running} does not answer: {error}") from error
        except BaseException:
            self.close()
            raise

    def _greeted(self) -> dict[str, Any]:
        said = self._read(self._timeout)
        if "error" in said:
            raise error_of(said["error"])
        if said.get("hello") != "pluginkit" or said.get("protocol") != PROTOCOL:
            raise ControlError(
                f"the running host {self.running} speaks version {said.get('protocol')} of the protocol "
                f"(pluginkit {said.get('pluginkit')}), this one version {PROTOCOL}; restart the host, or use its version"
            )
        return said

    def ask(self, do: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of a request; arguments that are None are left out.

        Waits for as long as the host takes. Raises `RemoteUsageError`, `RemotePluginError` or
        `RemoteBug` for what was raised in the host, `HostGone` if it ends before it answers.
        """
        self._number += 1
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            self._lines.write(to_line(Request(do, given, self._number).as_dict()), self._timeout)
            answer = self._read(None)
        except OSError as error:
            raise HostGone(f"the running host {self.running} does not answer any more: {error}") from error
        if not answer.get("ok"):
            raise error_of(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def follow(self, *, kinds: Sequence[str] = (), plugin: str | None = None) -> Iterator[dict[str, Any]]:
        """The host's events from now on, as they happen, until it ends.

        Each is `{"event": {"kind", "plugin", "time", "data"}}`, or `{"lost": n}` if this side was
        too slow for `n` of them. Nothing else can be asked on this connection afterwards.
        """
        self.ask("events", kinds=list(kinds) or None, plugin=plugin)
        return self._news()

    def _news(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                yield self._read(None)
            except (HostGone, ConnectionError):
                return

    def _read(self, timeout: float | None) -> dict[str, Any]:
        try:
            line = self._lines.read(timeout)
        except LineTooLong:
            raise ControlError(f"an answer of more than {MAX_ANSWER} bytes is not taken") from None
        if line is None:
            raise HostGone(f"the running host {self.running} ended before it answered")
        try:
            data = read_json(line)
        except ValueError as error:
            raise ControlError(f"{self.running.socket} answers what is no JSON: {error}") from error
        if not isinstance(data, dict):
            raise ControlError(f"{self.running.socket} answers what is no object")
        return data

    def close(self) -> None:
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
