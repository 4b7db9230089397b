"""The host's pool, plugins' jobs, and hook calls as jobs (WP20, LC04, LC05, LH16)."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.errors import StateError, UnknownName, UsageError
from pluginkit.jobs import Job, JobCancelled, JobError, JobState, PoolClosed, PoolFull
from tests.jobs.conftest import Held, until

PLUGIN = """
import pk_stage
from pluginkit import hookimpl
VERSION = {version}
class Cat:
    def on_load(self, ctx):
        self.ctx = ctx
    def on_stop(self):
        pk_stage.stopped.append(VERSION)
    def begin(self, *args):
        return self.ctx.jobs.submit(self.work, *args)
    def work(self, held=None):
        if held is not None:
            held()
        return VERSION
    def heed(self, ctx, begun):
        begun.set()
        ctx.sleep(600)
    @hookimpl
    def speak(self, is_loud):
        return VERSION
"""


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("pk_stage")
    module.stopped = []
    monkeypatch.setitem(sys.modules, "pk_stage", module)
    return module


@pytest.fixture
def held() -> Any:
    one = Held()
    yield one
    one.go.set()


def started(zoo: Any, **arguments: Any) -> Host:
    zoo.add("cat", PLUGIN.format(version=1))
    host: Host = zoo.started(**arguments)
    return host


def cat(host: Host) -> Any:
    return host.plugins["cat"].instance


def edit(zoo: Any, version: int) -> None:
    (zoo.plugins / "cat" / "cat.py").write_text(PLUGIN.format(version=version), "utf-8")


# The pool


def test_wp20_the_host_has_one_pool_that_is_made_when_it_is_asked_for(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    assert host.jobs() is None
    pool = host.pool
    assert pool is host.pool
    assert pool.submit(int, "4").result(20) == 4
    host.close()
    assert pool.is_closed
    with pytest.raises(PoolClosed):
        pool.submit(int)


def test_wp20_a_closed_host_makes_no_pool(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    host.close()
    with pytest.raises(StateError, match="this host is closed, and its pool with it"):
        _ = host.pool


def test_wp12_closing_the_host_waits_for_its_jobs_and_names_those_that_do_not_end(
    zoo: Any, stage: Any, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    host = started(zoo)
    job = host.pool.submit(held)
    held.wait_begun()
    host.close(timeout=0.2)
    assert job.state is JobState.FAILED
    assert "the pool of the host was closed: Held has run for" in caplog.text


# A plugin's jobs


def test_wp20_a_plugins_jobs_carry_its_name(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    job = cat(host).begin(held)
    held.wait_begun()
    overview = host.jobs()
    assert overview is not None
    assert [(row.name, row.owner) for row in overview.running] == [("Cat.work", "cat")]
    held.go.set()
    assert job.result(20) == 1
    assert job.outcome().owner == "cat"


def test_lc04_unload_cancels_a_plugins_jobs_and_waits_for_those_that_run(
    zoo: Any, stage: Any, held: Held
) -> None:
    host = started(zoo)
    host.pool.resize(1)
    begun = threading.Event()
    running = cat(host).ctx.jobs.submit(cat(host).heed, begun=begun)
    assert begun.wait(20)
    waiting = cat(host).begin()
    own = host.pool.submit(int, "7")
    jobs = cat(host).ctx.jobs
    dead = weakref.ref(cat(host))
    report = host.unload("cat")
    assert report.is_gone, report
    for job in (running, waiting):
        with pytest.raises(JobCancelled, match="plugin 'cat' is unloaded"):
            job.result(20)
    assert own.result(20) == 7
    assert stage.stopped == [1]
    with pytest.raises(StateError, match="plugin 'cat' is unloaded; it has no jobs any more"):
        jobs.submit(int)
    assert jobs.submit_batch([int]).failed == 1
    del running, waiting, job, jobs
    gc.collect()
    assert dead() is None


def test_lc05_a_job_that_does_not_end_is_named_by_the_unload(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    job = cat(host).begin(held)
    held.wait_begun()
    report = host.unload("cat", timeout=0.05)
    assert not report.is_gone
    assert [(one.kind, one.name) for one in report.running] == [("job", "Cat.work")]
    assert "in __call__" in report.running[0].where
    # Nothing is taken away under it.
    assert stage.stopped == []
    held.go.set()
    assert job.result(20) == 1
    until(lambda: stage.stopped == [1])


def test_lc05_a_reload_lets_jobs_run_to_their_end_on_their_version(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    host.pool.resize(1)
    jobs = [cat(host).begin(held), cat(host).begin()]
    held.wait_begun()
    edit(zoo, 22)
    report = host.reload("cat", timeout=0.05)
    assert report.ok, report
    assert host.hook.speak(is_loud=True) == [22]
    assert stage.stopped == []
    newer = cat(host).begin()
    held.go.set()
    assert [job.result(20) for job in (*jobs, newer)] == [1, 1, 22]
    until(lambda: stage.stopped == [1])
    assert host.unload("cat").is_gone


def test_lc05_a_reload_waits_for_jobs_that_end_in_time(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    job = cat(host).begin(held)
    held.wait_begun()
    edit(zoo, 22)
    threading.Timer(0.05, held.go.set).start()
    report = host.reload("cat", timeout=20)
    assert report.ok
    assert (job.result(0), stage.stopped, report.running) == (1, [1], ())


def test_lc05_a_job_may_reload_and_unload_its_own_plugin(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    edit(zoo, 22)
    jobs = cat(host).ctx.jobs
    report = jobs.submit(host.reload, "cat").result(20)
    assert report.ok
    until(lambda: stage.stopped == [1])
    report = cat(host).ctx.jobs.submit(host.unload, "cat").result(20)
    assert not report.is_gone
    until(lambda: stage.stopped == [1, 22])


def test_lc05_a_failed_load_leaves_no_jobs(zoo: Any, stage: Any) -> None:
    source = PLUGIN.format(version=1).replace(
        "self.ctx = ctx\n",
        "self.ctx = ctx\n        pk_stage.job = ctx.jobs.submit(ctx.stop.wait)\n        1 / 0\n",
    )
    zoo.add("cat", source)
    host = zoo.host()
    assert not host.load().ok
    until(stage.job.done)
    host.close()


def test_a_context_without_a_host_has_no_pool() -> None:
    from pluginkit.config import Settings
    from pluginkit.services import HostFunctions, PluginContext

    made = PluginContext(
        name="cat",
        version="1",
        generation=1,
        settings=Settings({}),
        hook=None,
        functions=HostFunctions({}),
        data_dir=Path("nowhere"),
    )
    with pytest.raises(UsageError, match="there is no pool behind this context"):
        _ = made.jobs
    assert made._jobs is None


def test_wp04_a_plugins_batch_with_something_that_cannot_be_called_loses_no_job(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    jobs = cat(host).ctx.jobs
    with pytest.raises(UsageError, match="a job needs something to call, not 5"):
        jobs.submit_batch([int, 5])
    assert host.pool.metrics().submissions == 0
    again = jobs.submit(int)
    again.result(20)
    result = jobs.submit_batch([again, int])
    assert (result.submitted, list(result.errors)) == (1, [again.id])
    assert result.jobs[0].result(20) == 0


# Hooks as jobs


def test_wp20_a_hook_call_is_one_job_or_one_for_each_plugin(zoo: Any) -> None:
    zoo.speaker("cat", "Meow")
    zoo.speaker("dog", "Woof")
    zoo.add(
        "bad",
        "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): 1 / 0\n",
    )
    host = zoo.started()
    outcomes = host.submit("speak", is_loud=False).result(20)
    assert [(one.plugin, one.result, one.ok) for one in outcomes] == [
        ("bad", None, False),
        ("cat", "Meow", True),
        ("dog", "Woof", True),
    ]
    jobs = host.submit_each("speak", is_loud=False)
    assert [(job.owner, job.result(20).result) for job in jobs] == [
        ("bad", None),
        ("cat", "Meow"),
        ("dog", "Woof"),
    ]
    failed = jobs[0].result()
    assert isinstance(failed.error, ZeroDivisionError)
    assert (failed.version, failed.seconds > 0) == ("1.0.0", True)
    with pytest.raises(AttributeError, match="speek"):
        host.submit("speek")

    async def main() -> Any:
        return await host.submit("speak", is_loud=True)

    assert len(asyncio.run(main())) == 3


FLAKY = """
import pk_stage
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud):
        pk_stage.tries.append(is_loud)
        if len(pk_stage.tries) < 3:
            raise ConnectionError("not yet")
        return "at last"
