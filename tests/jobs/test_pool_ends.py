"""Results, orderly ends and numbers (WP11 to WP17)."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pluginkit.errors import StateError
from pluginkit.jobs import Job, JobCancelled, JobContext, JobError, JobState, Pool, PoolClosed
from tests.jobs.conftest import Held, MakePool, until

End = Callable[[Pool], Any]
ENDS: dict[str, End] = {
    "stop": lambda pool: pool.stop(20),
    "shutdown": lambda pool: pool.shutdown(20),
    "terminate": lambda pool: pool.terminate("over"),
}


# WP11


def test_wp11_results_come_while_the_pool_runs_in_the_order_of_their_ends(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(1)
    results = pool.results()
    pool.submit(int, "1")
    first = next(results)
    assert (first.value, first.ok, first.error, first.state) == (1, True, None, JobState.SUCCEEDED)
    pool.submit(held, 2)
    failing = pool.submit(lambda: 1 // 0)
    held.go.set()
    assert next(results).value == 2
    second = next(results)
    assert (second.job_id, second.ok, second.value) == (failing.id, False, None)
    assert isinstance(second.error, JobError)
    assert second.worker_id == f"{pool.name}-1"
    assert second.metrics.attempts == 1
    assert second.metrics.duration is not None
    cancelled = Job(int)
    cancelled.cancel()
    pool.submit(cancelled)
    pool.shutdown()
    assert [one.state for one in results] == [JobState.CANCELLED]


def test_wp11_the_numbers_of_a_result_do_not_change_any_more(pool: Pool) -> None:
    job = pool.submit(int)
    result = job.outcome(20)
    assert result.metrics == job.metrics
    with pytest.raises(AttributeError):
        result.metrics.attempts = 5  # type: ignore[misc]  # the point


def test_wp11_results_can_be_kept_from_the_beginning_on(make_pool: MakePool) -> None:
    pool = make_pool(1, keep_results=True)
    for number in range(5):
        pool.submit(int, str(number))
    pool.shutdown()
    assert [result.value for result in pool.results()] == [0, 1, 2, 3, 4]


def test_wp11_or_only_the_last_ones(make_pool: MakePool) -> None:
    pool = make_pool(1, keep_results=2)
    for number in range(5):
        pool.submit(int, str(number))
    pool.shutdown()
    assert [result.value for result in pool.results()] == [3, 4]
    assert pool._stream is not None
    assert pool._stream.dropped == 3


def test_wp11_results_that_were_not_kept_are_not_passed_over_in_silence(pool: Pool) -> None:
    pool.submit(int).result(20)
    with pytest.raises(StateError, match="1 jobs have ended already, and their results were not kept"):
        pool.results()


def test_wp11_several_readers_share_the_results(make_pool: MakePool) -> None:
    pool = make_pool(4, keep_results=True)
    found: list[list[Any]] = [[], []]
    readers = [
        threading.Thread(target=lambda part=part: part.extend(one.value for one in pool.results()))
        for part in found
    ]
    for reader in readers:
        reader.start()
    for number in range(200):
        pool.submit(int, str(number))
    pool.shutdown()
    for reader in readers:
        reader.join(20)
    assert sorted([*found[0], *found[1]]) == list(range(200))


# WP12 to WP15


def test_wp12_stop_takes_no_more_and_waits_and_results_stay_readable(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, keep_results=True)
    jobs = [pool.submit(held, number) for number in range(3)]
    held.wait_begun()
    stopper = threading.Thread(target=pool.stop)
    stopper.start()
    until(lambda: pool.is_closed)
    with pytest.raises(PoolClosed):
        pool.submit(int)
    held.go.set()
    stopper.join(20)
    assert [job.result(0) for job in jobs] == [0, 1, 2]
    stream = pool.results()
    assert [next(stream).value for _ in range(3)] == [0, 1, 2]


def test_wp12_plugsconc_stop_with_unread_results_does_not_hang(make_pool: MakePool) -> None:
    pool = make_pool(2, keep_results=True)
    for _ in range(5000):
        pool.submit(int)
    assert pool.stop(20).ok
    assert pool.metrics().succeeded == 5000


def test_wp12_stop_waits_for_retries_that_are_to_come(make_pool: MakePool) -> None:
    pool = make_pool(2)
    runs: list[int] = []

    def fail_once() -> int:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError
        return len(runs)

    job = pool.submit(Job(fail_once).with_retry(1, 0.1))
    assert pool.stop(20).ok
    assert job.result(0) == 2


def test_wp12_what_does_not_end_in_time_is_given_up_and_named_with_its_stack(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(2, name="mine")

    def never_ends() -> None:
        held()

    stuck = pool.submit(never_ends)
    held.wait_begun()
    told = pool.submit(lambda ctx: ctx.sleep(600))
    until(told.running)
    waiting = pool.submit(int)
    report = pool.stop(0.05)
    assert not report.ok
    (one,) = report.stuck
    assert (one.job_id, one.worker_id, one.owner) == (stuck.id, "mine-1", None)
    assert "in never_ends" in one.stack
    assert report.cancelled == 1
    assert "1 waiting jobs were cancelled" in str(report)
    assert "never_ends has run for" in str(report)
    assert [stuck.state, told.state, waiting.state] == [
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.CANCELLED,
    ]
    with pytest.raises(JobError, match="was given up: it still ran when its pool was stopped"):
        stuck.result(0)
    numbers = pool.metrics()
    assert numbers.succeeded + numbers.failed == numbers.submissions == 3
    held.go.set()
    until(lambda: pool.metrics().late == 1)


def test_wp13_shutdown_ends_the_stream_of_results(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, keep_results=True)
    pool.submit(held)
    held.wait_begun()
    found: list[Any] = []
    reader = threading.Thread(target=lambda: found.extend(pool.results()))
    reader.start()
    pool.shutdown(wait=False)
    held.go.set()
    reader.join(20)
    assert len(found) == 1
    assert list(pool.results()) == []


def test_wp14_terminate_returns_at_once_and_everything_is_cancelled(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(2)
    told = pool.submit(lambda ctx: ctx.sleep(600))
    until(told.running)
    deaf = pool.submit(held, "done")
    held.wait_begun()
    waiting = [pool.submit(int) for _ in range(100)]
    began = time.monotonic()
    pool.terminate(RuntimeError("power cut"))
    assert time.monotonic() - began < 5
    for job in (told, *waiting):
        with pytest.raises(JobCancelled, match="power cut"):
            job.result(20)
    assert not deaf.done()
    held.go.set()
    assert deaf.result(20) == "done"
    assert pool.stop(20).ok


def test_wp14_plugsconc_terminate_with_running_and_queued_jobs_crashes_nothing(make_pool: MakePool) -> None:
    for _ in range(20):
        pool = make_pool(4, keep_results=True)
        jobs = [pool.submit(lambda ctx: ctx.sleep(0.001)) for _ in range(50)]
        pool.terminate()
        pool.shutdown(20)
        assert all(job.done() for job in jobs)
        assert len(list(pool.results())) == 50


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_wp15_all_ends_are_idempotent_in_any_order(make_pool: MakePool, first: str, second: str) -> None:
    pool = make_pool(2, keep_results=True)
    jobs = [pool.submit(int) for _ in range(20)]
    for name in (first, second, first, second):
        ENDS[name](pool)
    assert pool.stop(20).ok
    assert all(job.done() for job in jobs)
    numbers = pool.metrics()
    assert numbers.succeeded + numbers.failed == 20
    assert (numbers.workers, numbers.idle) == (0, 0)


@pytest.mark.parametrize("name", ENDS)
def test_wp15_an_end_may_come_from_inside_a_job(make_pool: MakePool, held: Held, name: str) -> None:
    pool = make_pool(1, keep_results=True)
    inside = pool.submit(lambda: (held(), ENDS[name](pool))[1])
    after = pool.submit(int)
    held.go.set()
    report = inside.result(20)
    assert report is None or report.is_waiting
    until(after.done)
    assert after.state is (JobState.CANCELLED if name == "terminate" else JobState.SUCCEEDED)
    assert pool.stop(20).ok


def test_wp15_ends_come_from_many_threads_at_once(make_pool: MakePool) -> None:
    pool = make_pool(4, keep_results=True)
    for _ in range(200):
        pool.submit(int)
    threads = [threading.Thread(target=ENDS[name], args=(pool,)) for name in [*ENDS, *ENDS]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    numbers = pool.metrics()
    assert numbers.succeeded + numbers.failed == 200 == len(list(pool.results()))


def test_a_with_block_waits_and_ctrl_c_in_it_does_not() -> None:
    with Pool(2) as pool:
        job = pool.submit(lambda: 5)
    assert job.result(0) == 5
    told = Job(lambda ctx: ctx.sleep(600))

    def interrupted() -> None:
        with Pool(1) as pool:
            pool.submit(told)
            until(told.running)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert told.cancelled()


EXIT = """
import sys, threading, time
from pluginkit.jobs import Pool
pool = Pool(2, name="mine")
if sys.argv[1] == "stuck":
    from pluginkit.jobs import ending
    ending.EXIT_TIMEOUT = 0.2
    pool.submit(threading.Event().wait)
