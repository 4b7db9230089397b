"""What a running job can ask, and jobs as futures (WP18 to WP20, LG11)."""

from __future__ import annotations

import asyncio
import concurrent.futures as cf
import contextvars
import functools
import logging
import threading
from functools import partial
from typing import Any

import pytest

from pluginkit.errors import UsageError
from pluginkit.jobs import Job, JobCancelled, JobContext, JobError, Pool, Progress, current_job, keys
from tests.jobs.conftest import Held, MakePool, until

# WP18


def test_wp18_values_are_readable_in_the_job(make_pool: MakePool) -> None:
    pool = make_pool(2, name="mine")
    runs: list[int] = []

    def look(ctx: JobContext) -> dict[str, Any]:
        runs.append(ctx.attempts)
        if len(runs) == 1:
            raise ValueError
        assert current_job().job_id == ctx.job_id
        return dict(ctx.values())

    job = pool.submit(Job(look).with_retry(2, 0.001))
    values = job.result(20)
    assert values["job_id"] == job.id
    assert values["worker_id"] == "mine-1"
    assert (values["max_retries"], values["retry_delay"], values["retry_count"]) == (2, 0.001, 1)
    assert (values["jobs_submitted"], values["worker_count"], values["pool_closed"]) == (1, 1, False)
    assert (values["successful_jobs"], values["failed_jobs"], values["failed_submissions"]) == (0, 0, 0)
    assert values["pool_started_at"] <= values["started_at"]
    assert values["submitted_at"] <= values["started_at"]
    assert values["job_metrics"].attempts == 2
    assert values["pool_metrics"].submissions == 1
    assert values["finished_at"] is None