"""


def test_wp06_a_hook_job_is_tried_again_when_a_plugin_fails(zoo: Any, stage: Any) -> None:
    stage.tries = []
    zoo.add("cat", FLAKY)
    host = zoo.started()
    job = host.pool.submit(host.job("speak", "cat", is_loud=True).with_retry(5, on=ConnectionError))
    assert (job.result(20).result, job.attempts) == ("at last", 3)
    # What is not to be tried again is an outcome, as is the error of the last try.
    for retries in (0, 1):
        stage.tries = []
        once = host.pool.submit(host.job("speak", is_loud=True).with_retry(retries))
        (outcome,) = once.result(20)
        assert isinstance(outcome.error, ConnectionError)
        assert once.attempts == retries + 1


def test_wp20_an_async_hook_is_awaited_in_its_job(zoo: Any) -> None:
    zoo.speaker("dog", "Woof")
    zoo.add("cat", CAT_ASYNC)
    host = zoo.started()
    assert [one.result for one in host.submit("speak", is_loud=False).result(20)] == ["soon", "Woof"]
    assert host.submit("speak", "cat", is_loud=False).result(20).result == "soon"


CAT_ASYNC = """
import asyncio
from pluginkit import hookimpl
class Cat:
    @hookimpl
    async def speak(self, is_loud):
        await asyncio.sleep(0)
        return "soon"