else:
    pool.submit(lambda: (time.sleep(0.1), print("done", flush=True)))
"""


@pytest.mark.parametrize(("kind", "said"), [("ends", "done"), ("stuck", "mine-1")])
def test_wp12_the_interpreter_ends_though_a_job_never_does_and_waits_for_those_that_do(
    kind: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXIT, kind], capture_output=True, text=True, timeout=30, check=True
    )
    assert said in done.stdout + done.stderr


def test_a_forked_child_has_no_pool_and_is_told_so() -> None:
    code = (
        "import os, sys, warnings; warnings.simplefilter('ignore')\n"
        "from pluginkit.jobs import Pool, PoolClosed\n"
        "pool = Pool(1); pool.submit(int).result()\n"
        "if os.fork() == 0:\n"
        "    try: pool.submit(int)\n"
        "    except PoolClosed: os._exit(3)\n"
        "    os._exit(4)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]), pool.submit(int, '7').result())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["3", "7"]


# WP16, WP17


def test_wp16_numbers_add_up_exactly_after_shutdown(make_pool: MakePool) -> None:
    pool = make_pool(8)

    def work(number: int) -> None:
        if number % 7 == 0:
            raise ValueError

    def submit() -> None:
        for number in range(500):
            job = pool.submit(work, number)
            if number % 11 == 0:
                job.cancel()

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    pool.shutdown()
    numbers = pool.metrics()
    assert numbers.submissions == 4000 == numbers.succeeded + numbers.failed
    assert numbers.failed >= 8 * 72 - numbers.cancelled
    assert (numbers.queued, numbers.running, numbers.workers) == (0, 0, 0)
    assert pool.metrics() == numbers


def test_wp16_metrics_is_a_snapshot_with_times(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(2)
    before = pool.metrics()
    assert (before.started, before.duration, before.submissions) == (None, None, 0)
    pool.submit(held)
    held.wait_begun()
    pool.submit(int).result(20)
    now = pool.metrics()
    assert (before.submissions, now.submissions, now.running, now.succeeded) == (0, 2, 1, 1)
    assert now.started is not None
    assert (now.stopped, now.completed) == (None, None)
    held.go.set()
    pool.shutdown()
    after = pool.metrics()
    assert after.stopped is not None
    assert after.completed is not None
    assert now.started == after.started
    assert now.started <= after.stopped <= after.completed
    assert after.duration == after.completed - after.started
    assert after.busy_seconds > 0


def test_wp17_a_jobs_times_are_monotonic_and_none_before_they_happen(make_pool: MakePool, held: Held) -> None:
    job = Job(held)
    assert job.metrics.submitted is None
    assert (job.metrics.attempts, job.metrics.duration, job.metrics.queued_for) == (0, None, None)
    pool = make_pool(1)
    before = time.monotonic()
    pool.submit(held)
    held.wait_begun()
    pool.submit(job)
    assert job.metrics.started is None
    held.go.set()
    job.result(20)
    times = job.metrics
    assert times.submitted is not None
    assert times.started is not None
    assert times.finished is not None
    assert before <= times.submitted <= times.started <= times.finished <= time.monotonic()
    assert times.queued_for == times.started - times.submitted
    assert times.duration == times.finished - times.started
    assert times.attempts == 1


def test_wp17_plugsconc_queue_wait_is_apart_from_run_time(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    pool.submit(held)
    held.wait_begun()
    waiting = pool.submit(int)
    until(lambda: time.monotonic() - waiting._submitted > 0.05)
    held.go.set()
    times = waiting.outcome(20).metrics
    assert times.queued_for is not None
    assert times.duration is not None
    assert times.queued_for > 0.05 > times.duration


@pytest.mark.soak
def test_wp02_100_000_waiting_jobs_take_less_than_40_mb(
    make_pool: MakePool, held: Held, soak_length: Callable[[int], int]
) -> None:
    import tracemalloc

    pool, count = make_pool(1), soak_length(100_000)
    pool.submit(held)
    held.wait_begun()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count):
            pool.submit(int)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 40_000_000 * count / 100_000
    held.go.set()


def test_repr_says_what_it_is(make_pool: MakePool) -> None:
    pool = make_pool(2, name="mine")
    job = pool.submit(int)
    job.result(20)
    assert repr(job) == f"<Job {job.id} ?: succeeded>"
    assert repr(pool) == "<Pool mine: 2 workers, 0 jobs waiting, open>"
    pool.stop()
    assert "closed" in repr(pool)


def test_a_context_outside_of_a_job_is_an_error() -> None:
    from pluginkit.jobs import current_job

    with pytest.raises(StateError, match="no job runs in this thread"):
        current_job()
    assert JobContext.__slots__


def test_wp12_a_pool_whose_last_jobs_time_out_while_they_wait_comes_to_its_end(make_pool: MakePool) -> None:
    pool = make_pool(2)
    runs: list[int] = []

    def fail() -> None:
        runs.append(1)
        raise ValueError

    waiting = pool.submit(Job(fail).with_retry(1, 600).with_deadline(time.monotonic() + 0.1))
    until(lambda: waiting.state is JobState.RETRYING)
    pool.submit(int).result(20)
    assert pool.stop(20).ok
    assert (waiting.state, runs) == (JobState.TIMED_OUT, [1])


def test_wp02_a_job_that_times_out_while_it_waits_makes_room(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1, buffer=1)
    pool.submit(held)
    held.wait_begun()
    pool.submit(Job(int).with_queue_timeout(0.02))
    assert pool.submit(Job(int), timeout=20).state is JobState.QUEUED
    held.go.set()


def test_wp12_a_callback_that_does_not_return_keeps_stop_from_nothing(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(1)
    never = Held()
    job = Job(held).with_timeout(0.02)
    job.add_done_callback(never)  # in the thread of the limits
    pool.submit(job)
    never.wait_begun()
    held.go.set()
    stopping = threading.Thread(target=pool.stop, args=(0.1,), daemon=True)
    stopping.start()
    stopping.join(20)
    assert not stopping.is_alive()
    never.go.set()
