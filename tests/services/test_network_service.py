"""`ctx.net`: the rules N1 to N6, against real sockets of this machine and resolvers that lie."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.errors import PermissionDenied, StateError, UsageError
from pluginkit.security import Refusal, hosts
from pluginkit.services.gate import Gate
from pluginkit.services.network import NetworkService, system_resolver
from tests.support.granting import grants_of


class Resolver:
    """Answers from a table, one answer after the other, and remembers what it was asked."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): addresses for name, addresses in answers.items()}
        self.asked: list[str] = []

    def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        if name not in self.answers:
            raise socket.gaierror("no such name")
        return self.answers[name]


def egress(*names: str, ports: list[Any] | None = None, protocol: str = "tcp") -> dict[str, Any]:
    rule = {"protocol": protocol, "hosts": list(names), "ports": ports or ["*"]}
    return {"network": {"egress": [rule]}}


def ingress(port: int, *origins: str, protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    rule = {"protocol": protocol, "ports": [port], "allowed_origins": list(origins), **more}
    return {"network": {"ingress": [rule]}}


Make = Callable[..., NetworkService]


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Make]:
    made: list[NetworkService] = []

    def make(requested: dict[str, Any], resolver: Any = system_resolver, **more: Any) -> NetworkService:
        grants = grants_of(requested, tmp_path / "data", **more)
        made.append(NetworkService(grants, Gate("cat", None), resolver=resolver))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value.reason.code


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("x.org", ["x.org"], ["a.x.org", "x.org.evil.com", "xx.org"]),
        ("*.x.org", ["a.x.org"], ["x.org", "a.b.x.org", "ax.org"]),
        ("**.x.org", ["a.x.org", "a.b.x.org"], ["x.org", "ax.org"]),
        ("*", ["x.org", "a.b.c"], []),
    ],
)
def test_n1_patterns_are_labels_not_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [name for name in (*yes, *no) if hosts.name_matches([pattern], name)] == yes


LABELS = st.lists(st.sampled_from(["a", "b", "x", "org", "evil"]), min_size=1, max_size=5)


@given(LABELS, LABELS)
def test_n1_a_star_is_exactly_one_label(pattern: list[str], name: list[str]) -> None:
    base, text = ".".join(pattern), ".".join(name)
    one = hosts.pattern_matches(f"*.{base}", text)
    many = hosts.pattern_matches(f"**.{base}", text)
    assert one == (name[1:] == pattern)
    assert many == (len(name) > len(pattern) and name[-len(pattern) :] == pattern)


def test_n1_names_are_compared_in_normal_form() -> None:
    assert [hosts.read_host(text).text for text in ("API.X.org.", "bücher.example", "::FFFF:1.2.3.4")] == [
        "api.x.org",
        "xn--bcher-kva.example",
        str(ipaddress.ip_address("::ffff:1.2.3.4")),
    ]


def test_n1_a_bare_star_counts_only_if_the_host_wrote_it(net: Make) -> None:
    resolver = Resolver(x_org=["8.8.8.8"])
    assert code_of(lambda: net(egress("*"), resolver).resolve("x.org")) == "no-grant"
    assert net(egress("*"), resolver, allow=egress("*")).resolve("x.org") == ["8.8.8.8"]
    assert code_of(lambda: net(egress("*"), resolver, allow=egress("y.org")).resolve("x.org")) == "no-grant"


@pytest.mark.parametrize(
    "host",
    [
        "127.1", "0x7f.1", "2130706433", "0", "127.0.0.01", "0x7f000001", "１２７.0.0.1", "127.0.0.1.",  # noqa: RUF001  # look-alikes are the point
        "fe80::1%lo", "a b", "x..org", "-x.org", "x/../y", "user@x.org", "x.org:80", "", "a" * 300, "\ud800",
    ],
)  # fmt: skip
def test_n2_disguised_addresses_and_what_is_no_name_are_denied(net: Make, host: str) -> None:
    resolver = Resolver(**{host: ["127.0.0.1"]})
    assert code_of(lambda: net(egress("*"), resolver, allow=egress("*")).connect(host, 80)) == "bad-host"
    assert resolver.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0", "192.168.1.1", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
    ],
)  # fmt: skip
def test_n3_a_name_never_means_an_address_of_the_hosts_own_network(net: Make, address: str) -> None:
    service = net(egress("x.org"), Resolver(x_org=[address]))
    assert code_of(lambda: service.connect("x.org", 80)) == "private-address"
    assert code_of(lambda: service.resolve("x.org")) == "private-address"


