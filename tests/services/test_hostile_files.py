"""Moves that would gain something, descriptors that end in the middle, denials that blame the wrong path."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied
from pluginkit.services import beneath
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from tests.support.granting import grants_of

ALL = ["read", "write", "list", "create", "delete"]


def grant(path: object, *permissions: str, recursive: bool = True) -> dict[str, Any]:
    return {"path": str(path), "permissions": list(permissions) or ALL, "recursive": recursive}


def service(place: Path, *grants: dict[str, Any], **more: Any) -> FileService:
    return FileService(grants_of({"filesystem": list(grants)}, place / "own", **more), Gate("cat", None))


def denial(action: Callable[[], object]) -> PermissionDenied:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    for name in ("srv/private/key", "srv/private/sub/deep", "srv/open/x", "srv/other/y"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "srv"


def test_f7_what_may_not_be_read_is_not_moved_to_where_it_may(tmp_path: Path, srv: Path) -> None:
    deny = {"filesystem": [grant(f"{srv}/private/", "read", "list")]}
    fs = service(tmp_path, grant(f"{srv}/"), deny=deny)
    assert denial(lambda: fs.read_text(srv / "private/key")).reason.code == "denied-by-host"
    assert denial(lambda: fs.rename(srv / "private/key", srv / "open/key")).reason.code == "denied-by-host"
    assert denial(lambda: fs.rename(srv / "private/sub", srv / "open/sub")).reason.code == "denied-by-host"
    fs.rename(srv / "private/key", srv / "private/key2")  # nothing is gained
    fs.close()


def test_f7_a_narrower_grant_is_not_moved_out_of(tmp_path: Path, srv: Path) -> None:
    fs = service(tmp_path, grant(f"{srv}/"), grant(f"{srv}/private/", "delete", "create"))
    refused = denial(lambda: fs.rename(srv / "private/key", srv / "open/key"))
    assert refused.reason.code == "no-permission"
    assert refused.target == str(srv / "private/key")
    fs.close()


def test_f7_a_directory_takes_nothing_along_that_its_grant_does_not_reach(tmp_path: Path, srv: Path) -> None:
    fs = service(tmp_path, grant(f"{srv}/private/", recursive=False), grant(f"{srv}/open/"))
    assert denial(lambda: fs.read_text(srv / "private/sub/deep")).reason.code == "no-grant"
    assert denial(lambda: fs.rename(srv / "private/sub", srv / "open/sub")).reason.code == "no-grant"
    fs.rename(srv / "private/key", srv / "open/key")
    fs.rename(srv / "private/sub", srv / "private/renamed")  # nothing is gained
    fs.close()


def test_f7_a_denied_move_blames_the_path_that_is_at_fault(tmp_path: Path, srv: Path) -> None:
    fs = service(tmp_path, grant(f"{srv}/open/"), grant(f"{srv}/other/"))
    (srv / "open/out").symlink_to("/etc")
    refused = denial(lambda: fs.rename(srv / "open/out/hosts", srv / "other/hosts"))
    assert (refused.reason.code, refused.target) == ("leads-out", str(srv / "open/out/hosts"))
    refused = denial(lambda: fs.rename(srv / "open", srv / "other/open"))
    assert (refused.reason.code, refused.target) == ("grant-itself", str(srv / "open"))
    fs.close()
    fs = service(tmp_path, grant(f"{srv}/"), grant(f"{srv}/other/sub/"))
    refused = denial(lambda: fs.rename(srv / "other", srv / "open/other"))
    assert (refused.reason.code, refused.target) == ("divided", str(srv / "other"))
    fs.close()


def test_f7_another_file_system_is_no_denial(
    tmp_path: Path, srv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    fs = service(tmp_path, grant(f"{srv}/"))
    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(OSError, match=os.strerror(errno.EXDEV)) as caught:
        fs.rename(srv / "open/x", srv / "other/x")
    assert not isinstance(caught.value, PermissionDenied)
    fs.close()


@pytest.mark.parametrize("walk", [False, True], ids=["openat2", "walk"])
def test_f5_a_link_in_the_middle_is_denied_and_told(tmp_path: Path, srv: Path, walk: bool) -> None:
    told: list[str] = []
    grants = grants_of({"filesystem": [{**grant(f"{srv}/"), "symlinks": "none"}]}, tmp_path / "own")
    gate = Gate("cat", lambda _kind, _plugin, **data: told.append(data["code"]))
    fs = FileService(grants, gate, walk=walk)
    (srv / "link").symlink_to("open")
    assert denial(lambda: fs.read_text(srv / "link/x")).reason.code == "leads-out"
    assert told == ["leads-out"]
    with pytest.raises(NotADirectoryError):
        fs.read_text(srv / "open/x/y")
    fs.close()


def test_f2_a_directory_that_is_let_go_is_not_mistaken_for_another(
    tmp_path: Path, srv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unloading in the middle of an operation: the number of the descriptor may be somebody else's by then."""
    fs = service(tmp_path, grant(f"{srv}/open/"))
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "x").write_text("the host's")
    others: list[int] = []
    original = beneath.open_beneath

    def close_then_open(*args: Any, **more: Any) -> int:
        fs.close()
        others.extend(os.open(tmp_path / "hosts", beneath.HOLD) for _ in range(8))
        return original(*args, **more)

    monkeypatch.setattr(beneath, "open_beneath", close_then_open)
    fs.remove(srv / "open/x")
    assert (tmp_path / "hosts" / "x").exists()
    assert not (srv / "open/x").exists()
    assert "unloaded" in str(denial(lambda: fs.list(srv / "open")))
    for fd in others:
        os.close(fd)


