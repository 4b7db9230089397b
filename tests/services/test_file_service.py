"""`ctx.fs`: the rules F1 to F9 of filesystem grants, each allowed and refused, with both ways of opening."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied, StateError
from pluginkit.services import beneath
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from tests.support.granting import Granted, granted, grants_of

ALL = ["read", "write", "list", "create", "delete"]


@pytest.fixture(params=["openat2", "walk"])
def walk(request: pytest.FixtureRequest) -> bool:
    if request.param == "openat2" and not beneath.has_openat2():
        pytest.skip("this kernel has no openat2")
    return bool(request.param == "walk")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with files, a neighbour whose name begins alike, and a secret outside."""
    for name, text in {
        "data/a.txt": "a",
        "data/sub/b.txt": "b",
        "data/sub/deep/c.txt": "c",
        "database/d.txt": "d",
        "secret.txt": "secret",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def grant(path: object, *permissions: str, recursive: bool = True, **more: Any) -> dict[str, Any]:
    return {"path": str(path), "permissions": list(permissions) or ALL, "recursive": recursive, **more}


def service(place: Path, *grants: dict[str, Any], walk: bool = False, **more: Any) -> FileService:
    return FileService(
        grants_of({"filesystem": list(grants)}, place / "own", **more), Gate("cat", None), walk=walk
    )


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value.reason.code


def test_cp01_what_is_granted_works(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    base = place / "data"
    assert fs.read_text(base / "a.txt") == "a"
    assert fs.write_text(base / "new.txt", "nü") == 2
    assert fs.read_bytes(base / "new.txt") == "nü".encode()
    assert fs.write_bytes(base / "new.txt", b"xy") == 2
    with fs.open(base / "new.txt", "a") as file:
        file.write("z")
    with fs.open(base / "new.txt", "r+") as file:
        assert file.read() == "xyz"
    fs.mkdir(base / "dir")
    fs.mkdir(base / "dir", exist_ok=True)
    with pytest.raises(FileExistsError):
        fs.mkdir(base / "dir")
    with pytest.raises(FileExistsError):
        fs.open(base / "new.txt", "x")
    fs.open(base / "x.txt", "x").close()
    fs.rename(base / "new.txt", base / "dir" / "moved.txt")
    assert fs.list(base / "dir") == ["moved.txt"]
    assert fs.list(base) == ["a.txt", "dir", "sub", "x.txt"]
    assert fs.stat(base / "dir" / "moved.txt").st_size == 3
    fs.remove(base / "dir" / "moved.txt")
    fs.remove(base / "dir")
    assert not (base / "dir").exists()
    with pytest.raises(FileNotFoundError):
        fs.read_text(base / "nothing.txt")
    with pytest.raises(IsADirectoryError):
        fs.open(base / "sub")
    fs.close()


def test_cp08_omitted_is_denied(place: Path, walk: bool) -> None:
    fs = service(place, walk=walk)
    for action in (
        lambda: fs.read_text(place / "data/a.txt"),
        lambda: fs.write_text(place / "data/a.txt", ""),
        lambda: fs.list(place / "data"),
        lambda: fs.stat(place / "data/a.txt"),
        lambda: fs.mkdir(place / "data/x"),
        lambda: fs.remove(place / "data/a.txt"),
        lambda: fs.rename(place / "data/a.txt", place / "data/z.txt"),
        lambda: fs.read_text("own.txt"),
    ):
        assert code_of(action) == "no-grant"
    assert (place / "data/a.txt").read_text() == "a"
    fs.close()


@pytest.mark.parametrize("missing", ALL)
def test_f7_each_permission_is_checked_apart(place: Path, missing: str) -> None:
    fs = service(place, grant(f"{place}/data/", *[p for p in ALL if p != missing]))
    base = place / "data"
    needs = {
        "read": lambda: fs.read_text(base / "a.txt"),
        "write": lambda: fs.open(base / "a.txt", "a"),
        "list": lambda: fs.list(base),
        "create": lambda: fs.mkdir(base / "new"),
        "delete": lambda: fs.remove(base / "a.txt"),
    }
    assert code_of(needs.pop(missing)) == "no-permission"
    for action in needs.values():
        result = action()
        if hasattr(result, "close"):
            result.close()
    fs.close()


def test_f7_writing_what_is_not_there_needs_create_too(place: Path) -> None:
    fs = service(place, grant(f"{place}/data/", "write"))
    base = place / "data"
    for mode in ("w", "a", "x"):
        assert code_of(lambda mode=mode: fs.open(base / "new.txt", mode)) == "no-permission"  # type: ignore[misc]  # a default binds the loop variable
    assert fs.write_text(base / "a.txt", "changed") == 7
    assert code_of(lambda: fs.open(base / "a.txt", "w+")) == "no-permission"
    fs.close()


def test_f7_a_rename_needs_delete_there_and_create_here_and_delete_of_what_it_replaces(place: Path) -> None:
    (place / "to").mkdir()
    (place / "to" / "old.txt").write_text("old")
    fs = service(place, grant(f"{place}/data/", "delete"), grant(f"{place}/to/", "create"))
    assert code_of(lambda: fs.rename(place / "data/a.txt", place / "to/old.txt")) == "no-permission"
    assert code_of(lambda: fs.rename(place / "to/old.txt", place / "data/x.txt")) == "no-permission"
    fs.rename(place / "data/a.txt", place / "to/new.txt")
    assert (place / "to/new.txt").read_text() == "a"
    fs.close()


def test_f7_stat_needs_read_or_list(place: Path) -> None:
    for permission, allowed in {"read": True, "list": True, "write": False}.items():
        fs = service(place, grant(f"{place}/data/", permission))
        if allowed:
            assert fs.stat(place / "data/a.txt").st_size == 1
        else:
            assert code_of(lambda fs=fs: fs.stat(place / "data/a.txt")) == "no-permission"  # type: ignore[misc]  # a default binds the loop variable
        fs.close()


def test_f1_variables_stand_for_the_plugins_own_directories(place: Path) -> None:
    fs = service(place, grant("${data}/"), grant("${cache}/"), grant("${config}/"))
    fs.write_text("notes.txt", "mine")
    assert (place / "own" / "notes.txt").read_text() == "mine"
    fs.write_text(place / "cache" / "x", "y")
    fs.close()


def test_f2_what_was_not_there_at_load_is_not_granted_later(place: Path) -> None:
    fs = service(place, grant(f"{place}/later/"))
    (place / "later").mkdir()
    assert list(fs.missing) == [f"{place}/later"]
    assert code_of(lambda: fs.write_text(place / "later/x.txt", "x")) == "inactive-grant"
    assert not list((place / "later").iterdir())
    fs.close()


def test_f2_a_replaced_directory_is_stale(place: Path) -> None:
    fs = service(place, grant(f"{place}/data/"))
    (place / "data").rename(place / "old")
    (place / "data").mkdir()
    (place / "data" / "a.txt").write_text("of somebody else")
    assert code_of(lambda: fs.read_text(place / "data/a.txt")) == "stale-grant"
    (place / "data" / "a.txt").unlink()
    (place / "data").rmdir()
    assert code_of(lambda: fs.read_text(place / "data/a.txt")) == "stale-grant"
    fs.close()


def test_f2_a_directory_is_one_without_a_slash_too(place: Path) -> None:
    fs = service(place, grant(place / "data"))
    assert fs.read_text(place / "data/sub/b.txt") == "b"
    fs.close()


def test_f3_only_texts_and_path_objects_are_paths(place: Path) -> None:
    fs = service(place, grant("${data}/"))
    for wrong in (b"a.txt", 3, None, os.fsencode(place)):
        with pytest.raises(TypeError, match="a path is a text"):
            fs.read_text(wrong)  # type: ignore[arg-type]  # that it is refused is the point
    for empty in ("", "a\0b"):
        with pytest.raises(ValueError, match="not a path"):
            fs.read_text(empty)
    with pytest.raises(ValueError, match="invalid mode"):
        fs.open("a.txt", "rw")
    fs.close()


def test_f3_a_relative_path_begins_at_the_data_directory(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place / "data")
    fs = service(place, grant("${data}/"), grant(f"{place}/data/"))
    fs.write_text("a.txt", "own")
    assert (place / "own" / "a.txt").read_text() == "own"
    assert (place / "data" / "a.txt").read_text() == "a"
    fs.close()


def test_f4_names_that_begin_alike_are_not_below(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    assert code_of(lambda: fs.read_text(place / "database/d.txt")) == "no-grant"
    fs.close()


def test_f4_the_longest_grant_decides_alone(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/"), grant(f"{place}/data/sub/", "list"), walk=walk)
    assert fs.read_text(place / "data/a.txt") == "a"
    assert code_of(lambda: fs.read_text(place / "data/sub/b.txt")) == "no-permission"
    assert fs.list(place / "data/sub") == ["b.txt", "deep"]
    # A link would lead past the narrower grant.
    (place / "data/link").symlink_to("sub/b.txt")
    assert code_of(lambda: fs.read_text(place / "data/link")) == "leads-out"
    assert code_of(lambda: fs.rename(place / "data/sub", place / "data/other")) == "no-permission"
    fs.close()


def test_f4_a_directory_that_holds_another_grant_is_not_moved(place: Path) -> None:
    fs = service(place, grant(f"{place}/data/"), grant(f"{place}/data/sub/deep/", "list"))
    assert code_of(lambda: fs.rename(place / "data/sub", place / "data/other")) == "divided"
    assert code_of(lambda: fs.remove(place / "data/sub")) == "divided"
    fs.close()


def test_cp02_without_recursive_only_the_entries_directly_in_it(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/", recursive=False), walk=walk)
    assert fs.read_text(place / "data/a.txt") == "a"
    assert fs.list(place / "data") == ["a.txt", "sub"]
    assert code_of(lambda: fs.read_text(place / "data/sub/b.txt")) == "no-grant"
    assert code_of(lambda: fs.list(place / "data/sub")) == "no-grant"
    (place / "data/link").symlink_to("sub/b.txt")
    assert code_of(lambda: fs.read_text(place / "data/link")) == "leads-out"
    fs.close()


def test_cp02_a_file_grant_is_that_file(place: Path, walk: bool) -> None:
    fs = service(place, grant(place / "data/a.txt", recursive=False), walk=walk)
    assert fs.read_text(place / "data/a.txt") == "a"
    fs.write_text(place / "data/a.txt", "b")
    assert fs.stat(place / "data/a.txt").st_size == 1
    assert code_of(lambda: fs.read_text(place / "data/sub/b.txt")) == "no-grant"
    (place / "data/a.txt").unlink()
    (place / "data/a.txt").symlink_to(place / "secret.txt")
    assert code_of(lambda: fs.read_text(place / "data/a.txt")) == "leads-out"
    fs.close()


def test_cp03_dots_stay_inside_or_are_denied(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    assert fs.read_text(f"{place}/data/sub/../a.txt") == "a"
    for path in (f"{place}/data/../secret.txt", f"{place}/data/sub/../../secret.txt", "../secret.txt"):
        assert code_of(lambda path=path: fs.read_text(path)) == "no-grant"  # type: ignore[misc]  # a default binds the loop variable
    fs.close()


def test_f5_links_that_stay_beneath_are_followed_and_others_denied(place: Path, walk: bool) -> None:
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    links = {
        "inside": "sub/b.txt",
        "through": "sub",
        "out": "../secret.txt",
        "absolute": str(place / "secret.txt"),
        "absolute-inside": str(place / "data/a.txt"),
        "magic": "/proc/self/root",
    }
    for name, target in links.items():
        (place / "data" / name).symlink_to(target)
    if walk:
        assert code_of(lambda: fs.read_text(place / "data/inside")) == "leads-out"
    else:
        assert fs.read_text(place / "data/inside") == "b"
        assert fs.read_text(place / "data/through/b.txt") == "b"
    for name in ("out", "absolute", "absolute-inside", "magic"):
        assert code_of(lambda name=name: fs.read_text(place / "data" / name)) == "leads-out"  # type: ignore[misc]  # a default binds the loop variable
        assert code_of(lambda name=name: fs.write_text(place / "data" / name, "x")) == "leads-out"  # type: ignore[misc]  # a default binds the loop variable
    assert (place / "secret.txt").read_text() == "secret"
    fs.close()


def test_f5_symlinks_none_follows_not_even_those(place: Path) -> None:
    (place / "data/inside").symlink_to("sub/b.txt")
    fs = service(place, grant(f"{place}/data/", symlinks="none"))
    assert fs.read_text(place / "data/a.txt") == "a"
    assert code_of(lambda: fs.read_text(place / "data/inside")) == "leads-out"
    fs.close()


def test_f5_no_mount_point_is_crossed(tmp_path: Path, walk: bool) -> None:
    fs = service(tmp_path, grant("/", "read", "list"), walk=walk)
    assert code_of(lambda: fs.read_text("/proc/self/environ")) == "never-grantable"
    assert code_of(lambda: fs.list("/dev")) == "never-grantable"
    fs.close()


def test_f6_only_regular_files_are_opened(place: Path, walk: bool) -> None:
    os.mkfifo(place / "data/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "data/sock"))
        fs = service(place, grant(f"{place}/data/"), walk=walk)
        assert code_of(lambda: fs.read_text(place / "data/pipe")) == "special-file"
        assert code_of(lambda: fs.rename(place / "data/pipe", place / "data/p")) == "special-file"
        with pytest.raises(OSError, match="No such device"):
            fs.read_text(place / "data/sock")
        fs.close()


def test_f6_a_file_with_a_second_name_is_read_but_not_written(place: Path, walk: bool) -> None:
    os.link(place / "secret.txt", place / "data/hard")
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    assert fs.read_text(place / "data/hard") == "secret"
    for mode in ("w", "a", "r+"):
        assert code_of(lambda mode=mode: fs.open(place / "data/hard", mode)) == "hard-link"  # type: ignore[misc]  # a default binds the loop variable
    assert (place / "secret.txt").read_text() == "secret"
    fs.close()


def test_f8_what_is_the_hosts_is_never_granted(place: Path, walk: bool) -> None:
    lock, code = place / "data/plugins.lock", place / "data/sub"
    lock.write_text("lock")
    fs = service(place, grant(f"{place}/data/"), walk=walk, protected=(lock,), code=(code,))
    for action in (
        lambda: fs.read_text(lock),
        lambda: fs.write_text(lock, ""),
        lambda: fs.remove(lock),
        lambda: fs.rename(place / "data/a.txt", lock),
        lambda: fs.write_text(code / "b.txt", ""),
        lambda: fs.mkdir(code / "new"),
    ):
        assert code_of(action) == "never-grantable"
    assert fs.read_text(code / "b.txt") == "b"
    assert fs.write_text(place / "data/a.txt", "free") == 4
    (place / "data/link").symlink_to("plugins.lock")
    assert code_of(lambda: fs.read_text(place / "data/link")) == "leads-out"
    fs.close()


def test_f8_a_grant_that_is_a_link_to_a_protected_place_gives_nothing(place: Path) -> None:
    (place / "link").symlink_to(place / "data")
    fs = service(place, grant(f"{place}/link/"), protected=(place / "data/sub",))
    assert "the host has other rules" in fs.missing[f"{place}/link"]
    assert code_of(lambda: fs.read_text(place / "link/sub/b.txt")) in {"inactive-grant", "never-grantable"}
    fs.close()
    fs = service(place, grant(f"{place}/link/"))
    assert fs.read_text(place / "link/a.txt") == "a"
    fs.close()


def test_cp10_the_host_trims_and_denies(place: Path, walk: bool) -> None:
    wish = grant(f"{place}/data/")
    fs = service(
        place,
        wish,
        walk=walk,
        allow={"filesystem": [grant(f"{place}/data/sub/", "read", "list")]},
        deny={"filesystem": [grant(f"{place}/data/sub/deep/", "read")]},
    )
    assert fs.read_text(place / "data/sub/b.txt") == "b"
    assert code_of(lambda: fs.read_text(place / "data/a.txt")) == "no-grant"
    assert code_of(lambda: fs.write_text(place / "data/sub/b.txt", "")) == "no-permission"
    assert code_of(lambda: fs.read_text(place / "data/sub/deep/c.txt")) == "denied-by-host"
    (place / "data/sub/link").symlink_to("deep/c.txt")
    assert code_of(lambda: fs.read_text(place / "data/sub/link")) == "leads-out"
    fs.close()


def test_cp10_what_was_not_approved_is_not_granted(place: Path) -> None:
    fs = service(place, grant(f"{place}/data/"), approved={"filesystem": [grant(f"{place}/data/", "read")]})
    assert fs.read_text(place / "data/a.txt") == "a"
    assert code_of(lambda: fs.write_text(place / "data/a.txt", "")) == "no-permission"
    fs.close()


def test_cp09_a_denial_says_who_what_where_and_what_to_write(place: Path) -> None:
    with granted({"filesystem": [grant(f"{place}/data/", "read")]}, place / "own") as cat:
        with pytest.raises(PermissionError) as caught:
            cat.context.fs.read_text(place / "secret.txt")
        error = caught.value
        assert isinstance(error, PermissionDenied)
        assert (error.plugin, error.operation, error.target) == ("cat", "fs.read", str(place / "secret.txt"))
        assert error.errno == 13
        assert error.rule == f"filesystem: read {place}/data/ and below"
        assert f"filesystem: [{{path: {place}/secret.txt, permissions: [read]}}]" in str(error)
        assert [d["operation"] for d in cat.denials] == ["fs.read"]
        assert cat.denials[0]["code"] == "no-grant"


def test_cp09_a_denial_pickles(place: Path) -> None:
    import pickle

    with granted({}, place / "own") as cat, pytest.raises(PermissionDenied) as caught:
        cat.context.fs.list(place)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.operation, again.reason) == (
        str(caught.value), "fs.list", caught.value.reason,
    )  # fmt: skip


def open_fds() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_cp09_nothing_stays_open_after_unload(place: Path) -> None:
    beneath.has_openat2()
    before = len(open_fds())
    with granted({"filesystem": [grant(f"{place}/data/"), grant("${data}/")]}, place / "own") as cat:
        file = cat.context.fs.open(place / "data/a.txt", "a")
        file.write("unflushed")
        for path in ("data/none", "secret.txt", "data/sub"):
            with pytest.raises(OSError):
                cat.context.fs.read_text(place / path)
        fs = cat.context.fs
        assert len(open_fds()) > before
    assert file.closed
    assert (place / "data/a.txt").read_text() == "aunflushed"
    assert len(open_fds()) == before
    assert code_of(lambda: fs.open(place / "data/a.txt")) == "inactive-grant"
    with pytest.raises(StateError):
        _ = cat.context.net


def test_cp11_plugins_that_ask_for_nothing_pay_for_nothing(tmp_path: Path) -> None:
    from pluginkit.config import Settings
    from pluginkit.services import HostFunctions, PluginContext

    context = PluginContext(
        name="cat", version="1", generation=1, settings=Settings({}), hook=None,
        functions=HostFunctions({}), data_dir=tmp_path / "data",
    )  # fmt: skip
    assert context._granted is None
    assert code_of(lambda: context.fs.read_text("/etc/passwd")) == "no-grant"
    assert not (tmp_path / "data").exists()
    context.close(timeout=1.0)


# Races: another process keeps swapping what the path leads to, while the service reads

SWAP_FILE = """
import os, sys
target, spare, link, secret = sys.argv[1:]
print("ready", flush=True)
while True:
    os.replace(link, target)
    os.symlink(secret, link)
    os.replace(spare, target)
    with open(spare, "w") as file:
        file.write("a")
"""
# RENAME_EXCHANGE: both names stay, and what they lead to is swapped at once.
EXCHANGE = """
import ctypes, sys
one, other = (text.encode() for text in sys.argv[1:])
rename = ctypes.CDLL(None, use_errno=True).renameat2
assert rename(-100, one, -100, other, 2) == 0
print("ready", flush=True)
while True:
    rename(-100, one, -100, other, 2)
"""


def race(fs: FileService, path: Path, attack: list[str], seconds: float, allowed: str) -> None:
    """Read `path` for `seconds`, and until 1,000 reads have succeeded and one was refused."""
    attacker = subprocess.Popen([sys.executable, "-S", "-c", *attack], stdout=subprocess.PIPE)
    try:
        assert attacker.stdout is not None
        assert attacker.stdout.readline() == b"ready\n"
        good = refused = 0
        begin = time.monotonic()
        while time.monotonic() < begin + seconds or good <= 1000 or not refused:
            assert attacker.poll() is None
            assert time.monotonic() < begin + 60, f"{good} reads, {refused} refused"
            try:
                text = fs.read_text(path)
            except (PermissionDenied, FileNotFoundError, NotADirectoryError):
                refused += 1
                continue
            assert text == allowed
            good += 1
    finally:
        attacker.kill()
        attacker.communicate()
        fs.close()


@pytest.fixture
def seconds(soak_length: Callable[[int], int]) -> float:
    return soak_length(3000) / 1000


@pytest.mark.soak
def test_f5_a_file_swapped_for_a_link_leaks_nothing(place: Path, walk: bool, seconds: float) -> None:
    target, spare, link, secret = (place / n for n in ("data/a.txt", "data/spare", "data/link", "secret.txt"))
    link.symlink_to(secret)
    spare.write_text("a")
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    race(fs, target, [SWAP_FILE, *map(str, (target, spare, link, secret))], seconds, "a")


@pytest.mark.soak
def test_f5_a_directory_exchanged_for_a_link_leaks_nothing(place: Path, walk: bool, seconds: float) -> None:
    outside = place / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("secret")
    (place / "data/link").symlink_to(outside)
    fs = service(place, grant(f"{place}/data/"), walk=walk)
    race(fs, place / "data/sub/b.txt", [EXCHANGE, f"{place}/data/sub", f"{place}/data/link"], seconds, "b")


def test_cp09_denials_that_repeat_are_counted_not_repeated() -> None:
    from pluginkit.security import Refusal

    told: list[tuple[str, int]] = []
    now = [0.0]
    gate = Gate(
        "cat",
        lambda kind, plugin, **data: told.append((data["target"], data["repeated"])),
        clock=lambda: now[0],
    )
    for _ in range(5):
        gate.tell("fs.read", "/a", Refusal("no-grant", "no"))
    gate.tell("fs.read", "/b", Refusal("no-grant", "no"))
    assert told == [("/a", 0), ("/b", 0)]
    now[0] = 11.0
    gate.tell("fs.read", "/c", Refusal("no-grant", "no"))
    assert told[2:] == [("/a", 4), ("/c", 0)]
    for number in range(200):
        gate.tell("fs.read", f"/many/{number}", Refusal("no-grant", "no"))
    assert len(told) == 4 + 63 + 1
    gate.close()
    assert told[-1] == ("(many others)", 136)
    gate.tell("fs.read", "a\nb" + "x" * 1000, Refusal("no-grant", "no"))
    assert told[-1][0].startswith("a\\nbxxx")
    assert len(told[-1][0]) == 513


def test_cp09_granted_is_typed(place: Path) -> None:
    with granted({}, place / "own") as cat:
        assert isinstance(cat, Granted)
        assert cat.context.grants.is_empty