def test_n3_public_addresses_pass_and_private_ones_beside_them_are_left_out(net: Make) -> None:
    service = net(egress("x.org"), Resolver(x_org=["10.0.0.1", "8.8.8.8", "2606:4700::1111"]))
    assert service.resolve("x.org") == ["8.8.8.8", "2606:4700::1111"]


def test_n3_a_network_rule_means_private_addresses_too(net: Make, server: tuple[str, int]) -> None:
    resolver = Resolver(x_org=["127.0.0.1"])
    service = net(egress("x.org", "127.0.0.0/8"), resolver)
    with service.connect("x.org", server[1]) as sock:
        assert sock.getpeername() == server
        assert sock.gettimeout() == 30.0
    with service.connect("127.0.0.1", server[1], timeout=1.0) as sock:
        assert sock.gettimeout() == 1.0
    assert code_of(lambda: net(egress("128.0.0.0/8")).connect("127.0.0.1", server[1])) == "no-grant"
    assert net(egress("10.0.0.0/8", "x.org"), Resolver(x_org=["::ffff:10.0.0.1"])).resolve("x.org") == [
        str(ipaddress.ip_address("::ffff:10.0.0.1"))
    ]


def test_n3_a_resolver_that_changes_its_mind_is_asked_once(net: Make, server: tuple[str, int]) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    def rebinding(name: str) -> list[str]:
        asked.append(name)
        return next(answers)

    service = net(egress("x.org", "127.0.0.1"), rebinding)
    with service.connect("x.org", server[1]) as sock:
        assert sock.getpeername() == server
    assert asked == ["x.org"]
    assert code_of(lambda: service.connect("x.org", server[1])) == "private-address"


def test_n4_protocol_host_and_port_must_match_one_rule(net: Make, server: tuple[str, int]) -> None:
    port = server[1]
    service = net(egress("127.0.0.1", ports=[port]))
    service.connect("127.0.0.1", port).close()
    other = port - 1 if port > 1 else 2
    assert code_of(lambda: service.connect("127.0.0.1", other)) == "no-grant"
    assert code_of(lambda: service.connect("127.0.0.1", port, protocol="udp")) == "no-grant"
    assert code_of(lambda: service.connect("127.0.0.2", port)) == "no-grant"
    two = {"network": {"egress": [egress("127.0.0.1", ports=[other])["network"]["egress"][0],
                                  egress("127.0.0.2", ports=[port])["network"]["egress"][0]]}}  # fmt: skip
    assert code_of(lambda: net(two).connect("127.0.0.1", port)) == "no-grant"
    for wrong in (0, 65536, True, "80"):
        with pytest.raises(ValueError, match="a port is"):
            service.connect("127.0.0.1", wrong)  # type: ignore[arg-type]  # that it is refused is the point
    with pytest.raises(ValueError, match="tcp or udp"):
        service.connect("127.0.0.1", port, protocol="sctp")  # type: ignore[arg-type]  # that it is refused is the point


def test_n4_a_name_that_no_rule_means_is_not_even_asked_for(net: Make) -> None:
    resolver = Resolver(secret_evil_com=["8.8.8.8"])
    service = net(egress("x.org", "8.0.0.0/8"), resolver)
    assert code_of(lambda: service.connect("secret.evil.com", 443)) == "no-grant"
    assert code_of(lambda: service.resolve("secret.evil.com")) == "no-grant"
    assert resolver.asked == []


def test_n4_udp_sockets_are_connected_to_the_one_address(net: Make) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        service = net(egress("127.0.0.1", protocol="udp"))
        with service.connect("127.0.0.1", peer.getsockname()[1], protocol="udp") as sock:
            sock.send(b"ping")
            assert peer.recv(10) == b"ping"


def test_cp10_the_hosts_denial_beats_every_grant(net: Make, server: tuple[str, int]) -> None:
    for deny in (egress("127.0.0.0/8"), egress("*")):
        service = net(egress("127.0.0.1"), deny=deny)
        assert code_of(lambda service=service: service.connect(*server)) == "denied-by-host"  # type: ignore[misc]  # a default binds the loop variable
    service = net(egress("x.org"), Resolver(x_org=["8.8.8.8"]), deny=egress("**.org", "x.org", ports=[25]))
    assert code_of(lambda: service.connect("x.org", 25)) == "denied-by-host"
    assert code_of(lambda: net(ingress(9, "::/0"), deny=ingress(9)).listen(9)) == "denied-by-host"