def test_f7_wrong_arguments_close_a_descriptor_once_and_change_nothing(tmp_path: Path, srv: Path) -> None:
    fs = service(tmp_path, grant(f"{srv}/open/"))
    for more in ({"newline": "x"}, {"encoding": "no-such"}):
        with pytest.raises((ValueError, LookupError)):  # not EBADF of a second close
            fs.open(srv / "open/x", **more)
    with pytest.raises(ValueError, match="binary"):
        fs.open(srv / "open/x", "wb", encoding="utf-8")
    assert (srv / "open/x").read_text() == "srv/open/x"
    with fs.open(srv / "open/x", "a+") as file:
        file.write("!")
        file.seek(0)
        assert file.read() == "srv/open/x!"
    with fs.open(srv / "open/new", "x+b") as file:
        assert (file.write(b"1"), file.seek(0), file.read()) == (1, 0, b"1")
    fs.close()


def test_f2_holding_directories_leaks_nothing(tmp_path: Path, srv: Path) -> None:
    fs = service(tmp_path, grant(f"{srv}/"), grant(f"{srv}/private/", "list"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        for action in (
            lambda: fs.read_text(srv / "open/x"),
            lambda: fs.read_text(srv / "private/key"),
            lambda: fs.read_text(srv / "nothing"),
            lambda: fs.open(srv / "open/x", encoding="no-such"),
            lambda: fs.open(srv / "open"),
            lambda: fs.rename(srv / "open/x", srv / "private/x"),
            lambda: fs.rename(srv / "open/nothing", srv / "other/x"),
            lambda: fs.mkdir(srv / "open/x/sub"),
            lambda: fs.remove(srv / "open"),
            lambda: fs.list(srv / "open/x"),
            lambda: fs.stat(srv / "open/x/y"),
            lambda: fs.read_text(srv / ("x" * 5000)),
            lambda: fs.read_text(srv / "\ud800"),
        ):
            try:
                action()
            except (OSError, ValueError, LookupError):
                continue
    assert len(os.listdir("/proc/self/fd")) == before
    fs.close()


def test_f1_a_denial_means_the_place_by_whatever_name(tmp_path: Path, srv: Path) -> None:
    (tmp_path / "current").symlink_to(srv)
    deny = {"filesystem": [grant(f"{tmp_path}/current/private/")]}
    fs = service(tmp_path, grant(f"{srv}/"), deny=deny)
    assert denial(lambda: fs.read_text(srv / "private/key")).reason.code == "denied-by-host"
    fs.close()
    deny = {"filesystem": [grant(f"{srv}/private/")]}
    fs = service(tmp_path, grant(f"{tmp_path}/current/"), deny=deny)
    assert fs.missing
    assert denial(lambda: fs.read_text(tmp_path / "current/private/key")).reason.code == "inactive-grant"
    fs.close()
