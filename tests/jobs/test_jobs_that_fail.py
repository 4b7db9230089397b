"""Retries, cancelling, limits of time and exceptions of every kind (WP06 to WP10)."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pluginkit.errors import UsageError
from pluginkit.jobs import Job, JobCancelled, JobContext, JobError, JobState, JobTimeout, Pool, current_job
from tests.jobs.conftest import Held, MakePool, until


class Flaky:
    """Fails as often as it is told, then gives the number of the run."""

    def __init__(self, failures: int, error: BaseException | None = None) -> None:
        self.failures, self.runs = failures, 0
        self.error = error or ValueError("not yet")
        self.counts: list[int] = []
        self.times: list[float] = []

    def __call__(self) -> int:
        self.runs += 1
        self.times.append(time.monotonic())
        self.counts.append(current_job().retry_count)
        if self.runs <= self.failures:
            raise self.error
        return self.runs


def until_retrying(job: Job[Any]) -> None:
    until(lambda: job.state is JobState.RETRYING)


# WP06, WP07


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.06])
def test_wp06_at_most_one_run_more_than_retries(pool: Pool, delay: float) -> None:
    good, bad = Flaky(2), Flaky(99)
    assert pool.submit(Job(good).with_retry(2, delay)).result(20) == 3
    job = pool.submit(Job(bad).with_retry(2, delay))
    with pytest.raises(JobError, match="raised ValueError"):
        job.result(20)
    assert (bad.runs, job.attempts, job.metrics.attempts) == (3, 3, 3)
    assert pool.metrics().retried == 4


def test_wp07_plugsconc_attempts_are_runs_and_retry_count_rises(pool: Pool) -> None:
    flaky = Flaky(3)
    job = pool.submit(Job(flaky).with_retry(5))
    assert job.result(20) == 4
    assert flaky.counts == [0, 1, 2, 3]
    assert job.attempts == 4
    assert pool.submit(int).outcome(20).metrics.attempts == 1


def test_wp06_delays_grow_and_have_a_limit_and_a_jitter(pool: Pool) -> None:
    flaky = Flaky(4)
    pool.submit(Job(flaky).with_retry(4, 0.01, backoff=2, max_delay=0.03, jitter=0.1)).result(20)
    gaps = [later - earlier for earlier, later in zip(flaky.times, flaky.times[1:], strict=False)]
    assert all(gap >= wanted * 0.9 for gap, wanted in zip(gaps, (0.01, 0.02, 0.03, 0.03), strict=True))


def test_wp06_only_the_named_exceptions_are_tried_again(pool: Pool) -> None:
    flaky = Flaky(1, KeyError("other"))
    with pytest.raises(JobError, match="raised KeyError"):
        pool.submit(Job(flaky).with_retry(3, on=(ValueError, OSError))).result(20)
    assert flaky.runs == 1


def test_wp06_cancel_cuts_the_delay_short(pool: Pool) -> None:
    for delay in (0.04, 600.0):
        flaky = Flaky(99)
        job = pool.submit(Job(flaky).with_retry(1000, delay))
        until_retrying(job)
        began = time.monotonic()
        assert job.cancel("enough")
        with pytest.raises(JobCancelled, match="enough"):
            job.result(20)
        assert time.monotonic() - began < 5
        runs = flaky.runs
        assert pool.wait_idle(20)
        assert flaky.runs == runs


def test_wp06_a_long_delay_occupies_no_worker(make_pool: MakePool) -> None:
    pool = make_pool(1)
    waiting = pool.submit(Job(Flaky(99)).with_retry(1, 600.0))
    until(lambda: waiting.state is JobState.RETRYING)
    assert pool.submit(int, "5").result(20) == 5
    assert (pool.metrics().running, pool.metrics().queued) == (1, 0)
    assert not pool.wait_idle(0.01)


def test_wp17_the_duration_counts_from_the_first_run(pool: Pool) -> None:
    job = pool.submit(Job(Flaky(1)).with_retry(1, 0.06))
    times = job.outcome(20).metrics
    assert times.duration is not None
    assert times.duration >= 0.06


def test_wp06_what_one_attempt_sets_is_not_there_in_the_next(pool: Pool) -> None:
    from contextvars import ContextVar

    seen, variable = [], ContextVar("variable", default=0)

    def attempt() -> None:
        seen.append(variable.get())
        variable.set(5)
        raise ValueError

    variable.set(1)
    assert pool.submit(Job(attempt).with_retry(1)).exception(20) is not None
    assert seen == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_retries": -1}, "max_retries must be a whole number of at least 0, not -1"),
        ({"max_retries": True}, "max_retries must be"),
        ({"max_retries": 1, "delay": -0.1}, "delay must be a number of seconds of at least 0, not -0.1"),
        ({"max_retries": 1, "delay": float("nan")}, "delay must be"),
        ({"max_retries": 1, "delay": "1s"}, "delay must be"),
        ({"max_retries": 1, "backoff": 0.5}, "backoff must be at least 1"),
        ({"max_retries": 1, "jitter": 2}, "jitter must be from 0 to 1"),
        ({"max_retries": 1, "max_delay": -1}, "max_delay must be"),
    ],
)
def test_wp06_retries_that_make_no_sense_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Job(int).with_retry(**arguments)


# WP08


def test_wp08_cancelled_before_its_start_it_never_runs(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    pool.submit(held)
    held.wait_begun()
    ran: list[int] = []
    for make in (
        lambda: pool.submit(ran.append, 1),
        lambda: pool.submit(Job(ran.append, 1).with_priority(1)),
    ):
        job = make()
        assert job.cancel(RuntimeError("not needed"))
        assert not job.cancel()
        assert (job.state, job.cancelled(), job.attempts) == (JobState.CANCELLED, True, 0)
        with pytest.raises(JobCancelled, match="was cancelled: not needed") as caught:
            job.result()
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert isinstance(job.cause, RuntimeError)
        with pytest.raises(JobCancelled):
            job.exception()
    held.go.set()
    assert pool.wait_idle(20)
    assert ran == []
    assert pool.metrics().cancelled == 2


def test_wp08_cancelled_before_it_is_submitted(pool: Pool) -> None:
    ran: list[int] = []
    job = Job(ran.append, 1)
    assert job.cancel("no")
    assert not job.cancel()
    assert pool.submit(job) is job
    with pytest.raises(JobCancelled, match="append was cancelled: no"):
        job.result(20)
    pool.stop()
    assert ran == []
    assert (pool.metrics().submissions, pool.metrics().cancelled) == (1, 1)


def test_wp08_a_running_job_sees_it_and_the_error_carries_the_cause(pool: Pool) -> None:
    begun, seen = threading.Event(), []

    def work(ctx: JobContext) -> None:
        begun.set()
        try:
            ctx.sleep(600)
        finally:
            seen.append((ctx.cancelled, ctx.cause))

    job = pool.submit(work)
    assert begun.wait(20)
    assert job.cancel("the user left")
    with pytest.raises(JobCancelled, match="the user left") as caught:
        job.result(20)
    assert (caught.value.cause, caught.value.job_id) == ("the user left", job.id)
    assert seen == [(True, "the user left")]
    assert not job.cancel()


def test_wp08_what_a_cancelled_job_raises_on_its_way_out_is_the_cause_of_the_error(pool: Pool) -> None:
    begun = threading.Event()

    def work(ctx: JobContext) -> None:
        begun.set()
        ctx.wait(threading.Event(), 0.001)
        while not ctx.cancelled:
            ctx.wait(threading.Event(), 0.001)
        raise OSError("the connection is gone")

    job = pool.submit(work)
    assert begun.wait(20)
    job.cancel()
    assert isinstance(job.outcome(20).error, JobCancelled)


def test_wp08_a_result_that_came_all_the_same_counts(pool: Pool, held: Held) -> None:
    job = pool.submit(held, "done")
    held.wait_begun()
    assert job.cancel()
    held.go.set()
    assert job.result(20) == "done"


# WP09


def test_wp09_an_overrun_timeout_is_reported_as_timed_out_and_the_late_result_dropped(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(1)
    job = pool.submit(Job(held, "late").with_timeout(0.05, "too slow"))
    with pytest.raises(JobTimeout, match=r"ran longer than its timeout of 0\.05 s: too slow") as caught:
        job.result(20)
    assert (caught.value.cause, job.state) == ("too slow", JobState.TIMED_OUT)
    # Its thread is given up, and another one does the work.
    assert pool.submit(int, "4").result(20) == 4
    held.go.set()
    until(lambda: pool.metrics().late == 1)
    assert (job.state, pool.metrics().timed_out) == (JobState.TIMED_OUT, 1)


def test_wp09_plugsconc_a_job_past_its_timeout_is_no_success(pool: Pool) -> None:
    def ignores_its_context() -> str:
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            pass
        return "success"

    job = pool.submit(Job(ignores_its_context).with_timeout(0.02))
    assert isinstance(job.exception(20), JobTimeout)


def test_wp09_the_job_is_told_how_much_time_it_has_left(pool: Pool) -> None:
    def work(ctx: JobContext) -> float | None:
        left = ctx.remaining
        ctx.sleep(600)
        return left

    job = pool.submit(Job(work).with_timeout(0.05))
    with pytest.raises(JobTimeout):
        job.result(20)
    left = pool.submit(Job(lambda ctx: ctx.remaining).with_timeout(50)).result(20)
    assert 40 < left <= 50
    assert pool.submit(lambda ctx: ctx.remaining).result(20) is None


@pytest.mark.parametrize(
    "deadline",
    [
        lambda: datetime.now(UTC) + timedelta(seconds=0.05),
        lambda: datetime.now() + timedelta(seconds=0.05),  # noqa: DTZ005  # local time
        lambda: time.monotonic() + 0.05,
    ],
)
def test_wp09_a_deadline_holds_for_waiting_and_running_alike(
    make_pool: MakePool, held: Held, deadline: Any
) -> None:
    pool = make_pool(1)
    running = pool.submit(Job(held).with_deadline(deadline(), OSError("closing time")))
    held.wait_begun()
    waiting = pool.submit(Job(int).with_deadline(time.monotonic()))
    with pytest.raises(JobTimeout, match="did not end before its deadline: closing time") as caught:
        running.result(20)
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(waiting.exception(20), JobTimeout)


def test_wp09_waiting_and_running_are_limited_apart(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    # The time in the queue does not count as running.
    pool.submit(held)
    held.wait_begun()
    patient = pool.submit(Job(int, "1").with_timeout(0.05))
    impatient = pool.submit(Job(int, "2").with_queue_timeout(0.02, "busy"))
    with pytest.raises(JobTimeout, match=r"waited longer than its queue timeout of 0\.02 s: busy"):
        impatient.result(20)
    assert impatient.attempts == 0
    until(lambda: time.monotonic() - patient._submitted > 0.06)
    held.go.set()
    assert patient.result(20) == 1
    # The queue's limit does not hold for running.
    slow = pool.submit(Job(lambda ctx: ctx.sleep(0.1)).with_queue_timeout(0.05))
    assert slow.result(20) is None


def test_wp09_a_limit_ends_retries_too(pool: Pool) -> None:
    job = pool.submit(Job(Flaky(10**6)).with_retry(10**6, 0.001).with_timeout(0.1))
    assert isinstance(job.exception(20), JobTimeout)
    late = pool.submit(Job(Flaky(99)).with_retry(9, 600).with_timeout(0.1))
    assert isinstance(late.exception(20), JobTimeout)
    assert pool.wait_idle(20)


def test_wp09_limits_of_jobs_that_end_in_time_keep_nothing(pool: Pool) -> None:
    jobs = [pool.submit(Job(int).with_timeout(600).with_deadline(time.monotonic() + 600)) for _ in range(500)]
    dead = [weakref.ref(job) for job in jobs]
    for job in jobs:
        job.result(20)
    assert pool.wait_idle(20)
    del job, jobs
    gc.collect()
    assert [one for one in dead if one() is not None] == []


@pytest.mark.parametrize("name", ["with_timeout", "with_queue_timeout", "with_deadline", "with_priority"])
def test_wp09_limits_are_numbers(name: str) -> None:
    with pytest.raises(UsageError):
        getattr(Job(int), name)("soon")
    with pytest.raises(UsageError):
        getattr(Job(int), name)(True)


# WP10


class BrokenText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def recurse() -> None:
    recurse()


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BrokenText(), ValueError("é\udc80"), MemoryError()],
)
@pytest.mark.parametrize("retries", [None, 1])
def test_wp10_any_exception_is_the_jobs_error_and_costs_no_worker(
    make_pool: MakePool, error: BaseException, retries: int | None
) -> None:
    pool = make_pool(1)
    runs = []

    def fail() -> None:
        runs.append(threading.current_thread())
        raise error

    job = Job(fail) if retries is None else Job(fail).with_retry(retries)
    with pytest.raises(JobError, match=f"raised {type(error).__name__}") as caught:
        pool.submit(job).result(20)
    assert caught.value.__cause__ is error
    assert "in fail" in caught.value.traceback
    assert len(runs) == 1 + (retries or 0)
    times = job.metrics
    assert times.submitted is not None
    assert times.started is not None
    assert times.finished is not None
    assert times.submitted <= times.started <= times.finished
    assert pool.submit(threading.current_thread).result(20) is runs[0]
    assert pool.metrics().workers == 1


def test_wp10_a_recursion_without_end_is_an_error_like_any_other(make_pool: MakePool) -> None:
    pool = make_pool(1)
    with pytest.raises(JobError, match="raised RecursionError"):
        pool.submit(recurse).result(20)
    assert pool.submit(int).result(20) == 0


def test_wp10_errors_keep_no_frames_and_no_arguments(make_pool: MakePool) -> None:
    class Big:
        pass

    def fail(big: Big) -> None:
        local = Big()
        alive.append(weakref.ref(local))
        try:
            raise KeyError(1)
        except KeyError as error:
            raise ExceptionGroup("both", [error]) from error

    pool = make_pool(1)
    alive: list[weakref.ref[Any]] = []
    big = Big()
    alive.append(weakref.ref(big))
    jobs = [
        pool.submit(fail, big),
        pool.submit(lambda big: None, big),
        pool.submit(Job(fail, big).with_retry(1)),
    ]
    del big
    errors = [job.exception(20) for job in jobs]
    assert pool.wait_idle(20)
    gc.collect()
    assert [one() for one in alive] == [None] * len(alive)
    assert [error is None for error in errors] == [False, True, False]


def test_wp10_an_idle_worker_keeps_nothing_of_its_last_job(make_pool: MakePool) -> None:
    class Result:
        pass

    pool = make_pool(2)
    job = pool.submit(Result)
    dead = weakref.ref(job.result(20)), weakref.ref(job)
    assert pool.wait_idle(20)
    del job
    gc.collect()
    assert [one() for one in dead] == [None, None]


def test_wp10_a_job_that_waits_for_another_and_fails_names_both(pool: Pool) -> None:
    def inner() -> None:
        raise LookupError("deep")

    with pytest.raises(JobError, match="raised JobError") as caught:
        pool.submit(lambda: pool.submit(inner).result(20)).result(20)
    assert "LookupError: deep" in caught.value.traceback


def test_wp10_raising_an_error_twice_keeps_no_frames_of_who_asked(pool: Pool) -> None:
    job = pool.submit(lambda: 1 // 0)
    first, second = job.exception(20), job.exception(20)
    assert first is not second
    for _ in range(2):
        with pytest.raises(JobError):
            job.result()
    assert job._value.__traceback__ is None
    assert sys.exc_info() == (None, None, None)


def test_wp09_a_queue_timeout_does_not_count_while_a_job_waits_for_another_try(pool: Pool) -> None:
    job = pool.submit(Job(Flaky(1)).with_retry(1, 0.3).with_queue_timeout(0.1))
    assert job.result(20) == 2


def test_wp09_stop_sees_a_job_that_ends_by_its_limit_while_it_waits_for_another_try(pool: Pool) -> None:
    job = pool.submit(Job(Flaky(9)).with_retry(9, 600).with_timeout(0.1))
    until_retrying(job)
    stopping = threading.Thread(target=pool.stop, daemon=True)
    stopping.start()
    stopping.join(20)
    assert not stopping.is_alive()
    assert job.state is JobState.TIMED_OUT


def test_wp06_who_cancels_a_job_that_is_about_to_wait_for_another_try_leaves_nothing_behind(
    pool: Pool,
) -> None:
    held = Held()

    def fails() -> None:
        held()
        raise ValueError

    job = pool.submit(Job(fails).with_retry(9, 600).with_deadline(time.monotonic() + 900))
    held.wait_begun()
    options = job._options
    assert options is not None
    job._pool._end(job, JobState.FAILED, JobError("ended by somebody else", job_id=job.id))  # type: ignore[union-attr]  # because it was submitted
    held.go.set()
    assert pool.wait_idle(20)
    assert pool.running_jobs() == ()
    pool._try_later(job, time.monotonic() + 600)
    assert pool.running_jobs() == ()
    pool._limit(job, time.monotonic() + 600, held)
    assert not options.timers


def test_wp09_a_limit_that_never_comes_stops_no_other(pool: Pool, held: Held) -> None:
    endless = pool.submit(Job(held).with_timeout(float("inf")))
    held.wait_begun()
    with pytest.raises(JobTimeout):
        pool.submit(Job(held).with_timeout(0.02)).result(20)
    held.go.set()
    assert endless.result(20) is None


@pytest.mark.parametrize("wrong", [float("nan"), datetime.fromisoformat("0001-01-01")])
def test_wp09_a_deadline_is_a_time(wrong: Any) -> None:
    with pytest.raises(UsageError, match="is no time"):
        Job(int).with_deadline(wrong)


def test_wp06_delays_that_grow_without_end_cost_no_worker(make_pool: MakePool) -> None:
    pool = make_pool(1)
    job = pool.submit(Job(Flaky(5)).with_retry(5, 1.0, backoff=1e200, max_delay=0.001))
    assert job.result(20) == 6
    assert pool.submit(int).result(20) == 0


def test_wp06_what_is_no_exception_is_refused_for_on() -> None:
    for wrong in ([ValueError], int, "ValueError", (ValueError, 1)):
        with pytest.raises(UsageError, match="on must be an exception's class"):
            Job(int).with_retry(1, on=wrong)  # type: ignore[arg-type]  # because that is refused


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError()])
def test_wp10_what_a_callback_raises_costs_no_worker(
    make_pool: MakePool, held: Held, error: BaseException
) -> None:
    pool = make_pool(1)
    first, second = pool.submit(held), pool.submit(int)

    def fails(_: Job[Any]) -> None:
        raise error

    first.add_done_callback(fails)
    held.go.set()
    assert second.result(20) == 0


def test_wp10_a_callable_that_cannot_be_named_fails_like_any_other(make_pool: MakePool) -> None:
    class Odd:
        @property
        def func(self) -> None:
            raise RuntimeError("no func")

        def __call__(self) -> None:
            raise ValueError

    pool = make_pool(1)
    with pytest.raises(JobError, match=r"Odd raised ValueError"):
        pool.submit(Odd()).result(20)
    assert pool.submit(int).result(20) == 0


def test_wp10_a_worker_that_breaks_fails_its_job_and_is_replaced(make_pool: MakePool, held: Held) -> None:
    class Asking(type):
        def __instancecheck__(cls, _: object) -> bool:
            raise RuntimeError("do not ask")

    class Strange(Exception, metaclass=Asking):
        pass

    pool = make_pool(1)
    pool.submit(held)
    broken = pool.submit(Job(Flaky(1)).with_retry(1, on=Strange))
    after = pool.submit(int)
    held.go.set()
    with pytest.raises(JobError, match="its worker broke: RuntimeError"):
        broken.result(20)
    assert after.result(20) == 0
    assert pool.shutdown(20).ok
    numbers = pool.metrics()
    assert numbers.submissions == 3 == numbers.succeeded + numbers.failed


def test_wp03_a_job_that_has_run_is_not_refused_because_the_pool_is_closed(pool: Pool) -> None:
    job = pool.submit(Job(Flaky(1)).with_retry(1, 0.3))
    until_retrying(job)
    pool.shutdown(wait=False)
    pool._take_back(job)  # whoever submitted it comes to look only now
    assert job.result(20) == 2


def test_wp10_a_job_error_that_the_function_raises_itself_keeps_no_frames(make_pool: MakePool) -> None:
    class Big:
        pass

    alive: list[weakref.ref[Any]] = []

    def fail() -> None:
        local = Big()
        alive.append(weakref.ref(local))
        raise JobError("said by the function itself")

    pool = make_pool(1)
    job = pool.submit(fail)
    with pytest.raises(JobError, match="said by the function itself"):
        job.result(20)
    assert pool.wait_idle(20)
    gc.collect()
    assert [one() for one in alive] == [None]


def test_wp09_a_thread_that_was_given_up_is_forgotten_when_it_ends(make_pool: MakePool, held: Held) -> None:
    pool = make_pool(1)
    pool.submit(int).result(20)
    late = pool.submit(Job(held).with_timeout(0.02))
    assert isinstance(late.exception(20), JobTimeout)
    assert len(pool._tally.former) == 1
    held.go.set()
    until(lambda: not pool._tally.former)
    numbers = pool.metrics()
    assert (numbers.succeeded, numbers.timed_out, numbers.late) == (1, 1, 1)