def test_n4_what_is_granted_and_fails_is_an_oserror(net: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            net(egress("127.0.0.1")).connect("127.0.0.1", unused.getsockname()[1])
    with pytest.raises(socket.gaierror):
        net(egress("x.org"), Resolver()).connect("x.org", 80)
    assert code_of(lambda: net(egress("x.org"), Resolver(x_org=[])).connect("x.org", 80)) == "no-address"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_n6_a_listener_gives_connections_of_allowed_origins_only(net: Make) -> None:
    port = free_port()
    service = net(ingress(port, "127.0.0.1/32"))
    with service.listen(port) as listener:
        listener.settimeout(10.0)
        assert listener.address == ("127.0.0.1", port)
        stranger = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        friend = socket.create_connection(("127.0.0.1", port))
        connection, peer = listener.accept()
        assert peer == friend.getsockname()
        stranger.settimeout(10.0)
        assert stranger.recv(1) == b""
        for sock in (stranger, friend, connection):
            sock.close()


def test_n6_no_origins_are_nobody(net: Make) -> None:
    port = free_port()
    told: list[str] = []
    service = net(ingress(port))
    service._gate._publish = lambda kind, plugin, **data: told.append(data["code"])
    with service.listen(port) as listener, socket.create_connection(("127.0.0.1", port)) as stranger:
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
        stranger.settimeout(10.0)
        assert stranger.recv(1) == b""
    assert told == ["foreign-origin"]


def test_n6_origins_may_be_names_resolved_once(net: Make) -> None:
    port = free_port()
    service = net(ingress(port, "friend.org", "nobody.org"), Resolver(friend_org=["127.0.0.1"]))
    with service.listen(port) as listener, socket.create_connection(("127.0.0.1", port)):
        listener.settimeout(10.0)
        listener.accept()[0].close()


def test_n6_only_the_granted_port_and_address(net: Make) -> None:
    port = free_port()
    service = net(ingress(port, "127.0.0.1"))
    assert code_of(lambda: service.listen(port, "0.0.0.0")) == "no-grant"
    assert code_of(lambda: service.listen(port + 1)) == "no-grant"
    assert code_of(lambda: service.listen_udp(port)) == "no-grant"
    with pytest.raises(ValueError, match="bind is an IP address"):
        service.listen(port, "localhost")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match="in use"):
        service.listen(port)
    v6 = net(ingress(port, "::1", bind=["::1"]))
    if socket.has_ipv6:
        with v6.listen(port, "::1") as listener:
            assert listener.address == ("::1", port)


def test_n6_datagrams_of_strangers_are_dropped(net: Make) -> None:
    port = free_port(socket.SOCK_DGRAM)
    service = net(ingress(port, "127.0.0.1/32", protocol="udp"))
    with service.listen_udp(port) as door:
        door.settimeout(10.0)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as friend,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        ):
            stranger.bind(("127.0.0.2", 0))
            friend.bind(("127.0.0.1", 0))
            stranger.sendto(b"bad", ("127.0.0.1", port))
            friend.sendto(b"good", ("127.0.0.1", port))
            data, peer = door.receive()
            assert (data, peer) == (b"good", friend.getsockname())
            door.send(b"answer", peer)
            assert friend.recv(10) == b"answer"
            assert code_of(lambda: door.send(b"x", stranger.getsockname())) == "foreign-origin"


def test_cp09_what_is_open_is_closed_at_unload(net: Make, server: tuple[str, int]) -> None:
    port = free_port()
    both = {"network": {**egress("127.0.0.1")["network"], **ingress(port, "127.0.0.1")["network"]}}
    service = net(both)
    sock = service.connect(*server)
    listener = service.listen(port)

    def wait() -> None:
        with pytest.raises(OSError):
            listener.accept()

    waiting = threading.Thread(target=wait)
    waiting.start()
    service.close()
    waiting.join(10.0)
    assert not waiting.is_alive()
    assert sock.fileno() == -1
    with pytest.raises(StateError):
        service.connect(*server)


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))  # type: ignore[attr-defined]  # the server carries what the test notes
        target = self.server.redirects.get(self.path)  # type: ignore[attr-defined]  # the server carries what the test notes
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        body = b"" if target else b"x" * 1000
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.seen = []  # type: ignore[attr-defined]  # the server carries what the test notes
        server.redirects = {}  # type: ignore[attr-defined]  # the server carries what the test notes
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_n5_http_asks_and_answers(net: Make, site: Any) -> None:
    url = f"http://127.0.0.1:{site.server_port}/a?b=c#d"
    answer = net(egress("127.0.0.1")).http("GET", url, headers={"X-Mine": "1"})
    assert (answer.status, len(answer.body), answer.text[:2], answer.url) == (200, 1000, "xx", url)
    assert answer.headers["content-length"] == "1000"
    command, path, headers = site.seen[0]
    assert (command, path, headers["X-Mine"], headers["Host"]) == (
        "GET", "/a?b=c", "1", f"127.0.0.1:{site.server_port}",
    )  # fmt: skip
    with pytest.raises(ValueError, match="more than 10 bytes"):
        net(egress("127.0.0.1")).http("GET", url, max_bytes=10)


