"""`ctx.net.http`: requests by urllib3 over connections that the network service has made.

urllib3 speaks HTTP and TLS here, and nothing else: it resolves no name, follows no redirect, reads no
proxy from the environment. Where a redirect leads is asked of the rules as the first request was.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from pluginkit.errors import UsageError

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool

Connect = Callable[..., AbstractContextManager[socket.socket]]

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "host"})
_BODY_HEADERS = frozenset({"content-length", "content-type", "content-encoding", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server answered; `url` is where the last redirect led. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        """The body as UTF-8, with what is none replaced."""
        return self.body.decode("utf-8", "replace")


def request(  # the arguments of `ctx.net.http`, one by one
    connect: Connect,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout: float,
    max_bytes: int,
    redirects: int,
) -> HttpResponse:
    """Ask, and follow `redirects` redirects; see `NetworkService.http`."""
    for _ in range(redirects + 1):
        parts = _split(url)
        answer, location = _ask(connect, method, parts, url, dict(headers), body, timeout, max_bytes)
        if location is None:
            return answer
        target = urljoin(url, location)
        new = _split(target)
        if parts.scheme == "https" and new.scheme == "http":
            raise ValueError(f"{url} leads from https to http: {target}")
        if (new.scheme, new.hostname, new.port) != (parts.scheme, parts.hostname, parts.port):
            headers = _without(headers, _PRIVATE_HEADERS)
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET" if method != "HEAD" else method, None
            headers = _without(headers, _BODY_HEADERS)
        url = target
    raise ValueError(f"more than {redirects} redirects, the last to {url}")


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise ValueError(f"not a web address that can be asked: {url!r} (http:// or https://, without user)")
    return parts


def _ask(  # one hop of a request
    connect: Connect,
    method: str,
    parts: SplitResult,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    timeout: float,
    max_bytes: int,
) -> tuple[HttpResponse, str | None]:
    # Not put together by urllib: a path that begins with two slashes would become another one.
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    make_pool = _pools()[parts.scheme]
    from urllib3.exceptions import HTTPError
    from urllib3.exceptions import TimeoutError as TooSlow

    port = parts.port if parts.port is not None else _PORTS[parts.scheme]
    # Connected here: what urllib3 catches comes out as an error of its own, and a denial must not.
    with connect(parts.hostname, port, timeout=timeout) as sock:
        pool = make_pool(str(parts.hostname), port, sock, timeout)
        try:
            response = pool.urlopen(
                method, path, body=body, headers=headers, redirect=False, retries=False, preload_content=False
            )
            try:
                data = _bounded(response, max_bytes, url)
            finally:
                response.close()
        except HTTPError as error:
            # Whoever uses ctx.net knows nothing of urllib3.
            kind = TimeoutError if isinstance(error, TooSlow) else ConnectionError
            raise kind(f"{method} {url}: {error}") from error
        finally:
            pool.close()
    plain = {name.lower(): value for name, value in response.headers.items()}
    location = plain.get("location") if response.status in _REDIRECTS else None
    return HttpResponse(response.status, plain, data, url), location


def _bounded(response: Any, most: int, url: str) -> bytes:
    data = bytearray()
    for chunk in response.stream(1 << 16, decode_content=True):
        data += chunk
        if len(data) > most:
            raise ValueError(f"the body of {url} has more than {most} bytes")
    return bytes(data)


def _pools() -> dict[str, Callable[[str, int, socket.socket, float], HTTPConnectionPool]]:
    """Makers of pools for one request each, over a socket that is connected already."""
    try:
        from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
        from urllib3.connection import HTTPConnection, HTTPSConnection
    except ImportError:
        raise UsageError(
            "ctx.net.http needs urllib3: pip install 'urllib3>=2.2', which is pluginkit's extra `http`"
        ) from None

    def plain(host: str, port: int, sock: socket.socket, timeout: float) -> HTTPConnectionPool:
        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return sock

        pool: Any = HTTPConnectionPool(host, port, timeout=timeout, maxsize=1)
        pool.ConnectionCls = Connection
        made: HTTPConnectionPool = pool
        return made

    def secure(host: str, port: int, sock: socket.socket, timeout: float) -> HTTPConnectionPool:
        class Connection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return sock

        pool: Any = HTTPSConnectionPool(host, port, timeout=timeout, maxsize=1)
        pool.ConnectionCls = Connection
        made: HTTPConnectionPool = pool
        return made

    return {"http": plain, "https": secure}
