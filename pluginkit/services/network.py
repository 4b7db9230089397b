"""`ctx.net`: connections, as far as the plugin's network grants go.

A name is resolved once, by this service, and only if some rule means it. Each address that comes back
is judged, and the very address that passed is connected to: a name that resolves to something else a
moment later changes nothing. Nothing here reads the environment; there are no proxies.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pluginkit.errors import StateError
from pluginkit.manifest.grants import Protocol
from pluginkit.security import hosts
from pluginkit.security.refusal import Refusal
from pluginkit.services.plain import plain_text

if TYPE_CHECKING:
    from pluginkit.security import Grants
    from pluginkit.services.gate import Gate
    from pluginkit.services.listening import Datagrams, Listener
    from pluginkit.services.web import HttpResponse

S = TypeVar("S", bound="socket.socket | Listener | Datagrams")

Resolver = Callable[[str], Iterable[str]]
"""Gives the addresses of a name as texts; raises OSError."""

_KINDS: Mapping[Protocol, socket.SocketKind] = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def system_resolver(name: str) -> list[str]:
    """What the system resolves a name to."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class NetworkService:
    """Connections for one plugin: `ctx.net.connect("api.example.com", 443)`.

    What is not granted raises `PermissionDenied`; what is granted and fails the `OSError` that it is.
    Sockets that are open when the plugin is unloaded are closed.
    """

    def __init__(self, grants: Grants, gate: Gate, *, resolver: Resolver = system_resolver) -> None:
        self._grants = grants
        self._gate = gate
        self._resolver = resolver
        self._lock = threading.Lock()
        self._is_closed = False
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()

    def connect(
        self, host: str, port: int, *, protocol: Protocol = "tcp", timeout: float | None = 30.0
    ) -> socket.socket:
        """Connect to a host; gives the connected socket.

        Args:
            host: A name, or an IP address in its full form.
            port: 1 to 65535.
            protocol: `tcp`, or `udp` for a socket that sends to and hears from this address only.
            timeout: Seconds for each address that is tried; the socket keeps it.
        """
        host = plain_text(host, "a host")
        protocol = _protocol(protocol)
        _, addresses = self._looked_up("net.connect", host, protocol, _port(port))
        failure: OSError | None = None
        for address in addresses:
            try:
                return self._connected(address, port, protocol, timeout)
            except OSError as error:
                failure = error
        raise failure or OSError(f"{host} has no address")

    def resolve(self, host: str) -> list[str]:
        """The addresses of a name that a rule means, those only that may be connected to."""
        _, addresses = self._looked_up("net.resolve", plain_text(host, "a host"), None, None)
        return [str(address) for address in addresses]

    def listen(self, port: int, bind: str = "127.0.0.1", *, backlog: int = 100) -> Listener:
        """Listen for TCP connections; who is not in `allowed_origins` is turned away before a byte is read."""
        from pluginkit.services.listening import Listener, Origins

        bind, port = _bind(bind), _port(port)
        with self._gate.asking("net.listen", f"tcp {bind}:{port}"):
            rules = self._grants.ingress("tcp", bind, port)
            origins = Origins(rules, self._resolver)
        sock = self._bound(bind, port, socket.SOCK_STREAM)
        sock.listen(backlog)
        return self._keep(Listener(sock, origins, self._gate, self._keep))

    def listen_udp(self, port: int, bind: str = "127.0.0.1") -> Datagrams:
        """Receive and answer UDP datagrams; those of strangers are dropped."""
        from pluginkit.services.listening import Datagrams, Origins

        bind, port = _bind(bind), _port(port)
        with self._gate.asking("net.listen", f"udp {bind}:{port}"):
            rules = self._grants.ingress("udp", bind, port)
            origins = Origins(rules, self._resolver)
        return self._keep(Datagrams(self._bound(bind, port, socket.SOCK_DGRAM), origins, self._gate))

    def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
        max_bytes: int = 16 << 20,
        redirects: int = 5,
    ) -> HttpResponse:
        """Make an HTTP request; each redirect is judged like a request of its own.

        Args:
            method: `GET`, `POST`, ….
            url: `http://` or `https://`, without user and password.
            headers: Sent with it; `Authorization` and `Cookie` do not follow to another host.
            body: The bytes to send.
            timeout: Seconds for connecting, and for each read.
            max_bytes: The most that a body may have, unpacked; ValueError for more.
            redirects: How many are followed; ValueError for more.

        Raises `UsageError` if urllib3 is not installed (the extra `http`).
        """
        from pluginkit.services.web import request

        return request(
            self._lent,
            method,
            url,
            headers=headers or {},
            body=body,
            timeout=timeout,
            max_bytes=max_bytes,
            redirects=redirects,
        )

    def close(self) -> None:
        """Close all that is still open."""
        with self._lock:
            self._is_closed = True
            sockets = list(self._open)
        for sock in sockets:
            if isinstance(sock, socket.socket):
                # A thread that waits for data holds it open, and wakes up by this.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    # How it is done

    def _looked_up(
        self, operation: str, host: str, protocol: Protocol | None, port: int | None
    ) -> tuple[hosts.Host, list[hosts.Address]]:
        """The addresses of a host that may be connected to; a denial if there is none."""
        target = host if port is None else f"{protocol} {host}:{port}"
        with self._gate.asking(operation, target):
            asked = hosts.read_host(host)
            if asked.address is not None:
                found = [asked.address]
            else:
                self._grants.require_lookup(asked, protocol, port)
                found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolver(asked.text)]
            refused: Refusal | None = None
            passed = []
            for address in found:
                try:
                    self._grants.require_egress(asked, address, protocol, port)
                except Refusal as refusal:
                    refused = refused or refusal
                else:
                    passed.append(address)
            if not passed:
                raise refused or Refusal("no-address", f"{host} has no address")
            return asked, passed

    def _connected(
        self, address: hosts.Address, port: int, protocol: Protocol, timeout: float | None
    ) -> socket.socket:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, _KINDS[protocol])
        try:
            sock.settimeout(timeout)
            # The address that was judged, not the name: nothing is resolved again.
            sock.connect((str(address), port))
        except BaseException:
            sock.close()
            raise
        return self._keep(sock)

    @contextlib.contextmanager
    def _lent(self, host: str, port: int, *, timeout: float | None) -> Iterator[socket.socket]:
        """A connection for the time of the block, that ends with the plugin whoever has taken the socket over."""
        # TLS detaches it; by a second handle it is found all the same.
        with self.connect(host, port, timeout=timeout) as sock, self._keep(sock.dup()):
            yield sock

    @staticmethod
    def _bound(bind: str, port: int, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        sock = socket.socket(family, kind)
        try:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((bind, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def _keep(self, sock: S) -> S:
        with self._lock:
            if not self._is_closed:
                self._open.add(sock)
                return sock
        sock.close()
        raise StateError(f"plugin {self._gate.plugin!r} is unloaded: its connections are closed")


def _protocol(protocol: str) -> Protocol:
    for known in _KINDS:
        if plain_text(protocol, "a protocol") == known:
            return known
    raise ValueError(f"protocol is tcp or udp, not {protocol!r}")


def _port(port: int) -> int:
    if type(port) is not int or not 1 <= port <= 65535:
        raise ValueError(f"a port is a whole number from 1 to 65535, not {port!r}")
    return port


def _bind(bind: str) -> str:
    try:
        return str(ipaddress.ip_address(plain_text(bind, "bind")))
    except ValueError:
        raise ValueError(f"bind is an IP address in its full form, not {bind!r}") from None
