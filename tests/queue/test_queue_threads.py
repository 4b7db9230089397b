"""Threads share a queue, and whoever interrupts one in it cannot hang or lose a record (MQ03)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from pluginkit.errors import StateError
from pluginkit.queue import PersistentQueue, QueueUnusable
from tests.queue.conftest import MakeQueue, bodies, in_thread, until


@pytest.mark.parametrize("durability", ["process", "power"])
def test_mq03_threads_that_put_at_once_keep_their_order_and_share_commits(
    make_queue: MakeQueue, durability: str
) -> None:
    queue = make_queue(durability=durability)
    given: dict[str, list[int]] = {}

    def put(name: str) -> None:
        given[name] = [queue.put(f"{name}{number:03}") for number in range(150)]

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    records = queue.lease(5_000)
    assert [record.id for record in records] == list(range(1, 1_201))
    for name, mine in given.items():
        assert [r.id for r in records if r.body.decode()[0] == name] == mine == sorted(mine)
        assert [t for t in bodies(records) if t[0] == name] == [f"{name}{n:03}" for n in range(150)]


class Interrupting:
    """Does something in the middle of the queue's work: from inside the write of a batch."""

    def __init__(self, queue: PersistentQueue, act: Callable[[], Any]) -> None:
        self._store = queue._store
        self._write = self._store._write
        self._act = act
        self.answers: list[Any] = []
        self._store._write = self  # type: ignore[method-assign]  # that is how it comes in

    def __call__(self, tickets: Any) -> None:
        self._store._write = self._write  # type: ignore[method-assign]  # once only
        self.answers.append(self._act())
        self._write(tickets)


def test_mq03_a_signal_handler_that_puts_while_its_thread_is_in_the_queue(queue: PersistentQueue) -> None:
    old = signal.signal(signal.SIGUSR1, lambda *_: interrupting.answers.append(queue.put("handler")))
    interrupting = Interrupting(queue, lambda: signal.raise_signal(signal.SIGUSR1))
    try:
        assert queue.put("main") == 1
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert interrupting.answers == [0, None]
    # It was committed before the put that it interrupted returned.
    assert queue.counts().pending == 2
    assert bodies(queue.lease()) == ["main", "handler"]


def test_mq03_del_that_puts_while_its_thread_is_in_the_queue(queue: PersistentQueue) -> None:
    class Dying:
        def __del__(self) -> None:
            queue.put_many(["dying 1", "dying 2"])

    def let_one_die() -> None:
        Dying()

    Interrupting(queue, let_one_die)
    assert queue.put("main") == 1
    assert bodies(queue.lease()) == ["main", "dying 1", "dying 2"]


def test_from_inside_nothing_else_than_a_put_is_done(queue: PersistentQueue) -> None:
    refused: list[str] = []

    def act() -> None:
        for work in (queue.lease, queue.counts, lambda: queue.ack(1), queue.close):
            try:
                work()
            except StateError as error:
                refused.append(str(error))

    Interrupting(queue, act)
    assert queue.put("main") == 1
    assert len(refused) == 4
    assert "may only put" in refused[0]


def test_signals_at_any_moment_lose_no_record(queue: PersistentQueue) -> None:
    """A timer interrupts the main thread in the queue as often as it can; another thread puts too."""
    numbers = count()
    hits: list[int] = []

    def handler(*_: object) -> None:
        number = next(numbers)
        queue.put(f"h{number:05}")
        hits.append(number)

    old = signal.signal(signal.SIGALRM, handler)
    stop = threading.Event()

    def other() -> int:
        number = 0
        while not stop.is_set():
            queue.put(f"o{number:05}")
            number += 1
        return number

    running = in_thread(other)
    number = 0
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        while len(hits) < 300:
            queue.put(f"m{number:05}")
            number += 1
            if number % 50 == 0:
                queue.counts()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        stop.set()
    others = running()
    got = bodies(queue.lease(1_000_000))
    assert [t for t in got if t[0] == "m"] == [f"m{n:05}" for n in range(number)]
    assert [t for t in got if t[0] == "o"] == [f"o{n:05}" for n in range(others)]
    assert sorted(t for t in got if t[0] == "h") == [f"h{n:05}" for n in sorted(hits)]


def test_a_torn_put_is_told_to_those_whose_record_it_carried(queue: PersistentQueue) -> None:
    """Ctrl-C in the thread that commits: it gets its KeyboardInterrupt, the other an error, and both go on."""
    inside, go = threading.Event(), threading.Event()

    def act() -> None:
        inside.set()
        assert go.wait(30)
        raise KeyboardInterrupt

    Interrupting(queue, act)

    def interrupted() -> str:
        with suppress(KeyboardInterrupt):
            queue.put("torn")
            return "no"
        return "interrupted"

    first = in_thread(interrupted)
    assert inside.wait(30)
    second = in_thread(lambda: queue.put("waits"))
    until(lambda: len(queue._store.tickets) == 2)
    go.set()
    assert first() == "interrupted"
    assert second() in (1, 2)
    assert queue.put("after") in (2, 3)
    assert bodies(queue.lease())[-2:] == ["waits", "after"]


def test_an_interrupt_after_the_commit_leaves_disk_and_memory_agreed(
    queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = queue._channel
    queue.put_many("ab")
    with monkeypatch.context() as patch:

        def torn(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(channel.ledger, "handed_out", torn, raising=True)
        with pytest.raises(KeyboardInterrupt):
            queue.lease()
    assert [(r.body, r.attempts) for r in queue.lease()] == [(b"a", 2), (b"b", 2)]
    with monkeypatch.context() as patch:
        patch.setattr(channel.ledger, "added", torn)
        with pytest.raises(KeyboardInterrupt):
            queue.put_many("cd")
    assert queue.put("e") == 5
    assert queue.counts().pending == 3
    assert bodies(queue.lease()) == ["c", "d", "e"]


def test_an_error_of_sqlite_that_nobody_knows_is_told_and_nothing_is_kept(
    queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue._channel.sql, "put", "INSERT INTO records_1 VALUES (1, 2, 3, ?, ?, ?)")
    with pytest.raises(QueueUnusable, match="columns"):
        queue.put("a")
    monkeypatch.undo()
    assert queue.put("b") == 1


def test_a_drain_does_not_starve_beside_threads_that_put(queue: PersistentQueue) -> None:
    stop = threading.Event()

    def put() -> int:
        number = 0
        while not stop.is_set():
            queue.put(b"x" * 100)
            number += 1
        return number

    puts = [in_thread(put) for _ in range(4)]
    got = 0
    while got < 2_000:
        records = queue.lease(100, timeout=20)
        assert records
        queue.ack(records[-1].id)
        got += len(records)
    stop.set()
    total = sum(put() for put in puts)
    assert got + queue.counts().pending == total