"""


def test_wp20_a_plugin_without_the_hook_and_one_that_there_is_not_are_refused_at_once(zoo: Any) -> None:
    zoo.speaker("cat")
    zoo.add("none", "", type="pluggy")
    host = zoo.started()
    with pytest.raises(UnknownName, match="did you mean 'cat'"):
        host.submit("speak", "cats", is_loud=True)
    with pytest.raises(UsageError, match="plugin 'none' does not implement the hook 'speak'"):
        host.job("speak", "none", is_loud=True)
    assert host.submit("speak", "CAT", is_loud=True).owner == "cat"


def test_wp20_an_unloaded_plugin_answers_no_job_that_waited(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    host.pool.resize(1)
    host.pool.submit(held)
    held.wait_begun()
    all_of_them, one = host.submit("speak", is_loud=True), host.submit("speak", "cat", is_loud=True)
    host.unload("cat")
    held.go.set()
    assert all_of_them.result(20) == ()
    with pytest.raises(JobError) as caught:
        one.result(20)
    assert "does not implement the hook" in str(caught.value.__cause__)


def test_lh21_an_error_in_an_outcome_keeps_no_frame_and_tells_where_it_was(zoo: Any, stage: Any) -> None:
    zoo.add(
        "cat",
        "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): 1 / 0\n",
    )
    host = zoo.started()
    dead = weakref.ref(host.plugins["cat"].instance)
    (outcome,) = host.submit("speak", is_loud=True).result(20)
    assert outcome.error.__traceback__ is None
    assert "cat.py" in "".join(outcome.error.__notes__)
    assert host.unload("cat").is_gone
    gc.collect()
    assert dead() is None


def test_wp20_hook_jobs_have_names_for_people(zoo: Any, stage: Any, held: Held) -> None:
    host = started(zoo)
    host.pool.resize(1)
    host.pool.submit(held)
    held.wait_begun()
    host.submit("speak", is_loud=True)
    host.submit("speak", "cat", is_loud=True)
    overview = host.jobs()
    assert overview is not None
    assert [(row.name, row.owner) for row in overview.queued] == [("hook speak", None), ("hook speak", "cat")]
    held.go.set()


def test_lh16_a_hook_job_may_have_a_timeout_and_its_late_result_is_counted(zoo: Any, stage: Any) -> None:
    stage.held = Held()
    zoo.add(
        "cat",
        "import pk_stage\nfrom pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n"
        "    def speak(self, is_loud):\n        return pk_stage.held('late')\n",
    )
    host = zoo.started()
    job = host.pool.submit(host.job("speak", is_loud=True).with_timeout(0.05))
    with pytest.raises(JobError, match="hook speak ran longer than its timeout"):
        job.result(20)
    stage.held.go.set()
    until(lambda: host.pool.metrics().late == 1)


def test_wp01_the_pool_is_as_the_config_says(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "application: {app_name: zoo}\nworker_pool: {wp_max_workers: 1000, limit_to_cpus: true, buffer: 0}\n"
    )
    host = Host.from_config(file, entry_point_group=None, state_dir=tmp_path / "s")
    pool = host.pool
    assert (pool.max_workers, pool.name) == (os.cpu_count(), "zoo-jobs")
    held = Held()
    for _ in range(pool.max_workers):
        pool.submit(held)
    held.wait_begun(pool.max_workers)
    with pytest.raises(PoolFull):
        pool.submit(Job(int), timeout=0)
    held.go.set()
    host.close()
