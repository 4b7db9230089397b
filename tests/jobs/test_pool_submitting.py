"""Handing jobs in: workers, buffers, refusals, batches, ids (WP01 to WP05)."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Any

import pytest

from pluginkit.errors import StateError, UsageError
from pluginkit.jobs import Job, JobState, Pool, PoolClosed, PoolFull
from tests.jobs.conftest import Held, MakePool, until


def test_wp01_a_pool_has_at_least_one_worker() -> None:
    for wrong in (0, -1, 1.5, "4", True):
        with pytest.raises(UsageError, match=f"a pool has at least 1 worker, not {wrong!r}"):
            Pool(wrong)  # type: ignore[arg-type]  # the point


def test_wp01_workers_are_capped_by_the_cpus_on_request(make_pool: MakePool) -> None:
    cpus = os.cpu_count() or 1
    assert make_pool(cpus + 7).max_workers == cpus + 7
    assert make_pool(cpus + 7, limit_to_cpus=True).max_workers == cpus
    assert make_pool(1, limit_to_cpus=True).max_workers == 1
    assert make_pool().max_workers == min(32, cpus + 4)


def test_wp01_as_many_jobs_run_at_once_as_there_are_workers(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(3)
    jobs = [pool.submit(held, number) for number in range(5)]
    held.wait_begun(3)
    assert not held.begun.acquire(blocking=False)
    assert [pool.metrics().running, pool.metrics().queued] == [3, 2]
    held.go.set()
    assert [job.result(20) for job in jobs] == [0, 1, 2, 3, 4]


def test_wp01_an_idle_worker_is_used_before_another_is_made(make_pool: MakePool) -> None:
    pool = make_pool(8)
    for _ in range(20):
        pool.submit(int).result(20)
        until(lambda: pool.metrics().idle == pool.metrics().workers)
    assert pool.metrics().workers == 1


def test_wp02_without_a_buffer_any_number_waits(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    jobs = [pool.submit(held, number) for number in range(1000)]
    assert len(pool.queued_jobs()) >= 999
    held.go.set()
    assert sum(job.result(20) for job in jobs) == sum(range(1000))


def test_wp02_a_full_buffer_makes_submit_wait_for_room(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=2)
    first = [pool.submit(held, number) for number in range(3)]
    held.wait_begun()
    more: list[Job[Any]] = []
    thread = threading.Thread(target=lambda: more.append(pool.submit(held, 3)))
    thread.start()
    with pytest.raises(PoolFull, match="has no room: 2 jobs wait, of 2"):
        pool.submit(Job(held), timeout=0.02)
    assert more == []
    held.go.set()
    thread.join(20)
    assert [job.result(20) for job in (*first, *more)] == [0, 1, 2, 3]


def test_wp02_without_wait_it_is_refused_at_once_and_counted(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=1)
    pool.submit(held)
    held.wait_begun()
    pool.submit(held)
    job = Job(held)
    with pytest.raises(PoolFull):
        pool.submit(job, timeout=0)
    assert pool.metrics().failed_submissions == 1
    held.go.set()
    # It was not accepted, so it may come again.
    assert pool.submit(job).result(20) is None


def test_wp02_a_buffer_of_0_hands_over_directly(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=0)
    running = pool.submit(held, "first")
    held.wait_begun()
    with pytest.raises(PoolFull):
        pool.submit(Job(held), timeout=0.01)
    held.go.set()
    assert running.result(20) == "first"
    assert pool.submit(Job(held, "second"), timeout=20).result(20) == "second"


def test_wp02_a_cancelled_job_makes_room(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=1)
    pool.submit(held)
    held.wait_begun()
    waiting = pool.submit(held)
    assert waiting.cancel()
    assert pool.submit(Job(held), timeout=0).state is JobState.QUEUED


def test_wp02_a_job_does_not_wait_for_room_in_its_own_pool(make_pool: MakePool) -> None:
    pool = make_pool(1, buffer=0)
    with pytest.raises(Exception, match="raised PoolFull") as caught:
        pool.submit(lambda: pool.submit(int)).result(20)
    assert "could wait for itself" in str(caught.value.__cause__)


def test_wp02_a_job_may_submit_where_there_is_room(make_pool: MakePool) -> None:
    for options in ({}, {"buffer": 1}):
        pool = make_pool(1, **options)
        assert pool.submit(lambda pool=pool: pool.submit(int, "7")).result(20).result(20) == 7


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "2"])
def test_wp02_a_buffer_is_a_number(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"buffer must be None \(any number\), or a number of at least 0"):
        Pool(1, buffer=wrong)


@pytest.mark.parametrize("options", [{}, {"buffer": 3}])
def test_wp03_plugsconc_a_closed_pool_refuses_and_counts(
    make_pool: MakePool, options: dict[str, Any]
) -> None:
    pool = make_pool(1, name="mine", **options)
    pool.stop()
    for attempt in (lambda: pool.submit(int), lambda: pool.submit(Job(int))):
        with pytest.raises(PoolClosed, match="the pool 'mine' is closed and takes no more jobs"):
            attempt()
    assert (pool.metrics().failed_submissions, pool.metrics().submissions) == (2, 0)


class Submitters:
    """Threads that submit to a pool until it refuses."""

    def __init__(self, pool: Pool, count: int) -> None:
        self.pool = pool
        self.accepted: list[list[Job[Any]]] = [[] for _ in range(count)]
        self.refused = [0] * count
        self.threads = [threading.Thread(target=self.submit, args=(index,)) for index in range(count)]

    def have_begun(self) -> bool:
        return self.pool.metrics().succeeded > 5

    def submit(self, index: int) -> None:
        try:
            while True:
                self.accepted[index].append(self.pool.submit(int))
        except PoolClosed:
            self.refused[index] += 1


def test_wp03_a_race_of_submit_and_shutdown_loses_no_job_and_never_crashes(make_pool: MakePool) -> None:
    for _ in range(30):
        pool = make_pool(2)
        submitters = Submitters(pool, 4)
        for thread in submitters.threads:
            thread.start()
        until(submitters.have_begun)
        pool.shutdown()
        for thread in submitters.threads:
            thread.join(20)
        jobs = [job for part in submitters.accepted for job in part]
        numbers = pool.metrics()
        assert all(job.done() for job in jobs)
        assert (numbers.submissions, numbers.succeeded, numbers.failed) == (len(jobs), len(jobs), 0)
        assert numbers.failed_submissions == sum(submitters.refused) == 4


def test_wp04_a_batch_says_what_was_accepted_and_why_the_rest_was_not(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(1, buffer=1)
    pool.submit(held)
    held.wait_begun()
    jobs = [Job(held, "fits"), Job(held, "does not"), Job(held, "neither")]
    result = pool.submit_batch(jobs)
    assert (result.submitted, result.failed) == (1, 2)
    assert result.jobs == (jobs[0],)
    assert {key: type(error) for key, error in result.errors.items()} == {
        jobs[1].id: PoolFull,
        jobs[2].id: PoolFull,
    }
    held.go.set()
    assert jobs[0].result(20) == "fits"


def test_wp04_plugsconc_a_batch_with_one_refusal_does_not_crash(pool: Pool) -> None:
    again = pool.submit(int)
    again.result(20)
    result = pool.submit_batch([again, Job(int, "3"), int])
    assert [type(error) for error in result.errors.values()] == [StateError]
    assert [job.result(20) for job in result.jobs] == [3, 0]


def test_wp04_a_batch_on_a_closed_pool_is_refused_one_by_one(make_pool: MakePool) -> None:
    pool = make_pool(1)
    pool.stop()
    result = pool.submit_batch([Job(int), Job(int)])
    assert (result.submitted, result.failed) == (0, 2)


def test_wp05_ids_are_uuids_of_version_7_unique_and_in_order(pool: Pool) -> None:
    jobs = [pool.submit(int) for _ in range(2000)]
    ids = [job.id for job in jobs]
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert len(set(ids)) == 2000
    assert ids == sorted(ids)
    milliseconds = uuid.UUID(ids[0]).int >> 80
    assert abs(milliseconds / 1000 - time.time()) < 60
    assert [job.id for job in jobs] == ids


def test_wp05_an_id_that_was_asked_for_before_stays(pool: Pool) -> None:
    job = Job(int)
    before = job.id
    pool.submit(job).result(20)
    assert job.id == before != Job(int).id


def test_wp05_a_job_is_submitted_once(pool: Pool, make_pool: MakePool) -> None:
    job = pool.submit(Job(int))
    for other in (pool, make_pool(1)):
        with pytest.raises(StateError, match="was submitted already"):
            other.submit(job)
    with pytest.raises(StateError, match="say this before"):
        job.with_priority(3)


def test_what_cannot_be_called_is_refused(pool: Pool) -> None:
    with pytest.raises(UsageError, match="a job needs something to call, not 3"):
        pool.submit(3)  # type: ignore[call-overload]  # the point
    with pytest.raises(UsageError, match="a job needs something to call, not None"):
        Job(None)  # type: ignore[arg-type]  # the point
    with pytest.raises(UsageError, match=r"the arguments of a Job are given where it is made"):
        pool.submit(Job(int), 3)  # type: ignore[call-overload]  # the point
    assert pool.metrics().failed_submissions == 1


def test_wp20_higher_priorities_run_first_and_equal_ones_in_order(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    pool.submit(held)
    held.wait_begun()
    order: list[int] = []
    for number, priority in enumerate([0, -5, 5, 0, 9, 5, -5]):
        pool.submit(Job(order.append, number).with_priority(priority))
    assert [job.id for job in pool.queued_jobs()] == [job.id for job in pool.queued_jobs()]
    held.go.set()
    assert pool.wait_idle(20)
    assert order == [4, 2, 5, 0, 3, 1, 6]


def test_pause_begins_nothing_and_resume_goes_on(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(2)
    running = pool.submit(held, "old")
    held.wait_begun()
    pool.pause()
    waiting = [pool.submit(int), pool.submit(Job(int).with_priority(2))]
    held.go.set()
    assert running.result(20) == "old"
    assert not pool.wait_idle(0.05)
    assert {job.state for job in waiting} == {JobState.QUEUED}
    assert "paused" in repr(pool)
    pool.resume()
    assert [job.result(20) for job in waiting] == [0, 0]


def test_a_paused_pool_can_be_stopped(make_pool: MakePool) -> None:
    pool = make_pool(2)
    pool.pause()
    jobs = [pool.submit(int) for _ in range(10)]
    assert pool.stop(20).ok
    assert all(job.state is JobState.SUCCEEDED for job in jobs)


def test_resize_adds_workers_and_lets_surplus_ones_go(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    jobs = [pool.submit(held, number) for number in range(4)]
    held.wait_begun()
    pool.resize(4)
    held.wait_begun(3)
    pool.resize(2)
    held.go.set()
    assert [job.result(20) for job in jobs] == [0, 1, 2, 3]
    until(lambda: pool.metrics().workers == 2)
    assert pool.submit(int).result(20) == 0
    with pytest.raises(UsageError, match="at least 1 worker"):
        pool.resize(0)
    assert pool.metrics().succeeded == 5


def test_resize_lets_sleeping_workers_go(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(3)
    jobs = [pool.submit(held) for _ in range(3)]
    held.wait_begun(3)
    held.go.set()
    for job in jobs:
        job.result(20)
    until(lambda: pool.metrics().idle == 3)
    pool.resize(1)
    until(lambda: pool.metrics().workers == 1)
    assert pool.submit(int).result(20) == 0


def test_without_a_thread_a_job_is_refused_and_with_one_it_waits(
    make_pool: MakePool, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = make_pool(2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for job in (lambda: pool.submit(int), lambda: pool.submit(Job(int))):
            with pytest.raises(PoolFull, match="has no worker, and cannot start one: can't start new thread"):
                job()
    assert (pool.metrics().submissions, pool.metrics().failed_submissions) == (0, 2)
    running = pool.submit(held)
    held.wait_begun()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        waiting = pool.submit(int)
    held.go.set()
    assert (running.result(20), waiting.result(20)) == (None, 0)


def test_wp02_a_cancelled_job_with_a_priority_makes_room_too(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=2)
    pool.submit(held)
    held.wait_begun()
    ran: list[int] = []
    first, second = (pool.submit(Job(ran.append, number).with_priority(number)) for number in (1, 2))
    assert second.cancel()
    pool.submit(Job(ran.append, 3), timeout=0)
    held.go.set()
    assert pool.wait_idle(20)
    assert (first.state, ran) == (JobState.SUCCEEDED, [1, 3])


def test_wp02_a_job_that_begins_makes_room_for_who_waits(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=1)
    last = Held()
    pool.submit(held)
    held.wait_begun()
    pool.submit(last)
    got: list[Job[Any]] = []
    thread = threading.Thread(target=lambda: got.append(pool.submit(int)))
    thread.start()
    held.go.set()
    last.wait_begun()
    thread.join(20)  # though the worker has had no moment without a job
    assert len(got) == 1
    assert not last.go.is_set()
    last.go.set()


def test_wp02_a_job_that_timed_out_in_the_queue_makes_room(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=1)
    pool.submit(held)
    held.wait_begun()
    assert pool.submit(Job(int).with_queue_timeout(0.02)).exception(20) is not None
    assert pool.submit(Job(int), timeout=20).state is JobState.QUEUED


def test_a_pool_is_idle_when_the_last_waiting_job_has_timed_out(make_pool: MakePool) -> None:
    pool = make_pool(1)
    pool.submit(int).result(20)
    pool.pause()
    seen: list[bool] = []
    pool.submit(Job(int).with_queue_timeout(0.05))
    waiting = threading.Thread(target=lambda: seen.append(pool.wait_idle()), daemon=True)
    waiting.start()
    waiting.join(20)
    assert seen == [True]


def test_wp04_a_batch_with_something_that_cannot_be_called_is_refused_whole(pool: Pool) -> None:
    with pytest.raises(UsageError, match="not 5"):
        pool.submit_batch([int, 5, int])  # type: ignore[list-item]  # because that is refused
    assert (pool.metrics().submissions, pool.metrics().failed_submissions) == (0, 1)
