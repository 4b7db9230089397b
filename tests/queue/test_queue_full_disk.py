"""A full disk: puts are refused, but the queue can be drained, and then goes on (MQ06)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pluginkit.queue import PersistentQueue, QueueFull
from pluginkit.queue.reserve import PAUSE, Reserve
from tests.queue.conftest import MakeQueue

# A file system of two megabytes, seen by this process only, in which a queue is filled to the brim and drained.
SCENE = """\
import os, sys
from pluginkit.queue import PersistentQueue, QueueFull
place = sys.argv[1]
queue = PersistentQueue(place + "/q.db")
assert os.path.exists(place + "/q.db.reserve")
put = 0
try:
    while True:
        queue.put(b"x" * 1000)
        put += 1
except QueueFull as error:
    print(error)
try:
    # Others take what little is left.
    with open(place + "/filler", "wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)
except OSError as error:
    assert error.errno == 28
got = 0
for turn in range(100_000):
    records = queue.lease(50)
    if not records:
        break
    queue.ack(records[-1].id)
    got += len(records)
assert got == put, (got, put)
print("drained", got)
os.unlink(place + "/filler")
queue.put(b"again")
assert [r.body for r in queue.lease()] == [b"again"]
queue.ack(10**9)
queue.close()
queue = PersistentQueue(place + "/q.db")
assert queue.damages == () and queue.counts().pending == 0
assert os.path.exists(place + "/q.db.reserve")
"""


def _may_mount() -> bool:
    done = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return done.returncode == 0


def test_mq06_a_full_disk_can_be_drained(tmp_path: Path, child_env: dict[str, str]) -> None:
    with suppress(OSError):
        if _may_mount():
            script = tmp_path / "scene.py"
            script.write_text(SCENE, "utf-8")
            place = tmp_path / "small"
            place.mkdir()
            command = (
                f'mount -t tmpfs -o size=2m tmpfs "{place}" && exec "{sys.executable}" "{script}" "{place}"'
            )
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", command],
                env=child_env,
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert "the disk is full" in done.stdout
            assert "drained" in done.stdout
            return
    pytest.skip("no file system may be mounted here; the next test fills the file to a limit of its own")


@pytest.fixture
def full(make_queue: MakeQueue) -> Iterator[PersistentQueue]:
    """A queue whose file may not grow any more."""
    queue = make_queue()
    run = queue._store.connection.execute
    queue.put(b"x" * 1000)
    pages = run("PRAGMA page_count").fetchone()[0]
    run(f"PRAGMA max_page_count = {pages + 20}")
    yield queue
    run("PRAGMA max_page_count = 1073741823")


def test_mq06_a_put_beyond_the_limit_is_refused_and_keeps_nothing(full: PersistentQueue) -> None:
    put = 1
    with suppress(QueueFull):
        while True:
            full.put(b"x" * 1000)
            put += 1
    with pytest.raises(QueueFull, match=r"queue\.db: the disk is full .*make room"):
        full.put(b"x" * 1000)
    with pytest.raises(QueueFull):
        full.put_many([b"x" * 1000] * 30)
    assert full.counts().pending == put
    # Nor does a put take the reserve.
    assert full._store.reserve.is_there
    records = full.lease(1_000)
    assert len(records) == put
    full.ack(records[-1].id)
    assert full.put(b"x" * 1000) == put + 1


def test_mq06_what_makes_room_gets_the_reserve_and_it_is_taken_again(full: PersistentQueue) -> None:
    store = full._store
    store.channels["log_queue"].policy = store.channels["log_queue"].policy.__class__(False, None, "raise", 5)
    with suppress(QueueFull):
        while True:
            full.put(b"x" * 1000)
    full.lease(1_000)
    store.connection.execute(
        f"PRAGMA max_page_count = {store.connection.execute('PRAGMA page_count').fetchone()[0]}"
    )
    # Kept as done: that needs pages before it frees any.
    with pytest.raises(QueueFull):
        full.ack(1_000)
    assert not store.reserve.is_there
    assert full.counts().leased > 20
    store.connection.execute("PRAGMA max_page_count = 1073741823")
    store.reserve._next = 0.0
    full.ack(1_000)
    assert store.reserve.is_there
    assert full.counts().leased == 0


def test_a_reserve_for_which_there_is_no_room_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pluginkit.queue.reserve.os.posix_fallocate", refuse)
    reserve = Reserve(tmp_path / "q.db")
    assert not reserve.is_there
    assert not (tmp_path / "q.db.reserve").exists()
    monkeypatch.undo()
    reserve.make()
    assert not reserve.is_there, "not within the pause"
    monkeypatch.setattr("pluginkit.queue.reserve.time.monotonic", lambda: 1e12 + PAUSE)
    reserve.make()
    assert (tmp_path / "q.db.reserve").stat().st_size == 512 * 1024
    assert reserve.give() is True
    assert reserve.give() is False
