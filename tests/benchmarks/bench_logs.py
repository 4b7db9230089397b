"""What a log call costs its caller: through our queue, and by the ways that people use.

Each subject runs in a process of its own, which logs the same message with loguru (or the standard
library) and takes the time of each call; subjects take turns, and the medians of the rounds count.
Beside a CPU-bound thread the interpreter's switch interval (5 ms) shows in the tail.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

CALLS = 8_000
ROUNDS = 5
MESSAGE = "a request of {} bytes was answered in {} ms by worker-3, as most of them are"
Log = Callable[[], object]


def loguru_file(directory: Path) -> tuple[Log, Log]:
    from loguru import logger

    logger.remove()
    logger.add(directory / "app.log")
    return lambda: logger.info(MESSAGE, 512, 3), logger.remove


def loguru_enqueue(directory: Path) -> tuple[Log, Log]:
    from loguru import logger

    logger.remove()
    logger.add(directory / "app.log", enqueue=True)
    return lambda: logger.info(MESSAGE, 512, 3), logger.remove


def stdlib_queue_handler(directory: Path) -> tuple[Log, Log]:
    import logging
    import logging.handlers
    import queue

    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    file = logging.FileHandler(directory / "app.log")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    log = logging.getLogger("bench")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(logging.handlers.QueueHandler(records))
    text = MESSAGE.replace("{}", "%s")
    return lambda: log.info(text, 512, 3), listener.stop


def loguru_persist_queue(directory: Path) -> tuple[Log, Log]:
    import persistqueue
    from loguru import logger

    queue = persistqueue.SQLiteAckQueue(str(directory), multithreading=True, auto_commit=True)
    queue._putter.execute("PRAGMA synchronous=NORMAL")
    logger.remove()
    logger.add(queue.put, serialize=True)
    return lambda: logger.info(MESSAGE, 512, 3), logger.remove


def loguru_litequeue(directory: Path) -> tuple[Log, Log]:
    from litequeue import LiteQueue
    from loguru import logger

    queue = LiteQueue(str(directory / "queue.db"))
    logger.remove()
    logger.add(queue.put, serialize=True)
    return lambda: logger.info(MESSAGE, 512, 3), logger.remove


def chain_file(directory: Path) -> tuple[Log, Log]:
    from pluginkit.logs import LogChain

    chain = LogChain("bench")
    chain.logger.remove()
    chain.add_file(directory / "app.log", max_bytes=0)
    return lambda: chain.logger.info(MESSAGE, 512, 3), chain.close


def chain_queue(directory: Path) -> tuple[Log, Log]:
    from pluginkit.logs import FileSink, LogChain
    from pluginkit.queue import PersistentQueue

    queue = PersistentQueue(directory / "logs.db")
    chain = LogChain("bench")
    chain.logger.remove()
    chain.asynchronous(queue, [FileSink(directory / "app.log", max_bytes=0)])
    return lambda: chain.logger.info(MESSAGE, 512, 3), lambda: (chain.close(60), queue.close())


SUBJECTS: dict[str, tuple[str, Callable[[Path], tuple[Log, Log]]]] = {
    "ours": ("pluginkit, durable queue", chain_queue),
    "ours_file": ("pluginkit, file", chain_file),
    "enqueue": ("loguru, enqueue=True", loguru_enqueue),
    "file": ("loguru, file", loguru_file),
    "stdlib": ("stdlib QueueHandler", stdlib_queue_handler),
    "persist": ("loguru into persist-queue", loguru_persist_queue),
    "lite": ("loguru into litequeue", loguru_litequeue),
}


def child(name: str, is_beside: bool) -> None:
    """Print the median and the 99th percentile of the calls, in seconds."""
    with tempfile.TemporaryDirectory() as directory:
        log, close = SUBJECTS[name][1](Path(directory))
        done = threading.Event()

        def compute() -> None:
            while not done.is_set():
                sum(range(1_000))

        neighbour = threading.Thread(target=compute)
        for _ in range(500):
            log()
        if is_beside:
            neighbour.start()
        samples = []
        end = time.perf_counter() + (3.0 if is_beside else 30.0)
        for _ in range(CALLS):
            began = time.perf_counter()
            log()
            now = time.perf_counter()
            samples.append(now - began)
            if now > end:
                break
        done.set()
        if is_beside:
            neighbour.join()
        close()
    samples.sort()
    sys.stdout.write(json.dumps([median(samples), samples[int(len(samples) * 0.99)]]))


def measured(name: str, is_beside: bool) -> tuple[float, float]:
    command = [sys.executable, __file__, name, str(int(is_beside))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    p50, p99 = json.loads(done.stdout)
    return p50, p99


def main() -> None:
    from harness import publish, seconds, table

    samples: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        names = list(SUBJECTS) if number % 2 else list(reversed(SUBJECTS))
        for name in names:
            for is_beside in (False, True):
                samples.setdefault((name, is_beside), []).append(measured(name, is_beside))
    middle = {
        key: (median(p50 for p50, _ in taken), median(p99 for _, p99 in taken))
        for key, taken in samples.items()
    }
    rows = []
    for name, (what, _) in SUBJECTS.items():
        alone, beside = middle[name, False], middle[name, True]
        ratio = alone[0] / middle["enqueue", False][0]
        rows.append((what, *map(seconds, (*alone, *beside)), f"{ratio:.2f}"))
    ratio = median(
        ours[0] / theirs[0]
        for ours, theirs in zip(samples["ours", False], samples["enqueue", False], strict=True)
    )
    verdict = f"A call into the durable queue costs its caller {ratio:.2f} times that of `enqueue=True` (budget ≤ 0.5)."
    head = (
        "log call",
        "p50",
        "p99",
        "p50 beside a busy thread",
        "p99 beside",
        "p50 / enqueue",
    )
    publish("logs", "Log calls", f"{verdict}\n\n{table(head, rows)}")
    if ratio > 0.5:
        sys.exit(f"over budget: {ratio:.2f} > 0.5")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1], sys.argv[2] == "1")
    else:
        main()
