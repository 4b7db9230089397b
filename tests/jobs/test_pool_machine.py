"""Any order of what eight threads may do to a pool: every accepted job comes to one end (WP01 to WP16)."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pluginkit.jobs import Job, JobContext, JobError, JobState, Pool, PoolClosed, PoolFull

ROUNDS = 500 if os.environ.get("PLUGINKIT_SOAK") else 50
FINAL = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT}

steps = st.one_of(
    st.tuples(
        st.just("submit"),
        st.sampled_from(["good", "bad", "told", "flaky", "slow retry", "timed", "impatient"]),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 200)),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("shutdown"), st.none()),
    st.tuples(st.just("terminate"), st.none()),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("resize"), st.integers(1, 6)),
    st.tuples(st.just("batch"), st.integers(0, 5)),
)


class Round:
    """One pool, and the threads that act on it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.lock = threading.Lock()
        self.jobs: list[Job[Any]] = []
        self.ended: dict[str, int] = {}
        self.refused = 0

    def keep(self, job: Job[Any]) -> None:
        with self.lock:
            self.jobs.append(job)
        job.add_done_callback(self.count)

    def count(self, job: Job[Any]) -> None:
        with self.lock:
            self.ended[job.id] = self.ended.get(job.id, 0) + 1

    def do_all(self, plan: list[tuple[str, Any]]) -> None:
        for step in plan:
            self.do(step)

    def do(self, step: tuple[str, Any]) -> None:
        name, argument = step
        try:
            getattr(self, name)(argument)
        except (PoolClosed, PoolFull):
            with self.lock:
                self.refused += 1

    def submit(self, kind: str) -> None:
        self.keep(self.pool.submit(make(kind), timeout=0.05))

    def batch(self, size: int) -> None:
        result = self.pool.submit_batch([make("good") for _ in range(size)])
        for job in result.jobs:
            self.keep(job)
        with self.lock:
            self.refused += result.failed

    def cancel(self, index: int) -> None:
        with self.lock:
            job = self.jobs[index % len(self.jobs)] if self.jobs else None
        if job is not None:
            job.cancel("any")

    def stop(self, _: None) -> None:
        self.pool.stop(5)

    def shutdown(self, _: None) -> None:
        self.pool.shutdown(5)

    def terminate(self, _: None) -> None:
        self.pool.terminate("any")

    def pause(self, _: None) -> None:
        self.pool.pause()
        self.pool.resume()

    def resize(self, size: int) -> None:
        self.pool.resize(size)


def make(kind: str) -> Job[Any]:  # noqa: PLR0911  # a list of kinds
    runs: list[int] = []

    def flaky() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise ValueError

    def told(ctx: JobContext) -> None:
        ctx.sleep(0.002)

    if kind == "good":
        return Job(int)
    if kind == "bad":
        return Job(int, "x")
    if kind == "flaky":
        return Job(flaky).with_retry(2, 0.0005)
    if kind == "slow retry":
        return Job(flaky).with_retry(2, 0.051)
    if kind == "impatient":
        return Job(told).with_queue_timeout(0.001).with_deadline(time.monotonic() + 0.01)
    if kind == "timed":
        return Job(told).with_timeout(0.001).with_priority(1)
    return Job(told)


@pytest.mark.soak
@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    plans=st.lists(st.lists(steps, max_size=12), min_size=8, max_size=8),
    workers=st.integers(1, 4),
    buffer=st.sampled_from([None, 0, 1, 5]),
)
def test_wp16_every_accepted_job_comes_to_exactly_one_end(
    plans: list[list[tuple[str, Any]]], workers: int, buffer: int | None
) -> None:
    pool = Pool(workers, buffer=buffer, keep_results=True)
    one = Round(pool)
    with ThreadPoolExecutor(8) as threads:
        for action in [threads.submit(one.do_all, plan) for plan in plans]:
            action.result(60)
    pool.shutdown(30)
    assert {job.state for job in one.jobs} <= FINAL
    for job in one.jobs:
        try:
            job.result(0)
        except JobError:
            assert job.state is not JobState.SUCCEEDED
    assert one.ended == {job.id: 1 for job in one.jobs}
    numbers = pool.metrics()
    assert numbers.submissions == len(one.jobs) == numbers.succeeded + numbers.failed
    assert numbers.failed_submissions == one.refused
    assert (numbers.queued, numbers.running) == (0, 0)
    assert sorted(result.job_id for result in pool.results()) == sorted(one.ended)