def test_lg11_each_name_is_a_constant_and_has_a_value(pool: Pool) -> None:
    names = {value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)}
    job = pool.submit(int)
    job.result(20)
    pool.submit(lambda: 1 // 0).exception(20)
    pool.stop()
    known = set(keys.values_of(job)) | {keys.JOB_ERROR, keys.PLUGIN, keys.BATCH_ERRORS}
    assert names == known
    assert keys.values_of(job)[keys.JOB_VALUE] == 0
    assert keys.values_of(Job(int))[keys.WORKER_ID] == ""


def test_wp18_one_value_with_a_default(pool: Pool) -> None:
    def look() -> tuple[Any, Any, Any]:
        context = current_job()
        return context.value("retry_count"), context.value("finished_at", 7), context.value("nonsense", 8)

    assert pool.submit(look).result(20) == (0, 7, 8)


def test_a_parameter_ctx_that_is_given_is_the_functions_own(pool: Pool) -> None:
    assert pool.submit(lambda ctx: ctx, ctx=5).result(20) == 5

    class Callable:
        def __call__(self, ctx: JobContext) -> int:
            return ctx.retry_count

    def with_local() -> int:
        ctx = [3]
        return ctx[0]

    def decorated(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        return wrapper

    assert pool.submit(decorated(lambda: 3)).result(20) == 3
    assert pool.submit(decorated(lambda ctx: ctx.attempts)).result(20) == 1
    assert pool.submit(Callable()).result(20) == 0
    assert pool.submit(with_local).result(20) == 3
    assert pool.submit(partial(lambda a, ctx: (a, ctx.attempts), 1)).result(20) == (1, 1)


def test_contextvars_travel_from_the_submitter_to_the_job_and_not_back(pool: Pool) -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("mine")

    def work() -> str:
        before = variable.get()
        variable.set("the job's")
        return before

    assert pool.submit(work).result(20) == pool.submit(Job(work).with_retry(1)).result(20) == "mine"
    assert variable.get() == "mine"


# WP19


def test_wp19_a_logger_bound_to_job_worker_and_plugin(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make_pool(1, name="mine")

    def work(ctx: JobContext, own: str) -> None:
        ctx.log.warning("%s!", own, extra={"more": 1})

    job = Job(work, own="hello")
    job._owner = "cat"
    pool.submit(job).result(20)
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("pluginkit.plugin.cat", "hello!")
    said = vars(record)
    assert (said["job_id"], said["worker_id"], said["retry_count"]) == (job.id, "mine-1", 0)
    assert (said["plugin"], said["more"]) == ("cat", 1)
    caplog.clear()
    pool.submit(lambda: current_job().log.warning("host")).result(20)
    assert caplog.records[0].name == "pluginkit.job"
    assert not hasattr(caplog.records[0], "plugin")
    logging.getLogger("pluginkit.job").manager.loggerDict.pop("pluginkit.job", None)


def test_progress_is_seen_from_outside(pool: Pool, held: Held) -> None:
    def work(ctx: JobContext) -> None:
        ctx.progress(2, 10, "files")
        held()

    job = pool.submit(work)
    held.wait_begun()
    assert job.progress == Progress(2, 10, "files")
    assert (str(job.progress), str(Progress(3))) == ("2/10 files", "3")
    assert Job(int).progress is None
    held.go.set()


def test_wait_gives_whether_the_event_came(pool: Pool) -> None:
    event = threading.Event()
    assert pool.submit(lambda ctx: ctx.wait(event, 0.01)).result(20) is False
    event.set()
    assert pool.submit(lambda ctx: ctx.wait(event)).result(20) is True


# WP20


def test_wp20_concurrent_futures_takes_jobs_for_futures(pool: Pool, held: Held) -> None:
    jobs = [pool.submit(int, str(number)) for number in range(20)]
    bad = pool.submit(lambda: 1 // 0)
    assert isinstance(bad, cf.Future)
    assert {job.result() for job in cf.as_completed(jobs, 20)} == set(range(20))
    done, pending = cf.wait([*jobs, bad], 20)
    assert (len(done), pending) == (21, set())
    slow = pool.submit(held)
    held.wait_begun()
    done, pending = cf.wait([slow, jobs[0]], 20, cf.FIRST_COMPLETED)
    assert (done, pending) == ({jobs[0]}, {slow})
    waiter: list[Any] = []
    thread = threading.Thread(target=lambda: waiter.extend(cf.wait([slow, bad], 20, cf.FIRST_EXCEPTION).done))
    thread.start()
    thread.join(20)
    assert bad in waiter
    with pytest.raises(TimeoutError):
        list(cf.as_completed([slow], 0.01))
    held.go.set()
    assert next(cf.as_completed([slow], 20)) is slow


def test_wp20_who_waits_through_concurrent_futures_hears_of_every_end(
    make_pool: MakePool, held: Held
) -> None:
    pool = make_pool(1)
    running = pool.submit(held)
    held.wait_begun()
    failing, cancelled = pool.submit(lambda: 1 // 0), pool.submit(int)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(cf.as_completed([running, failing, cancelled], 20)))
    thread.start()
    until(lambda: cancelled._more is not None and cancelled._more.waiters)
    cancelled.cancel()
    held.go.set()
    thread.join(20)
    assert found == [cancelled, running, failing]
    assert (failing.running(), failing.cancelled(), failing.done()) == (False, False, True)


def test_wp20_a_job_can_be_awaited_and_cancelled_through_asyncio(pool: Pool, held: Held) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert await pool.submit(int, "4") == 4
        assert await asyncio.wrap_future(pool.submit(int, "5")) == 5
        assert await loop.run_in_executor(pool, int, "6") == 6  # type: ignore[arg-type]  # it asks for submit only
        with pytest.raises(JobError, match="ZeroDivisionError"):
            await pool.submit(lambda: 1 // 0)
        job = pool.submit(lambda ctx: ctx.sleep(600))
        task = asyncio.ensure_future(asyncio.wrap_future(job))
        await asyncio.to_thread(until, job.running)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(JobCancelled):
            await asyncio.to_thread(job.result, 20)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(pool.submit(held)), 0.01)

    asyncio.run(main())


def test_wp20_async_functions_run_in_a_loop_of_their_own(pool: Pool) -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    async def with_context(ctx: JobContext) -> int:
        await asyncio.sleep(0)
        return ctx.retry_count

    assert pool.submit(work, 1).result(20) == 2
    assert pool.submit(Job(work, 2).with_retry(1)).result(20) == 3
    assert pool.submit(with_context).result(20) == 0


def test_wp20_callbacks_are_called_once_and_a_failing_one_harms_nobody(
    pool: Pool, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    job = pool.submit(held, 3)
    held.wait_begun()
    called: list[Any] = []
    job.add_done_callback(lambda _: 1 // 0)
    job.add_done_callback(called.append)
    held.go.set()
    assert job.result(20) == 3
    until(lambda: called)
    job.add_done_callback(called.append)
    assert called == [job, job]
    assert "ZeroDivisionError" in caplog.text


def test_a_wait_that_takes_too_long_leaves_the_job_alone(pool: Pool, held: Held) -> None:
    job = pool.submit(held, 1)
    for wait in (job.result, job.exception, job.outcome):
        with pytest.raises(TimeoutError, match=r"has not ended within 0\.01 s"):
            wait(0.01)
    held.go.set()
    assert job.result(20) == 1
    assert job.exception() is None


def test_a_jobs_state_is_its_pools_affair() -> None:
    job = Job(int)
    for act in (
        job.set_running_or_notify_cancel,
        lambda: job.set_result(1),
        lambda: job.set_exception(ValueError()),
    ):
        with pytest.raises(UsageError):
            act()
