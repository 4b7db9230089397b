"""One place for each host: taken once, given back completely, and never left taken by the dead."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit.control.claim import Claim, running_hosts
from pluginkit.control.identity import Identity, Wanted
from pluginkit.control.places import ControlError

APP = Identity("app", None, ("/plugins",))
ANY = Wanted()

Start = Callable[..., "subprocess.Popen[str]"]

# The forked child outlives its parent, which holds the lock.
FORKING = """\
import os, sys
from pluginkit import Host
with Host(plugins_dir=sys.argv[1], entry_point_group=None, state_dir=sys.argv[1] + "-state", control="f"):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        os.write(writing, b".")
        sys.stdin.read()
        os._exit(0)
    os.read(reading, 1)
    print("serving", flush=True)
    sys.stdin.read()
"""


def files(directory: Path) -> list[str]:
    return sorted(path.suffix for path in directory.iterdir())


def test_a_claim_is_a_lock_and_a_socket_for_the_user_alone(runtime: Path) -> None:
    claim = Claim(APP)
    claim.take()
    assert files(runtime) == [".lock", ".sock"]
    for path in runtime.iterdir():
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    (found,) = running_hosts(ANY)
    assert (found.identity, found.pid, found.socket) == (APP, os.getpid(), claim.socket_path)
    claim.release()
    claim.release()
    assert files(runtime) == []
    assert running_hosts(ANY) == []


def test_the_same_host_gets_no_second_place_and_hears_who_has_it(runtime: Path) -> None:
    first, second = Claim(APP), Claim(APP)
    first.take()
    with pytest.raises(ControlError, match=f"'app' of /plugins, pid {os.getpid()}; give one of them a name"):
        second.take()
    assert len(running_hosts(ANY)) == 1
    first.release()
    second.take()
    second.release()


def test_hosts_of_other_names_live_side_by_side(runtime: Path) -> None:
    claims = [Claim(Identity(name, "/c", ())) for name in ("zoo", "app")]
    for claim in claims:
        claim.take()
    assert [one.identity.name for one in running_hosts(Wanted(config="/c"))] == ["app", "zoo"]
    assert [one.identity.name for one in running_hosts(Wanted(config="/c", name="zoo"))] == ["zoo"]
    for claim in claims:
        claim.release()


def test_nobody_runs_where_no_directory_is(runtime: Path) -> None:
    assert running_hosts(ANY) == []
    assert not runtime.exists()


def test_a_directory_that_is_a_file_is_told(runtime: Path) -> None:
    runtime.touch()
    with pytest.raises(ControlError, match="not a directory"):
        running_hosts(ANY)


@pytest.mark.parametrize("looks_first", [True, False])
def test_kill_9_leaves_nothing_that_keeps_the_next_host_from_starting(
    start_child: Start, runtime: Path, plugins: Path, looks_first: bool
) -> None:
    killed = start_child(plugins, "zoo")
    (found,) = running_hosts(ANY)
    assert found.pid == killed.pid
    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    assert files(runtime) == [".lock", ".sock"]
    if looks_first:
        assert running_hosts(ANY) == []
        assert files(runtime) == []
    again = start_child(plugins, "zoo")
    assert [one.pid for one in running_hosts(ANY)] == [again.pid]
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert files(runtime) == []


def test_a_forked_child_that_outlives_its_host_does_not_keep_the_place(
    start_child: Start, runtime: Path, plugins: Path
) -> None:
    host = start_child(plugins, code=FORKING)
    assert len(running_hosts(ANY)) == 1
    host.send_signal(signal.SIGKILL)
    host.wait(60)
    # The child still waits for its standard input to end.
    assert running_hosts(ANY) == []


def test_a_note_that_nobody_can_read_is_no_host(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    (runtime / "dead.lock").write_text("{")
    beginning = runtime / "beginning.lock"
    beginning.write_text('{"name": 1}')
    with beginning.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert running_hosts(ANY) == []
        assert [path.name for path in runtime.iterdir()] == ["beginning.lock"]


def test_a_symlink_in_the_place_of_the_lock_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    claim = Claim(APP)
    runtime.mkdir(mode=0o700)
    (tmp_path / "precious").write_text("precious")
    claim.lock_path.symlink_to(tmp_path / "precious")
    with pytest.raises(ControlError, match="cannot be opened"):
        claim.take()
    assert (tmp_path / "precious").read_text() == "precious"


def test_what_lies_in_the_place_of_the_socket_is_told_and_nothing_is_kept(runtime: Path) -> None:
    claim = Claim(APP)
    runtime.mkdir(mode=0o700)
    claim.socket_path.mkdir()
    with pytest.raises(ControlError, match="cannot be opened"):
        claim.take()
    assert files(runtime) == [".sock"]
    claim.socket_path.rmdir()
    claim.take()
    claim.release()


def test_a_long_path_works_and_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 40)
    claim = Claim(APP, directory)
    claim.take()
    assert claim.socket_path.parent != directory
    assert stat.S_IMODE(claim.socket_path.parent.stat().st_mode) == 0o700
    (found,) = running_hosts(ANY, directory)
    assert found.socket == claim.socket_path
    claim.release()
    assert not claim.socket_path.parent.exists()
    assert files(directory) == []


def test_of_many_who_take_and_look_at_once_one_has_the_place(runtime: Path) -> None:
    holders: list[Claim] = []
    most, errors, turns = [0], [], 200
    lock = threading.Lock()

    def take_turns() -> None:
        for _ in range(turns // 4):
            claim = Claim(APP)
            try:
                claim.take()
            except ControlError as error:
                errors.append(error)
                continue
            with lock:
                holders.append(claim)
                most[0] = max(most[0], len(holders))
            with lock:
                holders.remove(claim)
            claim.release()

    def look() -> None:
        for _ in range(turns):
            assert len(running_hosts(ANY)) <= 1

    threads = [threading.Thread(target=work) for work in (take_turns, take_turns, take_turns, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert files(runtime) == []
