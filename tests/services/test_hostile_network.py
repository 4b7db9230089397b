"""Names that are denied or asked for without a port, and connections that outlive their plugin."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied
from pluginkit.security.refusal import Refusal
from pluginkit.services.gate import Gate
from pluginkit.services.network import NetworkService
from tests.support.granting import grants_of


def egress(*names: str, ports: Any = (443,), protocol: str = "tcp") -> dict[str, Any]:
    return {"network": {"egress": [{"protocol": protocol, "hosts": list(names), "ports": list(ports)}]}}


def service(place: Path, requested: dict[str, Any], asked: list[str], **more: Any) -> NetworkService:
    def resolver(name: str) -> list[str]:
        asked.append(name)
        return ["1.1.1.1"]

    return NetworkService(grants_of(requested, place / "data", **more), Gate("cat", None), resolver=resolver)


def test_n4_a_name_of_udp_rules_is_resolved(tmp_path: Path) -> None:
    net = service(tmp_path, egress("dns.example.com", ports=[53], protocol="udp"), [])
    assert net.resolve("dns.example.com") == ["1.1.1.1"]


def test_n4_a_denial_of_another_port_leaves_a_name_resolvable(tmp_path: Path) -> None:
    net = service(tmp_path, egress("a.example.com"), [], deny=egress("*", ports=[25]))
    assert net.resolve("a.example.com") == ["1.1.1.1"]


@pytest.mark.parametrize("ports", [["*"], [443], ["400-500", 8443]])
def test_n4_a_denied_name_is_never_told_to_a_resolver(tmp_path: Path, ports: list[Any]) -> None:
    asked: list[str] = []
    deny = egress("**.evil.example.com", ports=ports)
    net = service(tmp_path, egress("**.example.com"), asked, deny=deny)
    for ask in (lambda: net.resolve("x.evil.example.com"), lambda: net.connect("x.evil.example.com", 443)):
        with pytest.raises(PermissionDenied) as caught:
            ask()
        assert caught.value.reason.code == "denied-by-host"
    assert asked == []


def test_n4_a_denied_address_is_not_given_to_who_resolves(tmp_path: Path) -> None:
    net = service(tmp_path, egress("a.example.com"), [], deny=egress("1.1.1.0/24", ports=["*"]))
    with pytest.raises(PermissionDenied) as caught:
        net.resolve("a.example.com")
    assert caught.value.reason.code == "denied-by-host"


def test_n6_accepted_connections_end_with_the_plugin(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    rule = {"protocol": "tcp", "ports": [port], "allowed_origins": ["127.0.0.1"]}
    net = service(tmp_path, {"network": {"ingress": [rule]}}, [])
    listener = net.listen(port)
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as client:
        connection, _ = listener.accept()
        is_waiting, received = threading.Event(), []

        def read() -> None:
            is_waiting.set()
            try:
                received.append(connection.recv(1))
            except OSError:
                received.append(b"")  # it was closed before the first byte was waited for

        reader = threading.Thread(target=read)
        reader.start()
        assert is_waiting.wait(5.0)
        net.close()
        assert connection.fileno() == -1
        assert client.recv(1) == b""
        reader.join(5.0)
        assert received == [b""]


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append(
            (
                self.command,
                self.requestline.split()[1],
                {name.lower(): text for name, text in self.headers.items()},
            )
        )
        target = server.redirects.get(self.path)
        self.send_response(303 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as made:
        server: Any = made
        server.seen, server.redirects = [], {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("written", "sent"), [("?q=1", "/?q=1"), ("//x.org/y", "//x.org/y"), ("", "/"), ("/a?", "/a")]
)
def test_n5_the_path_is_asked_for_as_it_is_written(
    tmp_path: Path, site: Any, written: str, sent: str
) -> None:
    net = service(tmp_path, egress("127.0.0.1", ports=["*"]), [])
    assert net.http("GET", f"http://127.0.0.1:{site.server_port}{written}").status == 200
    assert site.seen[0][1] == sent


def test_n5_headers_that_are_no_longer_true_do_not_follow_a_redirect(tmp_path: Path, site: Any) -> None:
    base = f"http://127.0.0.1:{site.server_port}"
    site.redirects = {"/form": f"http://127.0.0.2:{site.server_port}/done"}
    net = service(tmp_path, egress("127.0.0.0/8", ports=["*"]), [])
    headers = {"Host": "front.example.com", "Content-Length": "3", "Content-Type": "text/plain", "X": "y"}
    server: Any = site
    with http.server.ThreadingHTTPServer(("127.0.0.2", site.server_port), Site) as made:
        other: Any = made
        other.seen, other.redirects = server.seen, {}
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        net.http("POST", f"{base}/form", headers=headers, body=b"abc", timeout=5.0)
        other.shutdown()
        thread.join()
    _, (command, path, last) = site.seen
    assert (command, path, last["x"], last["host"]) == ("GET", "/done", "y", f"127.0.0.2:{site.server_port}")
    assert not {"content-length", "content-type"} & last.keys()


def test_n5_a_request_over_tls_ends_with_the_plugin(tmp_path: Path) -> None:
    """TLS takes over the connected socket: it has to be found all the same."""
    ended: list[Exception] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        net = service(tmp_path, egress("127.0.0.1", ports=[port]), [])

        def ask() -> None:
            try:
                net.http("GET", f"https://127.0.0.1:{port}/", timeout=30.0)
            except Exception as error:
                ended.append(error)

        before = len(os.listdir("/proc/self/fd"))
        thread = threading.Thread(target=ask)
        thread.start()
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1)  # the first byte of the handshake, which is never answered
            net.close()
            thread.join(10.0)
            assert not thread.is_alive()
    assert len(ended) == 1
    assert len(os.listdir("/proc/self/fd")) < before


def test_n6_a_denied_address_is_not_reached_by_listening_on_all(tmp_path: Path) -> None:
    def rule(*bind: str, **more: Any) -> dict[str, Any]:
        return {"network": {"ingress": [{"protocol": "tcp", "ports": [9000], "bind": list(bind), **more}]}}

    wish = rule("0.0.0.0", "127.0.0.1", "127.0.0.2", allowed_origins=["127.0.0.1"])
    for denied, listening, code in (
        ("127.0.0.1", "0.0.0.0", "denied-by-host"),
        ("0.0.0.0", "127.0.0.2", "denied-by-host"),
        ("127.0.0.1", "127.0.0.1", "denied-by-host"),
    ):
        grants = grants_of(wish, tmp_path / "data", deny=rule(denied))
        with pytest.raises(Refusal) as caught:
            grants.ingress("tcp", listening, 9000)
        assert caught.value.code == code
    assert grants_of(wish, tmp_path / "data", deny=rule("127.0.0.1")).ingress("tcp", "127.0.0.2", 9000)
