"""What a denial says to write where is right when it is copied, and `rows` agree with what works."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pluginkit import PermissionDenied
from pluginkit.manifest import parse_capabilities
from pluginkit.security import read_policy
from pluginkit.strict_yaml import load
from tests.support.granting import Granted, granted, grants_of, wishes

EVERYTHING = ["read", "write", "list", "create", "delete"]
DATA = {"filesystem": [{"path": "${data}/", "permissions": EVERYTHING, "recursive": True}]}


def copied(error: PermissionDenied, name: str) -> Any:
    """The YAML in an advice, which begins with the key `name`."""
    text = error.advice[error.advice.index(f"{name}: ") :].partition("; `allow")[0]
    return load(text).data[name]


def perform(made: Granted, operation: str, args: tuple[Any, ...]) -> None:
    service, name = operation.split(".")
    getattr(getattr(made.context, service), name)(*args)


def refused(
    requested: Mapping[str, Any], data: Path, operation: str, *args: Any, **policy: Any
) -> PermissionDenied:
    with granted(requested, data, **policy) as made, pytest.raises(PermissionDenied) as caught:
        perform(made, operation, args)
    return caught.value


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "state" / "data" / "cat"
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        ("fs.write_text", ("new.txt", "x")),
        ("fs.write_text", ("there.txt", "x")),
        ("fs.write_text", ("sub/new.txt", "x")),
        ("fs.read_text", ("there.txt",)),
        ("fs.list", ()),
        ("fs.list", ("sub",)),
        ("fs.list", ("sub/../.",)),
        ("fs.mkdir", ("sub/new",)),
        ("fs.remove", ("there.txt",)),
        ("fs.stat", ("there.txt",)),
        ("process.run", (["/bin/echo", "*", "lit:x", "path:read"],)),
        ("process.list", ()),
    ],
)
def test_cp09_what_a_denial_says_makes_the_operation_work(
    data: Path, operation: str, args: tuple[Any, ...]
) -> None:
    (data / "there.txt").write_text("x")
    (data / "sub").mkdir()
    first = refused({}, data, operation, *args)
    assert "its manifest" in first.advice
    requested = copied(first, "capabilities")
    second = refused(requested, data, operation, *args, allow={})
    policy = copied(second, "capabilities")["plugins"]["cat"]["allow"]
    assert "the host's config" in second.advice
    with granted(requested, data, allow=policy) as made:
        perform(made, operation, args)


def test_cp09_the_advice_about_connections_names_host_and_port(data: Path) -> None:
    error = refused({}, data, "net.connect", "127.0.0.1", 8765)
    (rule,) = copied(error, "capabilities")["network"]["egress"]
    assert rule == {"protocol": "tcp", "hosts": ["127.0.0.1"], "ports": [8765]}


def test_cp09_a_missing_permission_is_advised_with_its_place(data: Path) -> None:
    wish = {"filesystem": [{"path": "${data}/", "permissions": ["read"]}]}
    error = refused(wish, data, "fs.list")
    assert copied(error, "capabilities") == {"filesystem": [{"path": "${data}/", "permissions": ["list"]}]}


def test_cp09_what_was_not_approved_is_approved_by_a_command(data: Path) -> None:
    error = refused(DATA, data, "fs.list", approved={})
    assert error.advice == "if it may: pluginkit approve cat"


def test_cp09_a_relative_program_is_advised_with_a_path(data: Path) -> None:
    error = refused({}, data, "process.run", ["echo", "x"])
    (rule,) = copied(error, "capabilities")["process"]["exec"]
    assert rule == {"command": "/path/to/echo", "args": ["x"]}


def row(requested: Mapping[str, Any], data: Path, **policy: Any) -> tuple[str, str]:
    (only,) = grants_of(requested, data, **policy).rows
    return only["granted"], only["why"]


def test_cp10_rows_mean_places_whatever_they_are_called(data: Path) -> None:
    place = os.path.realpath(data)
    own = {"filesystem": [{"path": f"{place}/", "permissions": EVERYTHING, "recursive": True}]}
    assert row(DATA, data, allow=own) == ("whole", "")
    file = {"filesystem": [{"path": f"{place}/a.txt", "permissions": ["write"]}]}
    assert row(DATA, data, allow=file) == ("part", "trimmed by the host's policy")
    assert row(DATA, data, deny=own) == ("none", "denied by the host's policy")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/bin/sh", "runs whatever its arguments say"),
        ("/bin/no-such-program", "there is no such program"),
    ],
)
def test_cp10_rows_say_of_a_program_that_can_never_run(data: Path, command: str, why: str) -> None:
    granted, told = row({"process": {"exec": [{"command": command}]}}, data)
    assert granted == "none"
    assert why in told


def test_cp10_rows_say_of_a_star_that_nobody_wrote_out(data: Path) -> None:
    star = {"network": {"egress": [{"protocol": "tcp", "hosts": ["*"], "ports": [443]}]}}
    assert row(star, data) == ("none", "the host * counts only where the host's policy writes it out")
    assert row(star, data, allow=star) == ("whole", "")


def test_cp10_advice_is_read_by_the_same_readers() -> None:
    """What `where` wraps for the configuration is what the configuration reads."""
    policy = read_policy(plugins={"cat": {"allow": DATA}})
    assert policy.of("cat").allow == wishes(DATA) == parse_capabilities(DATA)
