"""What a plugin listens on: connections and datagrams of strangers never reach it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from pluginkit.manifest.grants import IngressRule
from pluginkit.security import hosts
from pluginkit.security.refusal import Refusal
from pluginkit.services.plain import plain_text

if TYPE_CHECKING:
    from pluginkit.services.gate import Gate


class Origins:
    """Who may connect: the networks and addresses of the rules; names are resolved once, here."""

    def __init__(self, rules: Sequence[IngressRule], resolver: Callable[[str], Iterable[str]]) -> None:
        self._layers = [tuple(self._expanded(rule.allowed_origins, resolver)) for rule in rules]

    @staticmethod
    def _expanded(origins: Iterable[str], resolver: Callable[[str], Iterable[str]]) -> Iterable[str]:
        for origin in origins:
            if hosts.network_of(origin) is not None:
                yield origin
            else:
                try:
                    yield from resolver(origin)
                except OSError:
                    continue  # a name without an address lets nobody in

    def require(self, peer: str) -> None:
        """Refuse who is in none of the origins of a rule; no origins are nobody."""
        address = ipaddress.ip_address(peer.partition("%")[0])
        if not all(hosts.address_matches(layer, address) for layer in self._layers):
            raise Refusal(
                "foreign-origin",
                "it is none of the allowed origins",
                advice=f"allowed_origins: [{hosts.unwrap(address)}]",
            )


class _Open:
    """A socket with origins; it ends by `close()` or with its `with` block."""

    def __init__(self, sock: socket.socket, origins: Origins, gate: Gate) -> None:
        self._sock = sock
        self._origins = origins
        self._gate = gate

    @property
    def address(self) -> tuple[str, int]:
        """Address and port that it listens on."""
        host, port = self._sock.getsockname()[:2]
        return str(host), int(port)

    def settimeout(self, seconds: float | None) -> None:
        """How long waiting may take, in seconds; TimeoutError after that."""
        self._sock.settimeout(seconds)

    def close(self) -> None:
        # A thread that waits in `accept` wakes up by this, not by closing alone.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_allowed(self, peer: tuple[str, int]) -> bool:
        try:
            self._origins.require(peer[0])
        except Refusal as refusal:
            self._gate.tell("net.accept", f"{peer[0]} to port {self.address[1]}", refusal)
            return False
        return True


class Listener(_Open):
    """A listening TCP socket whose `accept` gives connections from allowed origins only.

    `keep` is told of each, so that it ends with the plugin.
    """

    def __init__(
        self,
        sock: socket.socket,
        origins: Origins,
        gate: Gate,
        keep: Callable[[socket.socket], socket.socket],
    ) -> None:
        super().__init__(sock, origins, gate)
        self._keep = keep

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """Wait for the next connection of an allowed origin; the others are closed at once."""
        while True:
            connection, address = self._sock.accept()
            peer = (str(address[0]), int(address[1]))
            if self._is_allowed(peer):
                return self._keep(connection), peer
            connection.close()


class Datagrams(_Open):
    """A bound UDP socket that hears and answers allowed origins only."""

    def receive(self, max_bytes: int = 65535) -> tuple[bytes, tuple[str, int]]:
        """Wait for the next datagram of an allowed origin."""
        while True:
            data, address = self._sock.recvfrom(max_bytes)
            peer = (str(address[0]), int(address[1]))
            if self._is_allowed(peer):
                return data, peer

    def send(self, data: bytes, peer: tuple[str, int]) -> int:
        """Send a datagram to an allowed origin; `PermissionDenied` for anybody else."""
        host, port = peer
        host = str(ipaddress.ip_address(plain_text(host, "the peer's address")))
        with self._gate.asking("net.send", f"udp {host}:{port}"):
            self._origins.require(host)
        return self._sock.sendto(data, (host, port))
