"""SE10: whatever is sent to the socket is answered by one line, and changes nothing that it should not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from tests.control.conftest import the_running
from tests.support.hostile import HOSTILE, is_tame, tree


class Raw:
    """A client that sends what it likes."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        self.hello = self.read()

    def read(self) -> dict[str, Any]:
        line = self._file.readline()
        assert line.isascii()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, request: object) -> dict[str, Any]:
        self._socket.sendall(
            (request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n"
        )
        return self.read()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def raw(host: Host) -> Iterator[Raw]:
    client = Raw(the_running().socket)
    yield client
    client.close()


def is_refused(answer: dict[str, Any]) -> bool:
    """Whether the answer says that the request cannot be, in words that can be shown."""
    error = answer.get("error") or {}
    return not answer["ok"] and error["blame"] == "usage" and is_tame(error["message"])


@pytest.mark.parametrize(
    "do", ["info", "load", "unload", "reload", "reconfigure", "enable", "disable", "hooks"]
)
def test_se10_a_hostile_name_in_a_request_is_an_unknown_one(
    raw: Raw, host: Host, tmp_path: Path, do: str
) -> None:
    before = tree(tmp_path)
    for name in HOSTILE:
        answer = raw.ask({"id": 1, "do": do, "with": {"name": name}})
        assert is_refused(answer), answer
        assert answer["error"]["type"] == "UnknownName"
        assert len(answer["error"]["message"]) < 1000
    assert tree(tmp_path) == before
    assert host.plugins["cat"].state == "running"


@pytest.mark.parametrize(
    "do", ["__class__", "__init__", "_private", "answer", "checked", "host.close", "../list", "list\n", "\x1b[2J", "", "LIST", "x" * 500_000]
)  # fmt: skip
def test_se10_only_the_requests_by_name_can_be_made(raw: Raw, do: str) -> None:
    answer = raw.ask({"id": 1, "do": do})
    assert is_refused(answer), answer
    assert answer["error"]["type"] == "UnknownName"
    assert len(answer["error"]["message"]) < 1000


@pytest.mark.parametrize(
    "hook", ["__class__", "__init__", "_private", "speak.__globals__", "../speak", "speak\n", "\uff53peak"]
)
def test_se10_only_the_hooks_of_contracts_can_be_called(raw: Raw, hook: str) -> None:
    answer = raw.ask({"id": 1, "do": "call", "with": {"hook": hook, "values": {}}})
    assert is_refused(answer), answer
    assert answer["error"]["type"] == "UnknownName"


@pytest.mark.parametrize(
    "arguments",
    [
        {"hook": "speak", "values": {"is_loud": True, "__class__": 1}},
        {"hook": "speak", "values": {"is_loud": True, "self": 1}},
        {"hook": "speak", "text": {"is_loud": "true", "\x1b[2J\n": "x"}},
        {"hook": "speak", "text": {"is_loud": "\x1b[2J\nerror: forged"}},
        {"hook": "speak", "values": {"is_loud": True}, "plugin": "../cat"},
        {"hook": "speak", "values": {"is_loud": True}, "plugin": "\x1b[2Jcat"},
        {"hook": "speak", "values": {"is_loud": True}, "timeout": float("nan")},
        {"hook": "speak", "values": {"is_loud": True}, "timeout": float("inf")},
        {"hook": "speak", "values": [1]},
        {"hook": 5},
        {"hook": "speak", "host": "evil"},
        {"hook": "speak", "\x1b[2J" * 50_000: 1},
    ],
)  # fmt: skip
def test_se10_arguments_of_a_call_are_those_that_it_has(raw: Raw, arguments: dict[str, Any]) -> None:
    answer = raw.ask({"id": 1, "do": "call", "with": arguments})
    assert is_refused(answer), answer


@pytest.mark.parametrize(
    ("do", "arguments"),
    [
        ("log_level", {"name": "cat", "level": "error\n"}),
        ("log_level", {"name": 1, "level": "error"}),
        ("queue", {"action": "drop\x1b[2J"}),
        ("queue", {"ids": ["1; DROP TABLE queues"], "action": "replay"}),
        ("queue", {"ids": [-1], "action": "replay"}),
        ("queue", {"which": ["dead"], "action": "purge"}),
        ("events", {"kinds": ["\x1b[2J\n"], "plugin": 1}),
        ("events", {"kinds": "failed"}),
        ("info", {"name": ["cat"]}),
        ("info", {"name": {"$ne": None}}),
        ("info", {}),
        ("unload", {"name": "cat", "timeout": "\x1b[2J"}),
        ("unload", {"name": "cat", "cascade": "yes"}),
    ],
)
def test_se10_arguments_of_other_kinds_are_refused_in_words_that_can_be_shown(
    raw: Raw, host: Host, do: str, arguments: dict[str, Any]
) -> None:
    answer = raw.ask({"id": 1, "do": do, "with": arguments})
    if do in {"queue", "log_level"} and answer["ok"]:
        assert set(answer["result"].values()) == {None}  # this host has none
    else:
        assert is_refused(answer), answer
    assert host.plugins["cat"].state == "running"


def nested(depth: int) -> bytes:
    return b'{"id": 1, "do": "info", "with": {"name": ' + b"[" * depth + b"]" * depth + b"}}"


@pytest.mark.parametrize("depth", [50, 500, 900, 960, 990, 5_000, 200_000])
def test_se10_deep_nesting_is_refused_and_is_no_bug(raw: Raw, depth: int) -> None:
    assert is_refused(raw.ask(nested(depth)))
    assert raw.ask({"id": 2, "do": "ping"})["ok"]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\0", b"null", b"[]", b'"list"', b"5", b'{"do": 5}', b'{"do": "list", "with": []}', b'{"do": "list", "id": []}',
        b'{"do": "list", "id": true}', b'{"do": "list", "id": 1.5}', b'{"do": "list", "id": ' + b"9" * 5000 + b"}", b"\xff\xfe",
        b'{"do": "list"}{"do": "disable", "with": {"name": "cat"}}', b"GET / HTTP/1.1", b'{"do": "list"', b"\x1b[2J",
    ],
)  # fmt: skip
def test_se10_a_line_that_is_no_request_is_refused_and_the_next_is_served(raw: Raw, line: bytes) -> None:
    assert is_refused(raw.ask(line))
    assert raw.ask({"id": 2, "do": "ping"})["ok"]


