"""Over fork: the child touches nothing of its parent's, and what it puts is delivered (MQ03)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pluginkit.queue import PersistentQueue, QueueFull
from pluginkit.queue.forking import Spool
from tests.queue.conftest import MakeQueue, bodies

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def in_child(work: Callable[[], object]) -> str:
    """Run it in a forked child that then ends as a child of multiprocessing does; what it said."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, str(work()).encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(pid, 0)
    return said


def look_again(queue: PersistentQueue) -> None:
    """Its next lease looks for what children put, however short the time since the last look."""
    queue._channel.adoption._next = 0.0


def test_mq03_what_a_child_puts_is_delivered_by_the_running_owner(queue: PersistentQueue, path: Path) -> None:
    queue.put("parent 1")
    said = in_child(lambda: [queue.put("child 1"), list(queue.put_many(["child 2", b"child 3"]))])
    assert said == "[0, []]"
    queue.put("parent 2")
    look_again(queue)
    assert bodies(queue.lease()) == ["parent 1", "parent 2", "child 1", "child 2", "child 3"]
    assert not list(path.parent.glob("*.fork-*"))
    queue.close()


def test_mq03_a_child_that_outlives_its_parent_loses_nothing(path: Path, make_queue: MakeQueue) -> None:
    queue, other = make_queue(), make_queue(path, "audit")
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.read(reading, 1)
        queue.put("child")
        other.put("child's audit")
        os._exit(0)
    queue.put("parent")
    queue.close()
    other.close()
    os.write(writing, b".")
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    assert bodies(make_queue().lease()) == ["parent", "child"]
    assert bodies(make_queue(path, "audit").lease()) == ["child's audit"]


def test_mq03_in_a_child_all_but_put_is_refused_with_the_reason(queue: PersistentQueue, path: Path) -> None:
    queue.put("a")
    for work in (queue.lease, queue.counts, lambda: queue.ack(1), lambda: PersistentQueue(path)):
        assert in_child(work).startswith(f"QueueOwned: {path}: this process was forked from the one")
    assert in_child(queue.close) == "False"
    assert bodies(queue.lease()) == ["a"]


def test_mq03_fork_while_other_threads_are_in_the_queue(queue: PersistentQueue) -> None:
    stop = threading.Event()
    counts: dict[int, int] = {}

    def put(name: int) -> None:
        number = 0
        while not stop.is_set():
            queue.put(f"t{name} {number:06}")
            number += 1
        counts[name] = number

    threads = [threading.Thread(target=put, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for number in range(15):
        assert in_child(partial(queue.put, f"child {number:02}")) == "0"
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    look_again(queue)
    got = bodies(queue.lease(10_000_000))
    for name, count in counts.items():
        assert [t for t in got if t.startswith(f"t{name}")] == [f"t{name} {n:06}" for n in range(count)]
    assert sorted(t for t in got if t.startswith("child")) == [f"child {n:02}" for n in range(15)]


def test_mq03_a_child_that_ends_like_a_program_leaves_the_parents_file_alone(
    path: Path, child_env: dict[str, str], make_queue: MakeQueue
) -> None:
    """The child takes its interpreter down, with all objects in it: the connection is not closed by that."""
    text = """\
import os, sys
from pluginkit.queue import PersistentQueue
queue = PersistentQueue(sys.argv[1])
queue.put("before")
log = os.stat(sys.argv[1] + "-wal")
pid = os.fork()
if pid == 0:
    queue.put("child")
    del queue
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert os.stat(sys.argv[1] + "-wal").st_ino == log.st_ino
queue.put("after")
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, str(path)],
        env=child_env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == -9
    queue = make_queue()
    assert bodies(queue.lease()) == ["before", "after", "child"]
    assert queue.damages == ()


def test_a_spool_is_taken_over_once_even_if_it_could_not_be_removed(
    queue: PersistentQueue, make_queue: MakeQueue, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_child(lambda: [queue.put("a"), queue.put("b")])
    (spool,) = path.parent.glob("queue.db.fork-*")
    kept = spool.read_bytes()
    look_again(queue)
    assert bodies(queue.lease()) == ["a", "b"]
    queue.ack(2)
    queue._store.connection.execute("INSERT INTO adopted VALUES (?, ?)", (spool.name, len(kept)))
    spool.write_bytes(kept)
    queue.close()
    assert make_queue().lease() == []
    assert not spool.exists()


def test_mq03_a_drain_that_waits_sees_what_a_child_puts(queue: PersistentQueue) -> None:
    in_child(lambda: queue.put("child"))
    assert bodies(queue.lease(timeout=20)) == ["child"]


def test_a_torn_frame_at_the_end_of_a_spool_is_no_record(
    queue: PersistentQueue, make_queue: MakeQueue
) -> None:
    path = queue.path
    in_child(lambda: [queue.put("a"), queue.put("b")])
    (spool,) = path.parent.glob("queue.db.fork-*")
    queue.close()
    os.truncate(spool, spool.stat().st_size - 1)
    assert bodies(make_queue().lease()) == ["a"]


def test_a_spool_that_is_still_written_is_taken_over_as_it_grows(queue: PersistentQueue, path: Path) -> None:
    spool = Spool(path, "log_queue")
    queue._store.was_forked = True
    spool.write([b"a"], is_synced=True)
    look_again(queue)
    assert bodies(queue.lease()) == ["a"]
    spool.write([b"b", b"c"], is_synced=False)
    look_again(queue)
    assert bodies(queue.lease()) == ["b", "c"]
    os.close(spool._descriptor)
    look_again(queue)
    assert queue.lease() == []
    assert not list(path.parent.glob("*.fork-*"))


def test_a_child_without_room_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    spool = Spool(path, "log_queue")
    spool.write([b"a"], is_synced=False)
    size = os.fstat(spool._descriptor).st_size
    write = os.write
    monkeypatch.setattr("pluginkit.queue.forking.os.write", lambda fd, data: write(fd, data[:3]))
    with pytest.raises(QueueFull, match="the disk is full"):
        spool.write([b"b"], is_synced=False)
    assert os.fstat(spool._descriptor).st_size == size
    os.close(spool._descriptor)
    monkeypatch.setattr("pluginkit.queue.forking.os.write", lambda fd, data: 1 // 0)
    spool._descriptor = 10_000
    with pytest.raises(QueueFull, match="a forked child cannot keep its record"):
        spool.write([b"b"], is_synced=False)