def test_n5_each_redirect_is_asked_of_the_rules(net: Make, site: Any) -> None:
    site.redirects["/out"] = f"http://127.0.0.2:{site.server_port}/"
    site.redirects["/meta"] = "http://169.254.169.254/latest"
    site.redirects["/in"] = "/there"
    site.redirects["/loop"] = "/loop"
    site.redirects["/file"] = "file:///etc/passwd"
    base = f"http://127.0.0.1:{site.server_port}"
    service = net(egress("127.0.0.1", ports=[site.server_port]))
    assert code_of(lambda: service.http("GET", f"{base}/out")) == "no-grant"
    assert code_of(lambda: service.http("GET", f"{base}/meta")) == "no-grant"
    assert service.http("GET", f"{base}/in").url == f"{base}/there"
    with pytest.raises(ValueError, match="more than 2 redirects"):
        service.http("GET", f"{base}/loop", redirects=2)
    with pytest.raises(ValueError, match="not a web address"):
        service.http("GET", f"{base}/file")
    assert service.http("POST", f"{base}/in", body=b"x").status == 200
    assert [command for command, path, _ in site.seen if path == "/there"] == ["GET", "GET"]


def test_n5_credentials_do_not_follow_to_another_host(net: Make, site: Any) -> None:
    site.redirects["/go"] = f"http://localhost:{site.server_port}/there"
    service = net(egress("127.0.0.1", "localhost"), Resolver(localhost=["127.0.0.1"]))
    service.http("GET", f"http://127.0.0.1:{site.server_port}/go", headers={"Authorization": "s", "X": "y"})
    assert [("Authorization" in headers, headers.get("X")) for _, _, headers in site.seen] == [
        (True, "y"),
        (False, "y"),
    ]


def test_n5_proxies_of_the_environment_are_not_used(
    net: Make, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert net(egress("127.0.0.1")).http("GET", f"http://127.0.0.1:{site.server_port}/").status == 200


def test_n5_https_is_spoken_over_the_vetted_connection_and_checked(
    net: Make, server: tuple[str, int]
) -> None:
    with pytest.raises(OSError, match=r"GET https://127\.0\.0\.1.*: "):
        net(egress("127.0.0.1")).http("GET", f"https://127.0.0.1:{server[1]}/", timeout=0.2)
    for url in ("ftp://x.org/", "http://user:pw@x.org/", "http:///x", "x.org"):
        with pytest.raises(ValueError, match="not a web address"):
            net(egress("127.0.0.1")).http("GET", url)


def test_n5_without_urllib3_the_error_says_what_to_install(
    net: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "urllib3", None)
    with pytest.raises(UsageError, match=r"pip install 'urllib3>=2\.2'"):
        net(egress("127.0.0.1")).http("GET", "http://127.0.0.1/")


def test_n5_https_never_leads_to_http(monkeypatch: pytest.MonkeyPatch) -> None:
    from pluginkit.services import web

    answer = web.HttpResponse(302, {}, b"", "")
    monkeypatch.setattr(web, "_ask", lambda *_: (answer, "http://x.org/"))

    def never(*_: object, **__: object) -> socket.socket:
        raise AssertionError

    with pytest.raises(ValueError, match="from https to http"):
        web.request(
            never, "GET", "https://x.org/", headers={}, body=None, timeout=1, max_bytes=1, redirects=1
        )


@given(st.ip_addresses())
def test_n3_what_is_wrapped_is_judged_by_what_is_inside(address: Any) -> None:
    if address.version == 4:
        wrapped = [
            ipaddress.IPv6Address(int(ipaddress.ip_address("::ffff:0:0")) + int(address)),
            ipaddress.IPv6Address(int(ipaddress.ip_address("64:ff9b::")) + int(address)),
            ipaddress.IPv6Address(int(ipaddress.ip_address("2002::")) + (int(address) << 80)),
        ]
        assert [hosts.is_public(one) for one in wrapped] == [hosts.is_public(address)] * 3


@given(st.text(max_size=40))
def test_n2_reading_a_host_gives_a_host_or_a_refusal(text: str) -> None:
    try:
        host = hosts.read_host(text)
    except Refusal as refusal:
        assert refusal.code == "bad-host"  # noqa: PT017  # most texts are refused, not all
    else:
        assert host.text.isascii()
        assert hosts.read_host(host.text) == host
