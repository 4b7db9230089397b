"""Where sockets lie, and who may come near them."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from pluginkit.control import peers
from pluginkit.control.identity import Identity, Wanted
from pluginkit.control.places import (
    MAX_SOCKET_PATH,
    ControlError,
    make_private,
    require_private,
    runtime_dir,
    socket_path,
)

STRANGER = 54321


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_runtime_directory_is_that_of_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_dir() == tmp_path / "pluginkit"


@pytest.mark.parametrize("given", ["", "relative/path"])
def test_without_a_session_it_is_one_of_the_users_own(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", given)
    assert runtime_dir().is_absolute()
    assert str(os.geteuid()) in runtime_dir().parent.name


def test_the_directory_is_closed_to_all_others(tmp_path: Path) -> None:
    made = tmp_path / "new" / "pluginkit"
    make_private(made)
    assert mode(made) == mode(made.parent) == 0o700
    made.chmod(0o755)
    make_private(made)
    assert mode(made) == 0o700


def test_a_symlink_or_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "file").touch()
    with pytest.raises(ControlError, match="symlink"):
        make_private(tmp_path / "link")
    with pytest.raises(ControlError, match="cannot be made"):
        make_private(tmp_path / "file")
    with pytest.raises(ControlError, match="cannot be made"):
        make_private(tmp_path / "file" / "below" / "pluginkit")


def test_a_directory_that_others_could_replace_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ControlError, match="other users"):
        make_private(tmp_path / "pluginkit")
    tmp_path.chmod(0o1777)  # as /tmp is
    make_private(tmp_path / "pluginkit")


def test_a_directory_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_private(tmp_path / "pluginkit")
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    with pytest.raises(ControlError, match="not trusted"):
        require_private(tmp_path / "pluginkit")


def test_the_kernel_says_who_is_on_the_other_side() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peers.peer_uid(ours) == os.geteuid()
        peers.require_same_user(peers.peer_uid(ours))


def test_any_other_user_is_refused_and_root_is_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ControlError, match=f"user {STRANGER}"):
        peers.require_same_user(STRANGER)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    with pytest.raises(ControlError, match="user 0;"):
        peers.require_same_user(0)


def test_where_the_kernel_does_not_say_it_there_is_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_OPTION", None)
    with pytest.raises(ControlError, match="SO_PEERCRED"):
        peers.require_supported()


def test_a_path_that_the_kernel_would_refuse_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    near = socket_path(Path("/run/user/1000/pluginkit"), "0" * 16)
    assert near == Path("/run/user/1000/pluginkit/0000000000000000.sock")
    long, other = tmp_path / ("x" * 100), tmp_path / ("y" * 100)
    short = socket_path(long, "0" * 16)
    assert len(os.fsencode(short)) <= MAX_SOCKET_PATH
    assert short != socket_path(other, "0" * 16)
    assert short == socket_path(long, "0" * 16)


def test_the_longest_path_that_fits_is_used_as_it_is() -> None:
    key, room = "k", MAX_SOCKET_PATH - len("/k.sock")
    fits = Path("/" + "d" * (room - 1))
    assert socket_path(fits, key) == fits / "k.sock"
    assert socket_path(Path(f"{fits}d"), key).parent.parent == Path("/tmp")


def test_hosts_differ_by_name_config_and_plugins_directory(tmp_path: Path) -> None:
    one = Identity.of("app", tmp_path / "config.yaml", [tmp_path / "plugins"])
    (tmp_path / "link").symlink_to(".")
    assert Identity.of("app", tmp_path / "link" / "config.yaml", [tmp_path / "link" / "plugins"]) == one
    assert Identity.from_dict(one.as_dict()) == one
    others = [
        Identity.of("zoo", tmp_path / "config.yaml", [tmp_path / "plugins"]),
        Identity.of("app", tmp_path / "other.yaml", [tmp_path / "plugins"]),
        Identity.of("app", None, [tmp_path / "plugins"]),
        Identity.of("app", tmp_path / "config.yaml", []),
    ]
    assert len({one.key, *(other.key for other in others)}) == 5


@pytest.mark.parametrize(
    ("wanted", "is_meant"),
    [
        (Wanted(), True),
        (Wanted(config="/c"), True),
        (Wanted(config="/other"), False),
        (Wanted(config="/c", name="app"), True),
        (Wanted(config="/c", name="zoo"), False),
        (Wanted(config="/c", plugins_dirs=("/p",)), True),
        (Wanted(config="/c", plugins_dirs=("/other",)), False),
        (Wanted(config="/other", plugins_dirs=("/p",)), False),
    ],
)
def test_who_is_meant(wanted: Wanted, is_meant: bool) -> None:
    assert wanted.matches(Identity("app", "/c", ("/p",))) is is_meant


def test_a_plugins_directory_alone_means_a_program_without_config_too() -> None:
    assert Wanted(config="/c", plugins_dirs=("/p",)).matches(Identity("app", None, ("/p",)))
    assert not Wanted(config="/c").matches(Identity("app", None, ("/p",)))
