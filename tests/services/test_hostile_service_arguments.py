"""Arguments that say one thing to the rules and another to the system: they are made plain first."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from pluginkit.services.network import NetworkService
from pluginkit.services.processes import ProcessService
from tests.support.granting import grants_of

ECHO, SLEEP = (os.path.realpath(shutil.which(name) or "") for name in ("echo", "sleep"))


class Liar(str):
    """A text that is equal to every other, holds nothing, begins with nothing and shows another text."""

    __slots__ = ("shows",)
    shows: str

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__

    def __contains__(self, _: object) -> bool:
        return False

    def __str__(self) -> str:
        return getattr(self, "shows", str.__str__(self))

    def startswith(self, *_: Any) -> bool:
        return False

    def lower(self) -> Liar:
        return self

    def removesuffix(self, _: str, /) -> Liar:
        return self


def liar(text: str, shows: str) -> Liar:
    made = Liar(text)
    made.shows = shows
    return made


class Turning:
    """A path object that leads elsewhere each time it is asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def __fspath__(self) -> str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value.reason.code


def everything(place: Path) -> dict[str, Any]:
    permissions = ["read", "write", "list", "create", "delete"]
    return {"path": f"{place}/", "permissions": permissions, "recursive": True}


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Callable[..., ProcessService]]:
    closing: list[Any] = []

    def make(command: str, *args: str, **more: Any) -> ProcessService:
        process = {"exec": [{"command": command, "args": list(args)}], "signal": ["children"]}
        grants = grants_of({"process": process}, tmp_path / "data", **more)
        files = FileService(grants, Gate("cat", None))
        closing.extend([files, ProcessService(grants, Gate("cat", None), files)])
        made: ProcessService = closing[-1]
        return made

    yield make
    for one in reversed(closing):
        one.close()


def net(tmp_path: Path, network: dict[str, Any], resolver: Any = None) -> NetworkService:
    grants = grants_of({"network": network}, tmp_path / "data")
    return NetworkService(grants, Gate("cat", None), resolver=resolver or (lambda name: ["127.0.0.1"]))


def test_f3_a_path_that_hides_a_nul_gets_nowhere(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "key").write_text("secret")
    denied = {"path": f"{tmp_path}/srv/key", "permissions": ["read"]}
    fs = FileService(
        grants_of(
            {"filesystem": [everything(tmp_path / "srv")]}, tmp_path / "own", deny={"filesystem": [denied]}
        ),
        Gate("cat", None),
    )
    assert code_of(lambda: fs.read_text(tmp_path / "srv" / "key")) == "denied-by-host"
    with pytest.raises(ValueError, match="not a path"):
        fs.read_text(Liar(f"{tmp_path}/srv/key\0.txt"))
    fs.close()


def test_f3_the_denial_names_the_path_that_was_asked_for(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    fs = FileService(
        grants_of({"filesystem": [everything(tmp_path / "own")]}, tmp_path / "own"),
        Gate("cat", lambda _kind, _plugin, **data: told.append(data)),
    )
    with pytest.raises(PermissionDenied) as caught:
        fs.read_text(Turning("/etc/hosts", "/etc/shadow", "/etc/passwd"))
    assert caught.value.target == told[0]["target"] == "/etc/hosts"
    assert "path: /etc/hosts," in caught.value.advice
    fs.close()


def test_p2_a_text_that_equals_everything_is_compared_as_what_it_is(
    programs: Callable[..., ProcessService],
) -> None:
    process = programs(ECHO, "allowed")
    assert process.run([ECHO, "allowed"]).stdout == b"allowed\n"
    assert code_of(lambda: process.run([ECHO, Liar("forbidden")])) == "no-grant"


def test_p2_an_option_cannot_hide_its_dash(programs: Callable[..., ProcessService]) -> None:
    process = programs(ECHO, "*", "**")
    assert code_of(lambda: process.run([ECHO, Liar("-e"), "x"])) == "no-grant"
    assert code_of(lambda: process.run([ECHO, "x", Liar("-e")])) == "no-grant"


def test_p4_a_number_that_equals_everything_is_no_signal(programs: Callable[..., ProcessService]) -> None:
    class AnyNumber(int):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash(signal.SIGTERM)

    process = programs(SLEEP, "60")
    child = process.spawn([SLEEP, "60"])
    assert code_of(lambda: process.signal(child, AnyNumber(signal.SIGSTOP))) == "no-such-signal"
    with pytest.raises(TypeError):
        process.signal(child, True)  # it would be HUP
    assert child.is_running()


def test_n1_a_name_that_equals_everything_is_compared_as_what_it_is(tmp_path: Path) -> None:
    asked: list[str] = []

    def resolver(name: str) -> list[str]:
        asked.append(name)
        return ["1.1.1.1"]

    rule = {"protocol": "tcp", "hosts": ["api.example.com"], "ports": [443]}
    service = net(tmp_path, {"egress": [rule]}, resolver)
    assert code_of(lambda: service.resolve(Liar("evil.example.net"))) == "no-grant"
    assert asked == []


def test_n4_a_protocol_that_equals_everything_is_compared_as_what_it_is(tmp_path: Path) -> None:
    rule = {"protocol": "tcp", "hosts": ["127.0.0.1"], "ports": ["*"]}
    service = net(tmp_path, {"egress": [rule]})
    wrong: Any = Liar("udp")
    assert code_of(lambda: service.connect("127.0.0.1", 9, protocol=wrong)) == "no-grant"


def test_n6_what_is_bound_is_what_was_granted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    rule = {"protocol": "tcp", "ports": [port], "allowed_origins": ["127.0.0.1"]}
    service = net(tmp_path, {"ingress": [rule, {**rule, "protocol": "udp"}]})
    assert code_of(lambda: service.listen(port, liar("0.0.0.0", "127.0.0.1"))) == "no-grant"
    assert code_of(lambda: service.listen_udp(port, liar("0.0.0.0", "127.0.0.1"))) == "no-grant"
    service.close()


def test_n6_what_is_sent_goes_to_the_address_that_was_judged(tmp_path: Path) -> None:
    class Peer(tuple[str, int]):
        __slots__ = ()

        def __getitem__(self, index: Any) -> Any:
            return "127.0.0.1" if index == 0 else tuple.__getitem__(self, index)

    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    rule = {"protocol": "udp", "ports": [port], "allowed_origins": ["127.0.0.1"]}
    service = net(tmp_path, {"ingress": [rule]})
    with service.listen_udp(port) as datagrams:
        for stranger in (Peer(("127.0.0.2", 9)), (liar("127.0.0.2", "127.0.0.1"), 9)):
            assert code_of(lambda peer=stranger: datagrams.send(b"x", peer)) == "foreign-origin"  # type: ignore[misc]  # a default binds the loop variable
    service.close()
