"""A damaged file is set aside, and what is whole in it is delivered, in order (MQ06)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pluginkit.queue import PersistentQueue, QueueUnusable
from tests.queue.conftest import MakeQueue, bodies, ids

COUNT = 2_000
RECORDS = [f"record {number:05} {'x' * 80}" for number in range(COUNT)]


def filled(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.put_many(RECORDS)
    queue.close()


def test_mq06_random_bytes_instead_of_a_file(path: Path, make_queue: MakeQueue) -> None:
    path.parent.mkdir()
    garbage = random.Random(1).randbytes(50_000)
    path.write_bytes(garbage)
    queue = make_queue()
    (damage,) = queue.damages
    assert damage.kept == path.with_name("queue.db.corrupt-1")
    assert damage.kept.read_bytes() == garbage
    assert damage.recovered == 0
    assert "not a database" in str(damage)
    assert queue.put("a") >= 1
    queue.close()
    assert make_queue().damages == ()


def test_mq06_flipped_bytes_cost_no_more_than_what_they_hit(path: Path, make_queue: MakeQueue) -> None:
    filled(make_queue)
    data = bytearray(path.read_bytes())
    chance = random.Random(7)
    # Two pages in the middle of the records are overwritten: their rows are gone, no others.
    pages = len(data) // 4096
    for page in (pages // 3, pages // 2):
        data[page * 4096 : page * 4096 + 600] = chance.randbytes(600)
    path.write_bytes(data)
    queue = make_queue()
    (damage,) = queue.damages
    got = bodies(queue.lease(COUNT * 2))
    assert got == sorted(got)
    assert set(got) < set(RECORDS)
    assert COUNT - 150 < len(got) == damage.recovered < COUNT
    assert queue.put("new") > COUNT


def test_mq06_a_flipped_byte_inside_a_record_sets_that_one_aside(path: Path, make_queue: MakeQueue) -> None:
    filled(make_queue)
    data = path.read_bytes()
    place = data.index(b"record 01000 x") + 20
    path.write_bytes(data[:place] + b"y" + data[place + 1 :])
    queue = make_queue()
    assert queue.damages == ()
    got = bodies(queue.lease(COUNT * 2))
    assert got == RECORDS[:1000] + RECORDS[1001:]
    (dead,) = queue.dead_letters()
    assert "bytes have changed" in dead.error


@pytest.mark.parametrize("cut", [1, 5_000, 40_000])
def test_mq06_a_cut_log_costs_its_end_only(
    path: Path, make_queue: MakeQueue, child_env: dict[str, str], cut: int
) -> None:
    text = (
        "import os, sys; from pluginkit.queue import PersistentQueue as Q; q = Q(sys.argv[1])\n"
        "for n in range(500): q.put(f'record {n:05}')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", text, str(path)], env=child_env, check=False)
    log = Path(f"{path}-wal")
    os.truncate(log, log.stat().st_size - cut)
    queue = make_queue()
    got = bodies(queue.lease(1_000))
    assert got == [f"record {n:05}" for n in range(len(got))]
    assert 400 < len(got) < 500
    # What the disk has forgotten may have been delivered under its id: that id is not given again.
    assert queue.put("new") > 500


def test_mq06_damage_while_it_runs_is_repaired_and_leases_go_on(path: Path, make_queue: MakeQueue) -> None:
    filled(make_queue)
    queue = make_queue()
    leased = queue.lease(10)
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        file.seek(4096 * (pages // 2))
        file.write(random.Random(3).randbytes(4096))
    queue._store.connection.execute("PRAGMA shrink_memory")  # else it would not look at the disk
    rest: list[str] = []
    while records := queue.lease(400):
        rest += bodies(records)
    (damage,) = queue.damages
    assert damage.kept.exists()
    assert len(set(rest)) == len(rest) > COUNT - 150
    assert set(rest) < set(RECORDS[10:])
    queue.ack(ids(leased))
    queue.nack([leased[0].id])
    assert queue.put("new") == COUNT + 1
    assert queue.lease()[0].id == COUNT + 1


def test_mq06_a_put_into_a_damaged_file_is_kept(path: Path, make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.put_many(RECORDS)
    queue._store.connection.execute("PRAGMA writable_schema = ON")
    queue._store.connection.execute("DELETE FROM sqlite_master WHERE name = 'records_1'")
    queue._store.connection.execute("PRAGMA writable_schema = RESET")
    assert queue.put("new") == COUNT + 1
    assert len(queue.damages) == 1
    assert bodies(queue.lease()) == ["new"]


def test_two_damaged_files_are_both_kept_and_names_stay(path: Path, make_queue: MakeQueue) -> None:
    for number in (1, 2):
        queue, other = make_queue(), make_queue(path, "audit")
        queue.put(f"log {number}")
        other.put(f"audit {number}")
        queue.close()
        other.close()
        data = bytearray(path.read_bytes())
        data[100:104] = b"\xff\xff\xff\xff"
        path.write_bytes(data)
    make_queue().close()
    assert path.with_name("queue.db.corrupt-1").exists()
    assert path.with_name("queue.db.corrupt-2").exists()


def test_done_and_dead_marks_and_drops_are_taken_over(path: Path, make_queue: MakeQueue) -> None:
    queue = make_queue(remove_on_complete=False)
    queue.put_many(RECORDS)
    queue.lease(20)
    queue.bury([11], error="bad")
    queue.ack(10, marks={"cursor": b"10"})
    queue.close()
    data = bytearray(path.read_bytes())
    place = data.index(b"record 01500 x") // 4096 * 4096
    data[place : place + 50] = bytes(50)
    path.write_bytes(data)
    queue = make_queue()
    counts = queue.counts()
    assert len(queue.damages) == 1
    assert (counts.done, counts.dead) == (10, 1)
    assert queue.mark("cursor") == b"10"
    first = queue.lease(9)
    assert [record.attempts for record in first] == [2] * 9
    assert ids(first) == list(range(12, 21))


def test_mq06_a_file_that_cannot_be_set_aside_is_unusable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pluginkit.queue.damage.os.rename", refuse)
    with pytest.raises(QueueUnusable, match="Operation not permitted"):
        PersistentQueue(path)
    monkeypatch.undo()
    PersistentQueue(path).close()