@pytest.mark.parametrize(
    "number", ['\n{"id": 2, "ok": true}', "\x1b[2J", "\ud800", "'; --", "__class__", -1, 0, 2**100, None]
)
def test_se10_an_id_comes_back_as_it_was_and_breaks_no_line(raw: Raw, number: object) -> None:
    answer = raw.ask({"id": number, "do": "ping"})
    assert answer["id"] == number
    assert answer["ok"]
    assert raw.ask({"id": 2, "do": "ping"})["id"] == 2


def test_se10_a_request_that_is_too_long_ends_that_connection_only(raw: Raw, host: Host) -> None:
    assert is_refused(raw.ask(b'{"do": "list", "id": "' + b"x" * 1024 * 1024 + b'"}'))
    other = Raw(the_running().socket)
    assert other.ask({"id": 1, "do": "ping"})["ok"]
    other.close()


def test_se10_a_plugin_that_raises_hostile_text_breaks_no_line_of_the_socket(raw: Raw, plugins: Path) -> None:
    text = 'x\n{"id": 1, "ok": true}\x1b[2J\ud800'
    (plugins / "cat" / "cat.py").write_text(
        f"from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud):\n        raise ValueError({text!r})\n",
        "utf-8",
    )
    assert raw.ask({"id": 1, "do": "reload", "with": {"name": "cat"}})["ok"]
    answer = raw.ask({"id": 2, "do": "call", "with": {"hook": "speak", "values": {"is_loud": True}}})
    assert answer["id"] == 2
    (result,) = answer["result"]["results"]
    assert result["error"] == {"type": "ValueError", "message": text}


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a\nb", "\x1b[2J", "x" * 5000, "\udcff"])
def test_se10_a_hosts_own_name_does_not_say_where_its_socket_lies(
    runtime: Path, plugins: Path, name: str
) -> None:
    from pluginkit.control.claim import Claim
    from pluginkit.control.identity import Identity

    claim = Claim(Identity(name, None, (str(plugins),)), runtime)
    assert claim.socket_path.parent == claim.lock_path.parent == runtime
    assert claim.lock_path.stem.isalnum()
    claim.take()
    assert the_running(name=name).identity.name == name
    claim.release()
    assert tree(runtime) == set()
