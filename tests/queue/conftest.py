"""Queues in a directory of the test's own, closed when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.queue import Leased, PersistentQueue

MakeQueue = Callable[..., PersistentQueue]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "queue.db"


@pytest.fixture
def make_queue(path: Path) -> Iterator[MakeQueue]:
    queues: list[PersistentQueue] = []

    def make(*arguments: Any, **options: Any) -> PersistentQueue:
        queues.append(PersistentQueue(*(arguments or (path,)), **options))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


@pytest.fixture
def queue(make_queue: MakeQueue) -> PersistentQueue:
    return make_queue()


def bodies(records: Iterable[Any]) -> list[str]:
    return [record.body.decode() for record in records]


def ids(records: Iterable[Leased]) -> list[int]:
    return [record.id for record in records]


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Run it in a thread; the answer waits for its end and gives what it gave, or raises what it raised."""
    out: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            out.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(30)
        assert not thread.is_alive(), "the thread is stuck"
        if failed:
            raise failed[0]
        return out[0]

    return result
