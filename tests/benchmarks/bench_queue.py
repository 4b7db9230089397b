"""The persistent queue beside persist-queue and litequeue: puts, take and acknowledge, a backlog."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import litequeue
import persistqueue
from harness import Row, publish, report, seconds, table

from pluginkit.queue import PersistentQueue

ROUNDS = 9
BODY = "x" * 210
PUTS = {"process": 10_000, "power": 2_000}
TAKEN = 1_000
BACKLOG = 100_000

Put = Callable[[Any], object]


class Place:
    """A directory for one round."""

    def __enter__(self) -> str:
        self._path = tempfile.mkdtemp()
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path)


def persist_queue(path: str, durability: str) -> Any:
    queue = persistqueue.SQLiteAckQueue(path, multithreading=True)
    level = {"process": "NORMAL", "power": "FULL"}[durability]
    for connection in {queue._getter, queue._putter}:
        connection.execute(f"PRAGMA synchronous = {level}")
    return queue


def lite_queue(path: str, durability: str) -> Any:
    queue = litequeue.LiteQueue(str(Path(path, "lite.db")))
    queue.conn.execute(f"PRAGMA synchronous = {'NORMAL' if durability == 'process' else 'FULL'}")
    return queue


def puts(put: Put, number: int, threads: int) -> float:
    """Seconds for each put, by so many threads together."""

    def work() -> None:
        for _ in range(number // threads):
            put(BODY)

    running = [threading.Thread(target=work) for _ in range(threads)]
    began = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return (time.perf_counter() - began) / number


def put_round(durability: str, threads: int) -> dict[str, float]:
    number = PUTS[durability]
    out = {}
    with Place() as place:
        ours = PersistentQueue(Path(place, "q.db"), durability=durability)  # type: ignore[arg-type]  # a literal
        out["ours"] = puts(ours.put, number, threads)
        ours.close()
    with Place() as place:
        theirs = persist_queue(place, durability)
        out["persist-queue"] = puts(theirs.put, number, threads)
        theirs.close()
    if threads == 1:
        with Place() as place:
            lite = lite_queue(place, durability)
            out["litequeue"] = puts(lite.put, number, threads)
            lite.close()
    return out


def put_rows() -> list[Row]:
    # The budgets are of rates (DESIGN.md); a row has the ratio of times.
    budgets = {("process", 1): 1 / 1.5, ("process", 8): None, ("power", 1): 1.0, ("power", 8): 1 / 2.5}
    rows = []
    for (durability, threads), budget in budgets.items():
        rounds = [put_round(durability, threads) for _ in range(ROUNDS)]
        what = f"put, {'kill -9' if durability == 'process' else 'power loss'} class, {threads} thread{'s'[: threads > 1]}"
        for peer in rounds[0].keys() - {"ours"}:
            limit = None if peer == "litequeue" else budget
            rows.append(
                row(what, [one["ours"] for one in rounds], [one[peer] for one in rounds], peer, limit)
            )
    return rows


def row(what: str, ours: list[float], theirs: list[float], peer: str, budget: float | None) -> Row:
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return Row(what, median(ours), median(theirs), peer, ratio, budget)


def take_ours(queue: PersistentQueue, number: int) -> float:
    """Seconds for each record of leasing and acknowledging so many."""
    began, taken = time.perf_counter(), 0
    while taken < number:
        records = queue.lease(min(500, number - taken))
        queue.ack(records[-1].id)
        taken += len(records)
    return (time.perf_counter() - began) / number


def take_theirs(queue: Any, number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        queue.ack(queue.get(block=False))
    return (time.perf_counter() - began) / number


def take_rows() -> list[Row]:
    rows = []
    for acknowledged in (1_000, 100_000):
        ours, theirs = [], []
        for _ in range(5):
            with Place() as place:
                queue = PersistentQueue(Path(place, "q.db"))
                queue.put_many([BODY] * (acknowledged + BACKLOG))
                take_ours(queue, acknowledged)
                queue.close()  # what was prepared is on the disk: it is not what is measured
                queue = PersistentQueue(Path(place, "q.db"))
                ours.append(take_ours(queue, BACKLOG))
                queue.close()
            with Place() as place:
                peer = persist_queue(place, "process")
                # They stay in its table for ever, before what comes later. Put there directly: to put, get
                # and acknowledge 100,000 would take it an hour.
                with peer._putter as connection:
                    done = ((BODY.encode(), 0.0, 5) for _ in range(acknowledged))
                    connection.executemany(
                        f"INSERT INTO {peer._table_name} (data, timestamp, status) VALUES (?, ?, ?)", done
                    )
                for _ in range(TAKEN):
                    peer.put(BODY)
                theirs.append(take_theirs(peer, 20 if acknowledged > 10_000 else TAKEN))
                peer.close()
        what = f"take and acknowledge, after {acknowledged:,} acknowledged"
        rows.append(row(what, ours, theirs, "persist-queue", 1 / 100))
    return rows


def backlog() -> str:
    """Seconds to open a file with a backlog, and to deliver and acknowledge all of it."""
    opened, drained = [], []
    for _ in range(5):
        with Place() as place:
            queue = PersistentQueue(Path(place, "q.db"))
            queue.put_many([BODY] * BACKLOG)
            queue.close()
            began = time.perf_counter()
            queue = PersistentQueue(Path(place, "q.db"))
            opened.append(time.perf_counter() - began)
            drained.append(take_ours(queue, BACKLOG) * BACKLOG)
            queue.close()
    text = table(
        ("a backlog of 100,000 records of 210 bytes", "seconds"),
        [
            ("open the file, checked whole", seconds(median(opened))),
            ("lease and acknowledge all of it, 500 at a time", seconds(median(drained))),
        ],
    )
    return f"No peer: it is the time that a restart takes after a long failure of a sink.\n\n{text}"


if __name__ == "__main__":
    publish("queue-backlog", "Recovery of a backlog", backlog())
    report(
        "queue",
        "The persistent queue",
        [*put_rows(), *take_rows()],
        note=(
            "One record of 210 bytes. Ours are leased and acknowledged 500 at a time, which persist-queue cannot. "
            "litequeue is not meant for a connection shared by threads."
        ),
    )
