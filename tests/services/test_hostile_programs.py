"""Programs that leave others behind, and command lines that mean something else to the program."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from pluginkit.services.processes import ProcessService
from tests.support.granting import grants_of

CAT, ECHO, SLEEP, TRUE = (
    os.path.realpath(shutil.which(name) or "") for name in ("cat", "echo", "sleep", "true")
)

Make = Callable[..., ProcessService]


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Make]:
    closing: list[Any] = []

    def make(command: str, *args: str, filesystem: Any = (), **more: Any) -> ProcessService:
        scopes = {scope: ["children"] for scope in ("kill", "list", "signal")}
        process = {"exec": [{"command": command, "args": list(args)}], **scopes}
        grants = grants_of({"process": process, "filesystem": list(filesystem)}, tmp_path / "data", **more)
        files = FileService(grants, Gate("cat", None))
        made = ProcessService(grants, Gate("cat", None), files)
        closing.extend([files, made])
        return made

    yield make
    for one in reversed(closing):
        one.close()


@pytest.fixture
def parent(tmp_path: Path) -> str:
    """A program that starts two others in its group, and tells their numbers."""
    program = tmp_path / "parent"
    program.write_text(
        f'#!/bin/sh\n{SLEEP} 60 &\necho $! >"$HOME/one"\n{SLEEP} 60 &\necho $! >"$HOME/two"\n'
        f'echo started\n[ "$1" = go ] || wait\n'
    )
    program.chmod(0o755)
    return str(program)


def started(place: Path) -> list[int]:
    deadline = time.monotonic() + 10
    files = [place / "data/one", place / "data/two"]
    while not all(file.exists() and file.read_text().endswith("\n") for file in files):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [int(file.read_text()) for file in files]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def all_end(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(is_alive, pids))


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value.reason.code


def test_p4_descendants_end_with_the_plugin(programs: Make, parent: str, tmp_path: Path) -> None:
    process = programs(parent)
    process.spawn([parent])
    pids = started(tmp_path)
    process.close()
    assert all_end(pids)


def test_p4_descendants_end_with_who_started_them(programs: Make, parent: str, tmp_path: Path) -> None:
    process = programs(parent, "*")
    child = process.spawn([parent, "go"])
    pids = started(tmp_path)
    assert child.wait(10.0) == 0
    process.kill(child)
    assert all_end(pids)


def test_p4_nothing_of_a_run_program_stays(programs: Make, parent: str, tmp_path: Path) -> None:
    process = programs(parent, "*")
    assert process.run([parent, "go"], timeout=30.0).stdout == b"started\n"
    assert all_end(started(tmp_path))


def test_p4_children_that_ended_hold_no_descriptors(programs: Make) -> None:
    process = programs(TRUE)
    process.spawn([TRUE]).wait(10.0)
    before = len(os.listdir("/proc/self/fd"))
    children = [process.spawn([TRUE]) for _ in range(20)]
    assert [child.wait(10.0) for child in children] == [0] * 20
    assert len(os.listdir("/proc/self/fd")) == before
    assert process.list() == []
    process.kill(children[0])  # it has ended already, which is what was wanted


def test_p4_a_process_without_a_handle_does_not_run(
    programs: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parent: str
) -> None:
    process = programs(parent)

    def none_left(pid: int) -> int:
        seen.append(pid)
        raise OSError(24, os.strerror(24))

    seen: list[int] = []
    monkeypatch.setattr(os, "pidfd_open", none_left)
    with pytest.raises(OSError, match=os.strerror(24)):
        process.spawn([parent])
    assert all_end(seen)


def test_p4_a_program_that_is_ended_by_unloading_reads_nothing_of_others(programs: Make) -> None:
    """The outputs are closed by who reads them: to anybody else the number of a descriptor says nothing."""
    process = programs(SLEEP, "60")
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(process.run([SLEEP, "60"]).returncode)
        except Exception as error:
            ended.append(error)

    for _ in range(10):
        thread = threading.Thread(target=run)
        thread.start()
        while not process.list():
            time.sleep(0.01)
        (child,) = process.list()
        process.kill(child)
        thread.join(10.0)
        assert child._process.stdout is not None
        assert child._process.stdout.closed
    assert ended == [-signal.SIGKILL] * 10


def test_p2_a_path_argument_means_the_same_to_the_program(programs: Make, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "secrets/inner").mkdir(parents=True)
    (tmp_path / "secrets/key").write_text("secret")
    data.mkdir()
    (data / "link").symlink_to(tmp_path / "secrets/inner")
    (data / "key").write_text("mine")
    own = {"path": "${data}/", "permissions": ["read"], "recursive": True}
    process = programs(CAT, "path:read", filesystem=[own])
    assert process.run([CAT, "./key"]).stdout == b"mine"
    assert code_of(lambda: process.run([CAT, "link/../key"])) == "no-grant"
    assert code_of(lambda: process.run([CAT, "link/key"])) == "no-grant"


def test_p1_a_denied_program_is_denied_by_its_other_names(programs: Make, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(ECHO)
    process = programs(f"{tmp_path}/alias", "*", deny={"process": {"exec": [{"command": ECHO}]}})
    assert code_of(lambda: process.run([f"{tmp_path}/alias", "x"])) == "denied-by-host"
    process = programs(
        f"{tmp_path}/alias", "*", deny={"process": {"exec": [{"command": ECHO, "args": ["x"]}]}}
    )
    assert code_of(lambda: process.run([f"{tmp_path}/alias", "x"])) == "denied-by-host"
    assert process.run([f"{tmp_path}/alias", "y"]).stdout == b"y\n"


def test_p1_a_program_that_takes_over_the_number_of_the_old_one_is_another(
    programs: Make, tmp_path: Path
) -> None:
    """File systems give the number of a removed file to the next one; and a file can be written anew in place."""
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho mine\n")
    program.chmod(0o755)
    process = programs(str(program))
    assert process.run([str(program)]).stdout == b"mine\n"
    for replaced in ("in place", "removed"):
        if replaced == "removed":
            program.unlink()
        program.write_text("#!/bin/sh\necho evil\n")
        program.chmod(0o755)
        assert code_of(lambda: process.run([str(program)])) == "replaced-program", replaced
    process = programs(str(program))
    program.chmod(0o4755)
    assert code_of(lambda: process.run([str(program)])) == "replaced-program"
