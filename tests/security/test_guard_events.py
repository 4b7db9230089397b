"""What audit events mean in terms of grants: the cases that plugins seldom bring about."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from pluginkit.security import Refusal
from pluginkit.security.guard import _target_of
from pluginkit.security.guard_events import EVENTS
from tests.support.granting import grants_of

EGRESS = {"network": {"egress": [{"protocol": "tcp", "hosts": ["x.org"], "ports": [443]}]}}
ROOT = Path(__file__).resolve().parents[2]


def check(event: str, *args: Any, requested: Any = None, data: Path = Path("/nowhere/data")) -> str:
    """The code of the refusal, `allowed` without one."""
    try:
        EVENTS[event][1](grants_of(requested or {}, data), args)
    except Refusal as refusal:
        return refusal.code
    return "allowed"


@pytest.fixture
def tcp() -> Any:
    with socket.socket() as sock:
        yield sock


def test_cp11_descriptors_and_paths_relative_to_them_are_not_judged(tmp_path: Path) -> None:
    assert check("open", 3, "r", 0) == "allowed"
    assert check("os.remove", "a", 5) == "allowed"
    assert check("os.rename", "a", "b", 5, -1) == "allowed"
    assert check("os.listdir", 3) == "allowed"
    assert check("os.listdir", None) == "no-grant"
    assert check("os.remove", str(tmp_path / "a"), -1) == "no-grant"


def test_cp11_opening_a_directory_is_listing_it(tmp_path: Path) -> None:
    wish = {"filesystem": [{"path": f"{tmp_path}/", "permissions": ["list"]}]}
    assert check("open", str(tmp_path), None, os.O_RDONLY | os.O_DIRECTORY, requested=wish) == "allowed"
    assert check("open", str(tmp_path), None, os.O_RDONLY, requested=wish) == "no-permission"


def test_cp11_an_address_of_a_name_that_was_resolved_before_passes(tcp: socket.socket) -> None:
    assert check("socket.connect", tcp, ("8.8.8.8", 443), requested=EGRESS) == "allowed"
    assert check("socket.connect", tcp, ("8.8.8.8", 80), requested=EGRESS) == "no-grant"
    assert check("socket.connect", tcp, ("10.0.0.1", 443), requested=EGRESS) == "no-grant"
    assert check("socket.connect", tcp, ("x.org", 443), requested=EGRESS) == "allowed"
    assert check("socket.connect", tcp, ("y.org", 443), requested=EGRESS) == "no-grant"
    assert check("socket.connect", tcp, "/run/docker.sock") == "no-grant"


def test_cp11_lookups_of_granted_names_pass() -> None:
    for host, code in {None: "allowed", "localhost": "allowed", b"x.org": "allowed", "1.2.3.4": "allowed",
                       "y.org": "no-grant", "127.1": "bad-host"}.items():  # fmt: skip
        assert check("socket.getaddrinfo", host, 80, 0, 0, 0, requested=EGRESS) == code


def test_cp11_binding_is_listening(tcp: socket.socket, tmp_path: Path) -> None:
    wish = {"network": {"ingress": [{"protocol": "tcp", "ports": [9000]}]}}
    assert check("socket.bind", tcp, ("127.0.0.1", 9000), requested=wish) == "allowed"
    assert check("socket.bind", tcp, ("", 9000), requested=wish) == "no-grant"
    assert check("socket.bind", tcp, ("localhost", 9000), requested=wish) == "no-grant"
    assert check("socket.bind", tcp, ("", 0)) == "allowed"
    assert check("socket.bind", tcp, str(tmp_path / "sock")) == "no-grant"
    assert check("socket.bind", tcp, str(tmp_path / "data/sock"), data=tmp_path / "data") == "allowed"


def test_cp11_path_arguments_of_programs_are_asked_of_the_grants(tmp_path: Path) -> None:
    wish = {
        "process": {"exec": [{"command": "/bin/cat", "args": ["path:read"]}]},
        "filesystem": [{"path": f"{tmp_path}/", "permissions": ["read"]}],
    }
    run = "subprocess.Popen"
    assert check(run, "/bin/cat", ["cat", str(tmp_path / "a")], None, None, requested=wish) == "allowed"
    assert check(run, "/bin/cat", ["cat", "/etc/passwd"], None, None, requested=wish) == "no-grant"
    assert check(run, None, "/bin/cat", None, None, requested=wish) == "no-grant"
    assert check(run, None, ["/bin/cat", str(tmp_path / "a")], None, None, requested=wish) == "allowed"


def test_cp11_asking_whether_a_process_is_there_is_no_signal() -> None:
    assert check("os.kill", 1, 0) == "allowed"
    assert check("os.kill", 1, 15) == "no-grant"
    assert check("os.kill", 1, 15, requested={"process": {"signal": ["children"]}}) == "allowed"


def test_cp11_targets_are_told_as_people_read_them(tcp: socket.socket) -> None:
    assert _target_of("socket.connect", (tcp, ("1.2.3.4", 80))) == "1.2.3.4:80"
    assert _target_of("socket.bind", (tcp, "/run/x")) == "/run/x"
    assert _target_of("subprocess.Popen", ("/bin/ls", ["ls", "-l"], None, None)) == "ls -l"
    assert _target_of("os.exec", ("/bin/ls", "ls", None)) == "ls"
    assert _target_of("os.fork", ()) == ""


def test_cp09_every_code_of_a_denial_is_documented() -> None:
    sources = [*(ROOT / "pluginkit/security").glob("*.py"), *(ROOT / "pluginkit/services").glob("*.py")]
    codes = {
        code for path in sources for code in re.findall(r'Refusal\(\s*"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert len(codes) > 20
    page = (ROOT / "docs/reference/capabilities.md").read_text("utf-8")
    assert {code for code in codes if f"`{code}`" not in page} == set()
