"""Jobs that an executor carries: the pool around it stays the same (WP21)."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from pluginkit.jobs import Job, JobCancelled, JobError, JobTimeout, NotPortable, Pool
from pluginkit.jobs.carrier import Carrier
from tests.jobs import far_away
from tests.jobs.conftest import Held, MakePool, until


def processes() -> Executor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def test_wp21_jobs_run_in_other_processes_with_results_errors_and_numbers(make_pool: MakePool) -> None:
    pool = make_pool(2, carrier=Carrier(processes))
    assert pool.submit(far_away.where).result(60) != os.getpid()
    with pytest.raises(JobError, match="raised LookupError") as caught:
        pool.submit(Job(far_away.fail).with_retry(1, 0.001)).result(60)
    assert str(caught.value.__cause__) == "over there"
    assert "in fail" in caught.value.traceback
    numbers = pool.metrics()
    assert (numbers.succeeded, numbers.failed, numbers.retried) == (1, 1, 1)


def test_wp21_a_process_that_is_killed_costs_its_job_and_no_other(make_pool: MakePool) -> None:
    pool = make_pool(1, carrier=Carrier(processes))
    with pytest.raises(JobError, match="raised BrokenProcessPool"):
        pool.submit(far_away.kill_the_process).result(60)
    assert pool.submit(far_away.where).result(60) != os.getpid()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class InThreads(Carrier):
    """An executor of threads, to which everything can be sent."""

    def __init__(self) -> None:
        super().__init__(lambda: ThreadPoolExecutor(4))

    def check(self, job: Job[object]) -> None:
        """Nothing has to be pickled."""


def test_wp21_what_cannot_cross_a_process_is_refused_at_submit(make_pool: MakePool) -> None:
    pool = make_pool(1, carrier=Carrier(processes))
    lock = threading.Lock()
    for job in (Job(lambda: 1), Job(str, lock), Job(lock.acquire)):
        with pytest.raises(NotPortable, match="cannot be sent to another process") as caught:
            pool.submit(job)
        assert 'host.submit("transform"' in str(caught.value)
    assert pool.metrics().failed_submissions == 3
    assert pool.metrics().submissions == 0


def test_wp21_an_async_function_is_awaited_over_there(make_pool: MakePool) -> None:
    assert make_pool(1, carrier=Carrier(processes)).submit(far_away.add, 2, 3).result(60) == 5


def test_wp18_a_jobs_context_does_not_leave_the_process_and_the_refusal_says_so(make_pool: MakePool) -> None:
    pool = make_pool(1, carrier=Carrier(processes))
    with pytest.raises(NotPortable, match="with_context has a parameter ctx"):
        pool.submit(far_away.with_context)
    assert pool.submit(far_away.with_context, ctx="given").result(60) == "given"


def test_wp12_a_process_whose_job_never_returns_is_ended_with_the_pool() -> None:
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    pool = Pool(1, carrier=Carrier(lambda: executor))
    pid = pool.submit(far_away.where).result(60)
    job = pool.submit(far_away.wait_for_ever)
    until(job.running)
    pool.shutdown(0.05)
    assert job.cancelled()
    until(lambda: not is_alive(pid))


def test_wp13_an_executor_that_knows_only_wait_is_shut_down(make_pool: MakePool) -> None:
    class Old(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True) -> None:  # type: ignore[override]  # as Dask's
            ended.append(wait)
            super().shutdown(wait)

    ended: list[bool] = []
    carrier = InThreads()
    carrier._make = lambda: Old(1)
    pool = make_pool(1, carrier=carrier)
    pool.submit(int).result(20)
    assert pool.shutdown(20).ok
    assert ended == [False]


def test_wp21_limits_and_cancelling_hold_for_what_runs_elsewhere(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(2, carrier=InThreads())
    slow = Held()
    with pytest.raises(JobTimeout):
        pool.submit(Job(slow).with_timeout(0.05)).result(20)
    running = pool.submit(held)
    held.wait_begun()
    assert running.cancel("enough")
    with pytest.raises(JobCancelled, match="enough"):
        running.result(20)
    slow.go.set()


def test_wp21_what_an_executor_cancels_is_cancelled(make_pool: MakePool, held: Held) -> None:
    executor = ThreadPoolExecutor(1)
    executor.submit(held)
    held.wait_begun()
    carrier = InThreads()
    carrier._make = lambda: executor
    pool = make_pool(1, carrier=carrier)
    job = pool.submit(int)
    until(job.running)
    until(executor._work_queue.qsize)
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(JobError, match="was cancelled by its executor"):
        job.result(20)
    held.go.set()
    executor.shutdown()
