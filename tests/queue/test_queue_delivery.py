"""What is put is delivered in order until it is acknowledged (MQ03, MQ04, MQ05, MQ07)."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from pluginkit.errors import UsageError
from pluginkit.queue import (
    Leased,
    PersistentQueue,
    QueueClosed,
    QueueCounts,
    QueueOwned,
    Record,
    RecordQueue,
)
from tests.queue.conftest import MakeQueue, bodies, ids, in_thread, until


class Entry:
    """A record that knows how it lies in the queue."""

    def queued(self) -> bytes:
        return b"entry"


def test_mq08_the_queue_is_what_the_protocol_asks_for(queue: PersistentQueue) -> None:
    anything: RecordQueue = queue
    assert isinstance(Entry(), Record)
    assert anything.put(Entry()) == 1
    assert anything.lease() == [Leased(1, b"entry", 1)]


def test_mq03_put_gives_growing_ids_and_lease_their_order(queue: PersistentQueue) -> None:
    assert [queue.put("a"), queue.put(b"b"), *queue.put_many(["c", b"d", Entry()])] == [1, 2, 3, 4, 5]
    assert bodies(queue.lease(2)) == ["a", "b"]
    assert bodies(queue.lease()) == ["c", "d", "entry"]
    assert queue.lease() == []


def test_put_many_of_nothing_is_nothing(queue: PersistentQueue) -> None:
    assert queue.put_many([]) == range(0)
    assert queue.counts() == QueueCounts()


def test_put_many_of_more_than_one_statement_takes(queue: PersistentQueue) -> None:
    assert queue.put_many(map(str, range(1_234))) == range(1, 1_235)
    assert bodies(queue.lease(5_000)) == list(map(str, range(1_234)))


@pytest.mark.parametrize("wrong", [None, 1, ["a"], object()])
def test_what_is_no_record_is_refused_with_its_type(queue: PersistentQueue, wrong: object) -> None:
    with pytest.raises(UsageError, match=type(wrong).__name__):
        queue.put(wrong)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(UsageError):
        queue.put_many(["fine", wrong])  # type: ignore[list-item]  # that is the point
    assert queue.counts().pending == 0


def test_a_record_larger_than_sqlite_keeps_is_refused(
    queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluginkit.queue.bodies.LARGEST", 10)
    with pytest.raises(UsageError, match="at most 10 bytes, not 11"):
        queue.put(b"x" * 11)
    assert queue.put(b"x" * 10) == 1


def test_text_with_a_lone_surrogate_is_kept_readable(queue: PersistentQueue) -> None:
    queue.put("a\ud800b")
    assert bodies(queue.lease()) == ["a\\ud800b"]


def test_mq03_ack_of_an_id_ends_all_leased_up_to_it(queue: PersistentQueue) -> None:
    queue.put_many("abcde")
    first, second = queue.lease(2), queue.lease(2)
    queue.ack(second[0].id)
    assert queue.counts() == QueueCounts(pending=1, leased=1, bytes=2)
    queue.nack(ids([*first, *second]))
    assert bodies(queue.lease()) == ["d", "e"]


def test_mq03_ack_of_some_ids_ends_those(queue: PersistentQueue) -> None:
    queue.put_many("abcd")
    leased = queue.lease()
    queue.ack([leased[1].id, leased[3].id, 999])
    queue.ack([leased[1].id])
    queue.nack(ids(leased))
    assert bodies(queue.lease()) == ["a", "c"]


def test_an_ack_of_nothing_leased_touches_nothing(queue: PersistentQueue) -> None:
    queue.put("a")
    queue.ack(1)
    queue.ack([1])
    assert bodies(queue.lease()) == ["a"]


def test_ack_deletes_no_record_that_came_back(queue: PersistentQueue) -> None:
    queue.put_many("abc")
    leased = queue.lease()
    queue.nack([leased[0].id])
    queue.ack(leased[2].id)
    assert queue.lease() == [Leased(1, b"a", 2)]


def test_marks_are_stored_with_the_ack_and_survive(queue: PersistentQueue, make_queue: MakeQueue) -> None:
    queue.put("a")
    assert queue.mark("cursor") is None
    queue.lease()
    queue.ack(1, marks={"cursor": b"\x00\xff", "other": b""})
    queue.ack([], marks={"other": b"2"})
    queue.close()
    again = make_queue()
    assert (again.mark("cursor"), again.mark("other"), again.mark("none")) == (b"\x00\xff", b"2", None)


def test_mq05_marks_and_records_of_two_names_in_one_file_are_apart(
    queue: PersistentQueue, make_queue: MakeQueue, path: Path
) -> None:
    other = make_queue(path, "audit")
    assert (queue.put("log"), other.put("audit"), other.put("audit 2")) == (1, 1, 2)
    other.lease(1)
    other.ack(1, marks={"cursor": b"1"})
    assert queue.mark("cursor") is None
    assert bodies(queue.lease()) == ["log"]
    assert other.purge("pending") == 1
    queue.close()
    assert other.put("the file is still open") == 3
    other.close()
    assert bodies(make_queue(path, "log_queue").lease()) == ["log"]


def test_mq05_the_same_name_twice_in_one_process_is_refused(queue: PersistentQueue, path: Path) -> None:
    with pytest.raises(QueueOwned, match="'log_queue' is open in this process already"):
        PersistentQueue(path)
    assert queue.put("a") == 1


def test_two_names_of_one_file_with_different_durability_are_refused(
    queue: PersistentQueue, path: Path
) -> None:
    with pytest.raises(UsageError, match="open already, with the durability 'process'"):
        PersistentQueue(path, "audit", durability="power")


def test_mq04_done_records_are_kept_and_never_delivered_again(make_queue: MakeQueue) -> None:
    queue = make_queue(remove_on_complete=False)
    queue.put_many("abc")
    queue.lease(2)
    queue.ack(2)
    queue.close()
    again = make_queue(remove_on_complete=False)
    assert bodies(again.lease()) == ["c"]
    assert again.counts() == QueueCounts(leased=1, done=2, bytes=1)
    assert again.purge("done") == 2
    assert again.counts().done == 0


def test_mq04_without_it_nothing_of_them_is_left(queue: PersistentQueue, path: Path) -> None:
    queue.put_many("abc")
    queue.lease()
    queue.ack(3)
    assert queue.close()
    with closing(sqlite3.connect(path)) as file:
        counts = [file.execute(f"SELECT count(*) FROM {t}_1").fetchone()[0] for t in ("records", "done")]
    assert counts == [0, 0]


def test_nack_delivers_again_before_what_is_new(queue: PersistentQueue) -> None:
    queue.put_many("abcd")
    leased = queue.lease(3)
    queue.nack([leased[2].id, leased[0].id])
    assert [(r.body, r.attempts) for r in queue.lease(1)] == [(b"a", 2)]
    assert [(r.body, r.attempts) for r in queue.lease()] == [(b"c", 2), (b"d", 1)]


def test_nack_with_a_delay_waits_and_a_lease_wakes_for_it(queue: PersistentQueue) -> None:
    queue.put_many("ab")
    queue.nack(ids(queue.lease(1)), delay=0.15)
    assert bodies(queue.lease()) == ["b"]
    assert queue.counts() == QueueCounts(delayed=1, leased=1, bytes=2)
    began = time.monotonic()
    assert bodies(queue.lease(timeout=20)) == ["a"]
    assert 0.05 < time.monotonic() - began < 5


def test_mq06_a_record_refused_max_attempts_times_is_set_aside(make_queue: MakeQueue) -> None:
    queue = make_queue(max_attempts=3)
    queue.put_many(["poison", "fine"])
    for attempt in (1, 2, 3):
        (record,) = queue.lease(1)
        assert record == Leased(1, b"poison", attempt)
        queue.nack([1], error=f"no {attempt}\ud800")
    assert queue.dead_letters() == [(1, b"poison", 3, "no 3\\ud800")]
    assert bodies(queue.lease()) == ["fine"]
    assert queue.counts() == QueueCounts(leased=1, dead=1, bytes=4)


def test_bury_and_replay_keep_the_id_and_begin_to_count_anew(make_queue: MakeQueue) -> None:
    queue = make_queue(max_attempts=2)
    queue.put_many("abc")
    queue.lease()
    queue.bury([1, 2, 99], error="cannot be read")
    queue.ack(3)
    assert [(d.id, d.error) for d in queue.dead_letters()] == [
        (1, "cannot be read"),
        (2, "cannot be read"),
    ]
    assert len(queue.dead_letters(1)) == 1
    assert queue.replay([2, 99]) == 1
    assert queue.lease() == [Leased(2, b"b", 1)]
    queue.nack([2])
    assert queue.lease() == [Leased(2, b"b", 2)]
    queue.close()
    again = make_queue(max_attempts=9)
    assert again.replay() == 1
    assert again.lease() == [Leased(1, b"a", 1), Leased(2, b"b", 3)]


def test_purge_deletes_what_is_asked_and_ids_go_on(queue: PersistentQueue, make_queue: MakeQueue) -> None:
    queue.put_many("abcde")
    leased = queue.lease(3)
    queue.nack([1])
    queue.nack([2], delay=60)
    assert queue.purge("pending") == 4
    assert queue.counts() == QueueCounts(leased=1, bytes=1)
    queue.bury(ids(leased[2:]), error="x")
    assert queue.purge("dead") == 1
    assert queue.counts() == QueueCounts()
    queue.close()
    assert make_queue().put("f") == 6
    with pytest.raises(UsageError, match="'all'"):
        queue.purge("all")  # type: ignore[arg-type]  # that is the point


def test_peek_takes_nothing(queue: PersistentQueue) -> None:
    queue.put_many("abc")
    queue.nack(ids(queue.lease(1)))
    assert queue.peek(2) == [Leased(1, b"a", 1), Leased(2, b"b", 0)]
    assert bodies(queue.lease()) == ["a", "b", "c"]


def test_mq03_what_was_leased_is_delivered_again_with_its_attempts(make_queue: MakeQueue) -> None:
    for attempt in (1, 2, 3):
        queue = make_queue()
        if attempt == 1:
            queue.put_many("ab")
        assert [(r.id, r.attempts) for r in queue.lease()] == [(1, attempt), (2, attempt)]
        assert queue.close() is False


def test_mq06_what_may_have_ended_the_process_is_delivered_alone_then_set_aside(
    make_queue: MakeQueue,
) -> None:
    first = make_queue()
    first.put_many("abc")
    first.close()

    def run_that_ends(leases: list[str]) -> None:
        queue = make_queue(max_attempts=2)
        assert bodies(queue.lease()) == leases
        queue.close()

    run_that_ends(["a", "b", "c"])
    run_that_ends(["a", "b", "c"])
    run_that_ends(["a"])
    queue = make_queue(max_attempts=2)
    assert queue.lease() == []
    assert [(d.id, "ended with the process" in d.error) for d in queue.dead_letters()] == [(1, True)]
    assert bodies(queue.lease()) == ["b"]
    queue.ack(2)
    assert bodies(queue.lease()) == ["c"]


def test_a_lease_waits_for_a_record(queue: PersistentQueue) -> None:
    waiting = in_thread(lambda: queue.lease(timeout=30))
    until(lambda: queue._channel.bell.waiters == 1)
    queue.put("a")
    assert bodies(waiting()) == ["a"]
    assert queue.lease(timeout=0.01) == []
    with pytest.raises(UsageError, match="at least 1"):
        queue.lease(0)


def test_wait_idle_waits_for_the_last_ack(queue: PersistentQueue) -> None:
    assert queue.wait_idle(0)
    queue.put_many("ab")
    queue.lease()
    assert not queue.wait_idle(0.01)
    waiting = in_thread(lambda: queue.wait_idle(30))
    until(lambda: queue._channel.bell.waiters == 1)
    queue.ack(1)
    queue.ack(2)
    assert waiting() is True


def test_mq07_close_leaves_the_rest_and_refuses_what_comes(
    queue: PersistentQueue, make_queue: MakeQueue
) -> None:
    queue.put("a")
    waiting = in_thread(lambda: queue.lease() and queue.lease(timeout=30))
    until(lambda: queue._channel.bell.waiters == 1)
    assert queue.close() is False
    assert waiting() == []
    assert queue.close() is False
    assert queue.is_closed
    assert "closed" in repr(queue)
    assert queue.lease() == []
    for refused in (lambda: queue.put("b"), lambda: queue.ack(1), queue.counts, lambda: queue.put_many("b")):
        with pytest.raises(QueueClosed, match="log_queue"):
            refused()
    assert bodies(make_queue().lease()) == ["a"]


def test_mq07_close_gives_the_drain_its_time(queue: PersistentQueue) -> None:
    queue.put_many("abc")
    assert len(queue.lease(1)) == 1

    def drain() -> int:
        drained = 1
        until(lambda: queue.is_closed)
        queue.ack(1)
        while records := queue.lease(1, timeout=0.05):
            queue.ack(records[0].id)
            drained += 1
        return drained

    draining = in_thread(drain)
    assert queue.close(timeout=30) is True
    assert draining() == 3


def test_mq07_close_does_not_wait_when_nobody_drains(queue: PersistentQueue) -> None:
    queue.put("a")
    began = time.monotonic()
    assert queue.close(timeout=30) is False
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": ""}, "name"),
        ({"durability": "none"}, "process or power"),
        ({"on_full": "wait"}, "raise, block, drop_oldest, drop_newest"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_attempts": 0}, "max_attempts"),
    ],
)
def test_a_wrong_option_is_refused_and_makes_no_file(
    path: Path, options: dict[str, object], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        PersistentQueue(path, **options)  # type: ignore[arg-type]  # that is the point
    assert not path.exists()
