"""One client of the host, from the first line to the last, in a thread of its own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pluginkit.control.lines import Lines, LineTooLong, to_line
from pluginkit.control.peers import peer_uid, require_same_user
from pluginkit.control.places import ControlError
from pluginkit.control.protocol import MAX_REQUEST, BadRequest, Request, failure, success
from pluginkit.control.requests import answer, checked
from pluginkit.errors import UsageError

if TYPE_CHECKING:
    from pluginkit.control.controlled import Controlled

_log = logging.getLogger("pluginkit")

IDLE_TIMEOUT = 60.0
"""Seconds in which a client has to send its next request, all of it."""
SEND_TIMEOUT = 10.0
"""Seconds in which a client has to take an answer."""


class Connection:
    """Reads requests, asks the host, sends answers.

    Whatever a client does, or a plugin that is called for it, ends this connection at the most.
    """

    def __init__(
        self,
        host: Controlled,
        connection: socket.socket,
        hello: Mapping[str, Any],
        *,
        idle_timeout: float = IDLE_TIMEOUT,
        send_timeout: float = SEND_TIMEOUT,
    ) -> None:
        self._host = host
        self._lines = Lines(connection, max_bytes=MAX_REQUEST)
        self._hello = hello
        self._idle_timeout = idle_timeout
        self._send_timeout = send_timeout
        self._is_following = False

    def run(self) -> None:
        """Serve until the client leaves, is too slow, or `finish` is called."""
        try:
            require_same_user(peer_uid(self._lines.connection))
            self._send(to_line(self._hello))
            while self._serve_one():
                pass
        except ControlError as error:
            _log.warning("the socket of the host: %s", error)
        except (OSError, TimeoutError) as error:
            _log.debug("a client of the host's socket: %r", error)
        except Exception:
            # A bug of ours, and no reason to take the host down.
            _log.exception("a client of the host's socket")
        finally:
            self._lines.close()

    def finish(self) -> None:
        """Take no further request; one that is being answered gets its answer. Who follows events goes on."""
        if not self._is_following:
            self._shut(socket.SHUT_RD)

    def stop_following(self) -> None:
        """Send the events that there are, and no others."""
        self._shut(socket.SHUT_RD)

    def cut(self) -> None:
        """Let the client go, whatever it waits for."""
        self._shut(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Close what a forked child has inherited; the client stays the parent's."""
        self._lines.close()

    def _shut(self, how: int) -> None:
        try:
            self._lines.connection.shutdown(how)
        except OSError as error:
            _log.debug("a client of the host's socket had gone already: %r", error)

    def _serve_one(self) -> bool:
        try:
            line = self._lines.read(self._idle_timeout)
        except LineTooLong:
            self._refuse(None, BadRequest(f"a request has {MAX_REQUEST} bytes at most"))
            return False
        if line is None:
            return False
        try:
            request = Request.parse(line)
        except BadRequest as error:
            self._refuse(None, error)
            return True
        if request.do == "events":
            return self._follow(request)
        self._send(self._answer(request))
        return True

    def _answer(self, request: Request) -> bytes:
        try:
            return to_line(success(request, answer(self._host, request.do, request.arguments)))
        except BaseException as error:
            # Whatever a plugin raises, Ctrl-C's exception included: here is nobody whom it is meant for.
            return to_line(failure(request.id, error))

    def _refuse(self, number: int | str | None, error: Exception) -> None:
        self._send(to_line(failure(number, error)))

    def _send(self, line: bytes) -> None:
        self._lines.write(line, self._send_timeout)

    def _follow(self, request: Request) -> bool:
        """Send events to the end; False, since nothing can be asked any more on this connection."""
        from pluginkit.control.following import Follower

        with ExitStack() as stack:
            try:
                arguments = checked("events", request.arguments, _events)
                follower = stack.enter_context(Follower(self._host.events, **arguments))
            except UsageError as error:
                self._refuse(request.id, error)
                return True
            self._is_following = True
            self._send(to_line(success(request, {"following": True})))
            while (news := follower.wait(self._lines.connection)) is not None:
                for one in news:
                    self._send(to_line(one))
        return False


def _events(kinds: Sequence[str] | None = None, plugin: str | None = None) -> None:
    """The arguments of the request `events`."""
