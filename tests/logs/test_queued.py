"""LG09, MQ02, MQ06: through the queue, in order, and what happens when anything on the way fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs import Entry, FileSink, LogChain, LoggerJob, guard, parts
from pluginkit.queue import PersistentQueue

Records = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[PersistentQueue]:
    made = PersistentQueue(tmp_path / "logs.db")
    yield made
    made.close()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(guard, "_LONGEST_PAUSE", 0.001)


def _settled(queue: PersistentQueue, chain: LogChain) -> None:
    """Wait until the queue has nothing to deliver."""
    assert chain.complete(20)
    assert queue.wait_idle(20)


def _make_log(chain: LogChain, count: int) -> None:
    for number in range(count):
        chain.logger.bind(number=number).info("record")


def test_lg09_what_was_logged_survives_the_queue_in_order_with_all_its_parts(
    chain: LogChain, queue: PersistentQueue, tmp_path: Path, records: Records
) -> None:
    direct: list[Entry] = []
    queued: list[Entry] = []
    chain.add_sink(direct.append)
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log"), queued.append])
    _make_log(chain, 50)
    try:
        raise LookupError("gone")
    except LookupError:
        chain.logger.bind(deep={"a": [1, "\ud800"]}).exception("failed")
    _settled(queue, chain)
    assert [entry.fields["number"] for entry in queued[:50]] == list(range(50))
    for before, after in zip(direct, queued, strict=True):
        fields = dict(after.fields)
        assert fields.pop("record_id")
        assert fields == dict(before.fields)
        for part in (
            "time",
            "level",
            "message",
            "module",
            "caller",
            "function",
            "thread",
            "process",
            "exception",
        ):
            assert getattr(before, part) == getattr(after, part)
    assert [one["record_id"] for one in records(tmp_path / "app.log")] == [
        one.fields["record_id"] for one in queued
    ]


def test_mq02_a_logger_job_is_logged_later_at_its_level_with_its_own_time(
    queue: PersistentQueue, tmp_path: Path, records: Records
) -> None:
    job = LoggerJob("warn", "fed", cat=1)
    queue.put(job)
    with LogChain("zoo") as chain:
        chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
        assert queue.wait_idle(10)
    (record,) = records(tmp_path / "app.log")
    assert (record["@level"], record["@message"], record["cat"]) == ("warn", "fed", 1)
    assert record["@timestamp"] == job.entry.time


def test_mq06_a_poison_record_is_set_aside_and_those_behind_it_go_on(
    chain: LogChain, queue: PersistentQueue, tmp_path: Path, records: Records
) -> None:
    told: list[str] = []
    chain.add_sink(lambda entry: told.append(entry.message))
    queue.put(b"\xff garbage")
    queue.put(LoggerJob("info", "after"))
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
    assert queue.wait_idle(10)
    assert [one["@message"] for one in records(tmp_path / "app.log")] == ["after"]
    (dead,) = queue.dead_letters()
    assert dead.body == b"\xff garbage"
    assert "not a log record" in dead.error
    assert any("cannot be read and is set aside" in text for text in told)


@pytest.mark.usefixtures("no_pauses")
def test_a_record_that_one_sink_refuses_is_its_dead_letter_and_a_replay_reaches_that_sink_only(
    chain: LogChain, queue: PersistentQueue, tmp_path: Path, records: Records
) -> None:
    seen: list[str] = []
    is_picky = True

    def picky(entry: Entry) -> None:
        if is_picky and entry.message == "3":
            raise ValueError("three")
        seen.append(entry.message)

    chain.asynchronous(queue, [FileSink(tmp_path / "app.log"), picky], attempts=3)
    for number in range(6):
        chain.logger.info(f"{number}")
    _settled(queue, chain)
    assert seen == ["0", "1", "2", "4", "5"]
    (dead,) = queue.dead_letters()
    assert dead.error.endswith("picky: ValueError: three")
    is_picky = False
    queue.replay()
    assert queue.wait_idle(10)
    assert seen[-1] == "3"
    assert [one["@message"] for one in records(tmp_path / "app.log")] == [f"{number}" for number in range(6)]


@pytest.mark.usefixtures("no_pauses")
def test_a_sink_that_is_down_gives_up_its_records_and_delays_the_others_no_longer_than_that(
    chain: LogChain, queue: PersistentQueue
) -> None:
    seen: list[str] = []

    def down(entry: Entry) -> None:
        raise ConnectionError("down")

    key = chain.asynchronous(queue, [down, lambda entry: seen.append(entry.message)], attempts=2)
    for number in range(20):
        chain.logger.info(f"{number}")
    _settled(queue, chain)
    assert seen == [f"{number}" for number in range(20)]
    assert queue.counts().dead == 20
    assert chain.stats().queue["given_up"] == 20
    chain.remove(key)


@pytest.mark.usefixtures("no_pauses")
def test_the_only_sinks_dead_letters_are_the_records_themselves(
    chain: LogChain, queue: PersistentQueue
) -> None:
    def down(entry: Entry) -> None:
        raise ConnectionError("down")

    chain.asynchronous(queue, [down], attempts=2)
    _make_log(chain, 3)
    _settled(queue, chain)
    assert [dead.id for dead in queue.dead_letters()] == [1, 2, 3]


@pytest.mark.usefixtures("no_pauses")
def test_a_sink_that_recovers_gets_everything_in_order(chain: LogChain, queue: PersistentQueue) -> None:
    seen: list[int] = []
    failures = iter([True] * 4)

    def flaky(entry: Entry) -> None:
        if next(failures, False):
            raise ConnectionError("down")
        seen.append(entry.fields["number"])

    chain.asynchronous(queue, [flaky], attempts=50)
    _make_log(chain, 30)
    _settled(queue, chain)
    assert seen == list(range(30))
    assert queue.counts().dead == 0


def test_mq06_a_queue_that_refuses_is_one_warning_and_records_are_logged_directly(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    told: list[str] = []
    chain.add_sink(lambda entry: told.append(entry.message) if "queue" in entry.message else None)
    queue = PersistentQueue(tmp_path / "logs.db")
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
    chain.logger.info("by the queue")
    assert chain.complete(10)
    queue.close()
    for number in range(3):
        chain.logger.info(f"directly {number}")
    assert [one["@message"] for one in records(tmp_path / "app.log")] == [
        "by the queue", "directly 0", "directly 1", "directly 2",
    ]  # fmt: skip
    assert len([text for text in told if "refuses records" in text]) == 1
    assert chain.stats().queue["direct"] == 3


def test_mq07_a_full_queue_drops_what_it_says_and_the_host_runs_on(chain: LogChain, tmp_path: Path) -> None:
    gate = threading.Event()
    seen: list[str] = []

    def slow(entry: Entry) -> None:
        gate.wait(20)
        seen.append(entry.message)

    queue = PersistentQueue(tmp_path / "logs.db", max_bytes=4_000, on_full="drop_newest")
    chain.asynchronous(queue, [slow], batch=1)
    for number in range(60):
        chain.logger.info(f"{number}")
    dropped = chain.stats().queue["dropped"]
    gate.set()
    assert queue.wait_idle(20)
    assert dropped > 0
    assert len(seen) == 60 - dropped
    assert seen == [f"{number}" for number in range(60 - dropped)]
    chain.close()
    queue.close()


def test_a_sink_of_50_ms_a_record_does_not_slow_the_caller_and_memory_stays_bounded(
    chain: LogChain, queue: PersistentQueue
) -> None:
    seen: list[str] = []

    def slow(entry: Entry) -> None:
        time.sleep(0.05)
        seen.append(entry.message)

    key = chain.asynchronous(queue, [slow], batch=20)
    begin = time.perf_counter()
    _make_log(chain, 400)
    seconds = time.perf_counter() - begin
    assert seconds < 400 * 0.05 / 10, "the caller does not wait for the sink"
    (path,) = chain._paths.values()
    assert max(len(lane.pending) for lane in path.lanes) <= 5_000
    assert not path.close(0.0), "what is not written stays in the queue"
    chain.remove(key, timeout=0.1)
    counts = queue.counts()
    assert counts.pending + counts.leased >= 400 - len(seen) - 20


def test_lg09_what_one_run_leaves_the_next_one_writes_once(tmp_path: Path, records: Records) -> None:
    for run in range(3):
        queue = PersistentQueue(tmp_path / "logs.db")
        chain = LogChain("zoo")
        chain.logger.remove()
        chain.asynchronous(queue, [FileSink(tmp_path / "app.log", max_bytes=2_000, compress=True)])
        for number in range(20):
            chain.logger.bind(number=(run, number)).info("x")
        chain.close(0.0 if run < 2 else 20.0)
        queue.close()
    assert [one["number"] for one in records(tmp_path / "app.log")] == [
        [r, n] for r in range(3) for n in range(20)
    ]


def test_lg09_records_that_are_written_and_not_acknowledged_are_not_written_again(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    """What a kill between the write and the acknowledgement leaves, made by hand."""
    path = tmp_path / "app.log"
    with PersistentQueue(tmp_path / "logs.db") as queue:
        first = LogChain("zoo")
        first.asynchronous(queue, [FileSink(path, max_bytes=600)])
        _make_log(first, 3)
        assert first.complete(10)
        first.close()
        token = records(path)[0]["record_id"].partition("-")[0]
        ids = [queue.put(LoggerJob("info", f"late {number}")) for number in range(4)]
        sink = FileSink(path, max_bytes=600, background=False)
        for number in ids[:2]:
            sink.write([Entry.made("info", f"late {number - ids[0]}", {"record_id": f"{token}-{number}"})])
        sink.close()
        for file in parts.all_files(path):
            os.utime(file, (0, 0))  # the clock was wrong
        chain.asynchronous(queue, [FileSink(path, max_bytes=600)])
        assert queue.wait_idle(10)
    found = [one["@message"] for one in records(path) if one["@message"].startswith("late")]
    assert found == ["late 0", "late 1", "late 2", "late 3"]


def test_a_drain_that_meets_a_defect_of_the_queue_says_so_once_and_goes_on(
    chain: LogChain, queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    told: list[str] = []
    chain.add_sink(lambda entry: told.append(entry.message))
    broken = threading.Event()
    lease = queue.lease

    def failing(*arguments: Any, **options: Any) -> Any:
        if not broken.is_set():
            broken.set()
            raise OSError("disk")
        return lease(*arguments, **options)

    monkeypatch.setattr(queue, "lease", failing)
    chain.asynchronous(queue, [lambda entry: seen.append(entry.message)])
    chain.logger.info("x")
    assert chain.complete(10)
    assert seen == ["x"]
    assert [text for text in told if "cannot be drained: OSError: disk" in text]


def test_a_queue_that_fails_while_a_poison_record_is_set_aside_loses_none_of_those_behind_it(
    chain: LogChain, queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    bury, failures = queue.bury, iter([True, True])

    def failing(ids: Any, *, error: str) -> None:
        if next(failures, False):
            raise OSError("disk full")
        bury(ids, error=error)

    monkeypatch.setattr(queue, "bury", failing)
    queue.put_many([b"poison", LoggerJob("info", "1"), LoggerJob("info", "2")])
    chain.asynchronous(queue, [lambda entry: seen.append(entry.message)])
    assert queue.wait_idle(20)
    assert seen == ["1", "2"]
    assert queue.counts().dead == 1


def test_a_slow_sink_lets_its_neighbours_write_meanwhile(chain: LogChain, queue: PersistentQueue) -> None:
    gate, is_slow, seen = threading.Event(), threading.Event(), threading.Event()

    def slow(entry: Entry) -> None:
        is_slow.set()
        if entry.fields["number"] == 30:
            gate.wait(20)

    def neighbour(entry: Entry) -> None:
        if entry.fields["number"] == 99:
            seen.set()

    queue.put_many([LoggerJob("info", "x", number=number) for number in range(100)])
    chain.asynchronous(queue, [neighbour, slow])
    assert is_slow.wait(10)
    assert seen.wait(10), "the neighbour is not behind"
    gate.set()
    assert queue.wait_idle(20)


def test_large_records_are_leased_few_at_a_time(
    chain: LogChain, queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluginkit.logs.draining._MOST_BYTES", 300_000)
    gate, seen, most = threading.Event(), [], 0

    def slow(entry: Entry) -> None:
        nonlocal most
        gate.wait(20)
        seen.append(entry.message[0])
        (path,) = chain._paths.values()
        most = max(most, path.drain._bytes)

    for _ in range(60):
        queue.put(LoggerJob("info", "x" * 60_000))
    chain.asynchronous(queue, [slow], batch=5)
    gate.set()
    assert queue.wait_idle(20)
    assert len(seen) == 60
    assert 0 < most <= 700_000


def test_a_level_of_the_sinks_behind_the_queue_holds(chain: LogChain, queue: PersistentQueue) -> None:
    seen: list[str] = []
    chain.asynchronous(queue, [lambda entry: seen.append(entry.level)], level="warn")
    chain.logger.info("x")
    chain.logger.error("y")
    _settled(queue, chain)
    assert seen == ["error"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_logs_and_deadlocks_nothing_while_four_threads_log_through_the_queue(
    chain: LogChain, queue: PersistentQueue, tmp_path: Path, records: Records
) -> None:
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
    stop = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not stop.is_set():
            chain.logger.bind(writer=number, number=count).info("parent's")
            count += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    statuses = []
    for child in range(3):
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            chain.logger.info(f"child {child}")
            os._exit(0)
        statuses.append(os.waitpid(pid, 0)[1])
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == [0, 0, 0]
    assert chain.complete(20)
    found = records(tmp_path / "app.log")
    for number in range(4):
        mine = [one["number"] for one in found if one.get("writer") == number]
        assert mine == list(range(len(mine)))
    chain.close()
    queue.close()
    with PersistentQueue(tmp_path / "logs.db") as again, LogChain("zoo") as second:
        second.asynchronous(again, [FileSink(tmp_path / "app.log")])
        assert again.wait_idle(10)
    found = records(tmp_path / "app.log")
    assert sorted(one["@message"] for one in found if one["@message"].startswith("child")) == [
        "child 0", "child 1", "child 2",
    ]  # fmt: skip
