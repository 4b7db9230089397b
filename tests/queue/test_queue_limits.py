"""A queue that is full does what it was told, and counts what it dropped (MQ07)."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from pluginkit.queue import PersistentQueue, QueueClosed, QueueCounts, QueueFull
from tests.queue.conftest import MakeQueue, bodies, in_thread, until


def test_mq07_raise_refuses_and_names_file_limit_and_what_to_do(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=4)
    queue.put_many(["ab", "cd"])
    with pytest.raises(QueueFull, match=r"queue\.db.*4 of 4 bytes.*on_full"):
        queue.put("e")
    with pytest.raises(QueueFull):
        queue.put_many(["e", "f"])
    assert queue.counts() == QueueCounts(pending=2, bytes=4)
    queue.lease(1)
    queue.ack(1)
    assert queue.put("ef") == 3


def test_mq07_a_batch_is_kept_as_a_whole_or_not_at_all(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=3)
    with pytest.raises(QueueFull):
        queue.put_many(["ab", "cd"])
    assert queue.counts() == QueueCounts()


def test_mq07_drop_newest_counts_and_keeps_the_old(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=3, on_full="drop_newest")
    assert [queue.put(text) for text in ("ab", "cd", "e", "f")] == [1, 0, 2, 0]
    assert queue.put_many("xyz") == range(0)
    assert queue.counts() == QueueCounts(pending=2, dropped=5, bytes=3)
    queue.close()
    again = make_queue(max_bytes=3, on_full="drop_newest")
    assert again.counts().dropped == 5
    assert bodies(again.lease()) == ["ab", "e"]


def test_mq07_drop_oldest_makes_just_the_room_that_is_needed(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=6, on_full="drop_oldest")
    queue.put_many(["ab", "cd", "ef"])
    assert queue.put("g") == 4
    assert queue.put("h") == 5
    assert queue.counts() == QueueCounts(pending=4, dropped=1, bytes=6)
    assert list(queue.put_many(["ijk", "l"])) == [6, 7]
    assert queue.counts() == QueueCounts(pending=4, dropped=3, bytes=6)
    assert bodies(queue.lease()) == ["g", "h", "ijk", "l"]
    queue.close()
    assert make_queue().counts().dropped == 3


def test_mq07_drop_oldest_leaves_alone_what_is_leased_and_takes_what_came_back(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=5, on_full="drop_oldest")
    queue.put_many("abcde")
    queue.lease(3)
    queue.nack([1])
    queue.nack([2], delay=60)
    queue.put("f")
    assert queue.counts() == QueueCounts(pending=3, delayed=1, leased=1, dropped=1, bytes=5)
    queue.put("gh")
    assert queue.counts() == QueueCounts(pending=3, leased=1, dropped=3, bytes=5)
    assert bodies(queue.lease()) == ["e", "f", "gh"]
    assert queue.put("i") == 0
    assert queue.counts() == QueueCounts(leased=4, dropped=4, bytes=5)


@pytest.mark.parametrize("on_full", ["raise", "block", "drop_oldest", "drop_newest"])
def test_a_record_that_can_never_fit_waits_for_nothing(make_queue: MakeQueue, on_full: str) -> None:
    queue = make_queue(max_bytes=3, on_full=on_full)
    queue.put("a")
    if on_full.startswith("drop"):
        assert queue.put("abcd") == 0
        assert queue.counts().dropped == 1
    else:
        with pytest.raises(QueueFull):
            queue.put("abcd")
    assert queue.counts().pending == 1


def test_mq07_block_waits_for_room(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=2, on_full="block")
    queue.put("ab")
    waiting = in_thread(lambda: queue.put("cd"))
    until(lambda: queue._channel.bell.waiters)
    queue.lease()
    assert queue.counts().leased == 1
    queue.ack(1)
    assert waiting() == 2
    with pytest.raises(QueueFull, match="max_bytes"):
        queue.put("e", timeout=0.01)


def test_mq07_a_put_that_waits_for_room_ends_when_the_queue_is_closed(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=1, on_full="block")
    queue.put("a")
    waiting = in_thread(lambda: queue.put("b"))
    until(lambda: queue._channel.bell.waiters)
    queue.close()
    with pytest.raises(QueueClosed):
        waiting()


@pytest.mark.parametrize("on_full", ["drop_oldest", "drop_newest"])
def test_mq07_threads_that_fill_it_drop_what_the_counts_say(make_queue: MakeQueue, on_full: str) -> None:
    queue = make_queue(max_bytes=500, on_full=on_full)
    kept: list[Any] = []

    def fill(name: str) -> None:
        for number in range(200):
            kept.append(queue.put(f"{name}{number:03}"))  # noqa: PERF401  # one by one, beside other threads

    threads = [threading.Thread(target=fill, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = queue.counts()
    assert (counts.pending, counts.bytes, counts.dropped) == (125, 500, 675)
    left = bodies(queue.lease())
    for name in "abcd":
        mine = [text for text in left if text[0] == name]
        assert mine == sorted(mine)
    assert (kept.count(0) == 675) is (on_full == "drop_newest")


def test_mq07_a_queue_that_blocks_carries_all_through(make_queue: MakeQueue) -> None:
    queue = make_queue(max_bytes=40, on_full="block")

    def put(name: str) -> list[int]:
        return [queue.put(f"{name}{number:03}") for number in range(100)]

    puts = [in_thread(partial(put, name)) for name in "abc"]
    got: list[str] = []
    while len(got) < 300:
        leased = queue.lease(7, timeout=20)
        got += bodies(leased)
        queue.ack(leased[-1].id)
    for ended in puts:
        assert len(ended()) == 100
    assert sorted(got) == sorted(f"{n}{i:03}" for n in "abc" for i in range(100))
    assert queue.counts() == QueueCounts()


def test_the_limit_counts_what_was_there_at_opening(queue: PersistentQueue, make_queue: MakeQueue) -> None:
    queue.put_many(["abc", "de"])
    queue.close()
    with pytest.raises(QueueFull):
        make_queue(max_bytes=5).put("f")
