"""One process has a queue's file; what cannot be used says why (MQ06)."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pluginkit.queue import PersistentQueue, QueueOwned, QueueUnusable, QueueView
from pluginkit.queue.owner import refuse_network
from tests.queue.conftest import MakeQueue, bodies

OTHER = """\
import sys
from pluginkit.queue import PersistentQueue, QueueOwned
try:
    PersistentQueue(sys.argv[1])
except QueueOwned as error:
    print(error.pid, error)
"""


def test_mq03_a_second_process_is_refused_with_the_pid_of_the_first(
    queue: PersistentQueue, path: Path, child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    queue.put("a")
    said = child("-c", OTHER, str(path)).stdout
    assert said.startswith(f"{os.getpid()} {path}: the queue is in use: process {os.getpid()} on ")
    assert "stop that one, or give this host a queue file of its own" in said
    assert bodies(queue.lease()) == ["a"]


def test_mq03_the_lock_of_a_process_that_was_killed_is_no_lock(
    path: Path, make_queue: MakeQueue, child_env: dict[str, str]
) -> None:
    text = "import os, sys; from pluginkit.queue import PersistentQueue as Q; q = Q(sys.argv[1]); q.put('a')"
    killed = subprocess.run(
        [sys.executable, "-c", f"{text}; os.kill(os.getpid(), 9)", str(path)], env=child_env, check=False
    )
    assert killed.returncode == -9
    assert json.loads(path.with_name("queue.db.lock").read_text("utf-8"))["pid"] != os.getpid()
    assert bodies(make_queue().lease()) == ["a"]


def test_an_owner_whose_name_cannot_be_read_is_still_one(path: Path, make_queue: MakeQueue) -> None:
    make_queue().put("a")
    path.with_name("queue.db.lock").write_text("?", "utf-8")
    from pluginkit.queue.owner import OwnerLock

    with pytest.raises(QueueOwned, match="another process has it") as caught:
        OwnerLock(path)
    assert caught.value.pid == 0


def test_mq06_a_file_that_is_a_directory_is_unusable(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(QueueUnusable, match=r"queue\.db: the queue's file cannot be used"):
        PersistentQueue(path)
    path.rmdir()
    PersistentQueue(path).close()  # nothing of the failure is left


def test_mq06_a_directory_that_cannot_be_written_is_unusable(
    tmp_path: Path, child_env: dict[str, str]
) -> None:
    """As nobody, for root may write anywhere."""
    place = tmp_path / "readonly"
    place.mkdir()
    place.chmod(0o555)
    text = (
        "import os, sys\n"
        "from pluginkit.queue import PersistentQueue, QueueUnusable, view\n"
        "import pluginkit.queue.persistent, ctypes\n"
        "if os.getuid() == 0:\n    os.setgid(65534)\n    os.setuid(65534)\n"
        "try:\n    PersistentQueue(sys.argv[1])\nexcept QueueUnusable as error:\n    print(error)\n"
    )
    for parent in (place, *place.parents):
        if parent.stat().st_uid == os.getuid() and parent != place and str(parent).startswith(str(tmp_path)):
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", text, str(place / "q.db")],
        env=child_env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "q.db: the queue's file cannot be used: " in done.stdout, done.stderr
    assert "see that the directory and the file can be written" in done.stdout


def test_mq06_the_parent_of_the_directory_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(QueueUnusable, match="Not a directory"):
        PersistentQueue(tmp_path / "file" / "logs" / "queue.db")


def test_mq06_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE mine (x)")
        file.execute("INSERT INTO mine VALUES (1)")
        file.commit()
    with pytest.raises(QueueUnusable, match="database of another program"):
        PersistentQueue(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT x FROM mine").fetchall() == [(1,)]


def test_a_file_of_a_newer_pluginkit_is_left_as_it_is(path: Path, queue: PersistentQueue) -> None:
    queue.close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 7")
    with pytest.raises(QueueUnusable, match="format 7, this one knows 1"):
        PersistentQueue(path)


@pytest.mark.parametrize(("kind", "is_refused"), [("nfs4", True), ("cifs", True), ("ext4", False)])
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str, is_refused: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/a rw\n"
        f"23 22 0:5 / {tmp_path}/with\\040space rw,x shared:1 - {kind} host:/x rw\n",
        "utf-8",
    )
    file = tmp_path / "with space" / "q.db"
    if is_refused:
        with pytest.raises(QueueUnusable, match=f"network file system \\({kind}\\)"):
            refuse_network(file, str(mounts))
    else:
        refuse_network(file, str(mounts))
    refuse_network(tmp_path / "q.db", str(mounts))
    refuse_network(file, str(tmp_path / "none"))


def test_a_view_looks_replays_and_purges_without_a_host(path: Path, make_queue: MakeQueue) -> None:
    queue = make_queue(remove_on_complete=False)
    queue.put_many("abcd")
    queue.lease(3)
    queue.ack(1)
    queue.bury([2, 3], error="bad")
    queue.close()
    with QueueView(path) as view:
        assert view.counts().as_json() == {
            "pending": 1,
            "delayed": 0,
            "leased": 0,
            "done": 1,
            "dead": 2,
            "dropped": 0,
            "bytes": 1,
        }
        assert [dead.id for dead in view.dead_letters()] == [2, 3]
        assert bodies(view.peek()) == ["d"]
        assert view.replay([2]) == 1
        assert (view.purge("dead"), view.purge("done")) == (1, 1)
    assert bodies(make_queue().lease()) == ["b", "d"]


def test_a_view_of_an_owned_file_says_whose_it_is(queue: PersistentQueue, path: Path) -> None:
    with pytest.raises(QueueOwned, match="in this process"):
        QueueView(path)


def test_a_view_makes_no_file_and_repairs_none(path: Path) -> None:
    with pytest.raises(QueueUnusable, match="no such queue yet"):
        QueueView(path)
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 100)
    with pytest.raises(QueueUnusable, match="not a database"):
        QueueView(path)
    assert path.read_bytes() == b"garbage" * 100
