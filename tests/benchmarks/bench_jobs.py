"""The job pool beside ThreadPoolExecutor, and its retries beside tenacity's."""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

from harness import Row, publish, report, seconds, table

from pluginkit.jobs import Job, Pool

WORKERS = (1, 4, 16)
JOBS = 50_000
TRIPS = 3_000
ROUNDS = 15
QUEUED = 100_000
Submit = Callable[[Callable[[], object]], Future[Any]]


def nothing() -> None:
    """A job that does nothing."""


def of_pool(workers: int) -> tuple[Submit, Callable[[], object]]:
    pool = Pool(workers)
    return pool.submit, pool.shutdown


def of_executor(workers: int) -> tuple[Submit, Callable[[], object]]:
    executor: Executor = ThreadPoolExecutor(workers)
    return executor.submit, executor.shutdown


def all_done(make: Callable[[int], tuple[Submit, Callable[[], object]]], workers: int) -> float:
    """Seconds for each of many jobs, from the first submit to the end of the last."""
    submit, shutdown = make(workers)
    began = time.perf_counter()
    for _ in range(JOBS):
        submit(nothing)
    shutdown()
    return (time.perf_counter() - began) / JOBS


def trips(make: Callable[[int], tuple[Submit, Callable[[], object]]], workers: int) -> tuple[float, float]:
    """The median and the 99th percentile of submitting one job and waiting for its result."""
    submit, shutdown = make(workers)
    samples = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        submit(nothing).result()
        samples.append(time.perf_counter() - began)
    shutdown()
    samples.sort()
    return samples[TRIPS // 2], samples[TRIPS * 99 // 100]


def memory(make: Callable[[int], tuple[Submit, Callable[[], object]]]) -> float:
    """Bytes for each job that waits."""
    submit, shutdown = make(1)
    go = threading.Event()
    submit(go.wait)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(QUEUED):
        submit(nothing)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    go.set()
    shutdown()
    return grown / QUEUED


def pairs(measure: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
    """Ours and the peer's, round by round in changing order."""
    found = []
    for number in range(ROUNDS):
        makes = [of_pool, of_executor]
        if number % 2:
            makes.reverse()
        measured = {make: measure(make) for make in makes}
        found.append((measured[of_pool], measured[of_executor]))
    return found


def row(what: str, samples: list[tuple[float, float]], budget: float | None = None) -> Row:
    return Row(
        what,
        median(a for a, _ in samples),
        median(b for _, b in samples),
        "ThreadPoolExecutor",
        median(a / b for a, b in samples),
        budget,
    )


def retrying() -> str:
    """What it costs to be tried again if need be, when there is no need: a job's wish, and tenacity's."""
    try:
        import tenacity
    except ImportError:
        return "tenacity is not installed: `pip install --group bench`."
    wrapped = tenacity.Retrying(stop=tenacity.stop_after_attempt(4))
    pool = Pool(1)
    counts = 5_000

    def per_job(make: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(counts):
            make()
        pool.wait_idle()
        return (time.perf_counter() - began) / counts

    plain, wishing, theirs = [], [], []
    for _ in range(ROUNDS):
        plain.append(per_job(lambda: pool.submit(nothing)))
        wishing.append(per_job(lambda: pool.submit(Job(nothing).with_retry(3))))
        began = time.perf_counter()
        for _ in range(counts):
            wrapped(nothing)
        theirs.append((time.perf_counter() - began) / counts)
    pool.shutdown()
    ours = median(wishing) - median(plain)
    return table(
        ("a job that succeeds", "costs more than without"),
        [("`Job(…).with_retry(3)`", seconds(ours)), ("tenacity.Retrying", seconds(median(theirs)))],
    )


def main() -> None:
    rows = []
    for workers in WORKERS:
        samples = pairs(partial(all_done, workers=workers))
        rows.append(row(f"no-op job, submitted and run, {workers} workers", samples, 1 / 3))
    for workers in WORKERS:
        both = pairs(partial(trips, workers=workers))
        rows.append(row(f"round trip, median, {workers} workers", [(a[0], b[0]) for a, b in both]))
        rows.append(row(f"round trip, 99th percentile, {workers} workers", [(a[1], b[1]) for a, b in both]))
    ours, theirs = memory(of_pool), memory(of_executor)
    publish("retries", "Jobs: retries that are not needed", retrying())
    report(
        "jobs",
        "Jobs",
        rows,
        note=(
            f"Bytes for each of {QUEUED:,} waiting jobs: {ours:.0f}, ThreadPoolExecutor {theirs:.0f}, "
            f"ratio {ours / theirs:.2f} (budget 0.25)."
        ),
    )
    if ours > 0.25 * theirs:
        sys.exit("over budget: memory of a waiting job")


if __name__ == "__main__":
    main()
