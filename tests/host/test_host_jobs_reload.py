"""Jobs of a plugin that is reloaded meanwhile, and of a host that is closed (LC05, LC06, LC13)."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.errors import StateError
from pluginkit.jobs import JobCancelled, JobError, JobState, PoolClosed
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
    def work(self, *args):
        return VERSION
    def fan_out(self):
        pk_stage.held()
        return self.ctx.jobs.submit(self.work)
    def again(self):
        pk_stage.rounds.append(VERSION)
        pk_stage.jobs.append(self.ctx.jobs.submit(self.again))
    @hookimpl
    def speak(self, is_loud):
        if not is_loud:
            return VERSION
        pk_stage.held()
        return self.ctx.jobs.submit(self.work).result(20)
"""


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("pk_stage")
    module.stopped, module.rounds, module.jobs, module.held = [], [], [], Held()
    monkeypatch.setitem(sys.modules, "pk_stage", module)
    yield module
    module.held.go.set()


def started(zoo: Any, **arguments: Any) -> Host:
    zoo.add("cat", PLUGIN.format(version=1), **arguments)
    host: Host = zoo.started()
    return host


def reload_to(zoo: Any, host: Host, version: int, timeout: float) -> Any:
    (zoo.plugins / "cat" / "cat.py").write_text(PLUGIN.format(version=version), "utf-8")
    return host.reload("cat", timeout=timeout)


def cat(host: Host) -> Any:
    return host.plugins["cat"].instance


def test_lc06_a_call_that_began_before_a_reload_may_hand_in_jobs_after_it(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    answers: list[Any] = []
    calling = threading.Thread(target=lambda: answers.extend(host.hook.speak(is_loud=True)))
    calling.start()
    stage.held.wait_begun()
    report = reload_to(zoo, host, 22, timeout=0.05)
    assert report.ok
    assert host.hook.speak(is_loud=False) == [22]
    stage.held.go.set()
    calling.join(30)
    assert answers == [1]
    until(lambda: stage.stopped == [1])


def test_lc05_a_job_may_hand_in_others_while_the_reload_waits_for_it(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    job = cat(host).ctx.jobs.submit(cat(host).fan_out)
    stage.held.wait_begun()
    threading.Timer(0.05, stage.held.go.set).start()
    assert reload_to(zoo, host, 22, timeout=20).ok
    assert job.result(20).result(20) == 1
    assert stage.stopped == [1]


def test_lc05_a_job_that_hands_itself_in_again_ends_with_the_time_of_the_reload(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    stage.jobs.append(cat(host).ctx.jobs.submit(cat(host).again))
    until(lambda: len(stage.rounds) > 3)
    report = reload_to(zoo, host, 22, timeout=0.05)
    assert report.ok
    until(lambda: stage.stopped == [1])
    (last,) = [error for job in stage.jobs if (error := job.exception(20)) is not None]
    assert isinstance(last.__cause__, StateError)
    assert "plugin 'cat' was replaced by a newer version; it has no jobs any more" in str(last.__cause__)
    assert set(stage.rounds) == {1}


def test_lc05_jobs_that_wait_and_run_are_named_in_the_report(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    host.pool.resize(1)
    jobs = [cat(host).ctx.jobs.submit(function) for function in (cat(host).fan_out, cat(host).work)]
    stage.held.wait_begun()
    report = reload_to(zoo, host, 22, timeout=0.05)
    told = sorted((one.kind, one.name, one.where.rpartition(" ")[2]) for one in report.running)
    assert told == [("job", "Cat.fan_out", "__call__"), ("job", "Cat.work", "pool")]
    stage.held.go.set()
    assert isinstance(jobs[0].exception(20), JobError)  # what it handed in came after the reload's time
    assert jobs[1].result(20) == 1


@pytest.mark.parametrize("mode", ["gated", "stop_first"])
def test_lc11_a_plugin_that_is_replaced_as_a_whole_is_not_replaced_under_its_jobs(
    zoo: Any, stage: Any, mode: str
) -> None:
    host = started(zoo, plugin={"reload": mode})
    job = cat(host).ctx.jobs.submit(cat(host).fan_out)
    stage.held.wait_begun()
    report = reload_to(zoo, host, 22, timeout=0.05)
    assert not report.ok
    assert report.failure.reason.code == "calls-running"
    assert "jobs still run in the old version after 0.05 s" in str(report.failure.reason)
    assert host.hook.speak(is_loud=False) == [1]
    stage.held.go.set()
    assert job.result(20).result(20) == 1
    assert reload_to(zoo, host, 23, timeout=20).ok
    assert host.hook.speak(is_loud=False) == [23]
    assert stage.stopped[-1] == 1


# The end of the host


def test_lc13_the_hosts_jobs_end_before_its_plugins_and_no_more_are_taken(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    host.pool.resize(1)
    first = host.submit("speak", is_loud=True)
    hooked, plain = host.submit("speak", "cat", is_loud=False), host.pool.submit(int, "7")
    stage.held.wait_begun()
    refused: list[BaseException] = []

    def let_go() -> None:
        until(lambda: host.pool.is_closed)
        try:
            host.pool.submit(int)
        except PoolClosed as error:
            refused.append(error)
        stage.held.go.set()

    going = threading.Thread(target=let_go)
    going.start()
    host.close(timeout=20)
    going.join(30)
    # The call handed in a job while the host was closed: that is the plugin's, and too late.
    (outcome,) = first.result(0)
    assert isinstance(outcome.error, PoolClosed)
    assert (hooked.result(0).result, plain.result(0)) == (1, 7)
    assert len(refused) == 1
    assert stage.stopped == [1]


def test_lc13_a_hosts_job_that_takes_too_long_is_told_and_named(
    zoo: Any, stage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host = started(zoo)
    host.pool.resize(1)
    job, waiting = host.submit("speak", is_loud=True), host.pool.submit(int)
    stage.held.wait_begun()
    host.close(timeout=0.2)
    assert job.state is JobState.FAILED
    with pytest.raises(JobCancelled, match="the host is being closed, and its time is over"):
        waiting.result(0)
    assert "the pool of the host was closed: hook speak has run for" in caplog.text
    stage.held.go.set()
    until(lambda: host.pool.metrics().late == 1)
    until(lambda: stage.stopped == [1])


def test_lc13_a_job_may_close_its_host(zoo: Any, stage: Any) -> None:
    host = started(zoo)
    assert host.pool.submit(host.close, 20).result(20) is None
    assert stage.stopped == [1]
    assert host.pool.is_closed


SERVING = """
import sys, threading
from pluginkit import Host
host = Host(entry_point_group=None, signals=True, state_dir=sys.argv[1])
host.close.__func__.__defaults__ = (0.5,)
with host:
    host.pool.submit(threading.Event().wait)
    while not host.pool.running_jobs():
        pass
    print("running", flush=True)
    threading.Event().wait()
"""


def test_lc13_sigterm_names_a_job_that_never_returns_and_the_process_ends(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGTERM)
    _, diagnostics = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert "the pool of the host was closed: Event.wait has run for" in diagnostics


def test_lc13_a_plugins_job_is_cancelled_when_the_host_is_closed(
    zoo: Any, stage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host = started(zoo)
    begun = threading.Event()

    def heed(ctx: Any) -> None:
        begun.set()
        ctx.sleep(600)

    job = cat(host).ctx.jobs.submit(heed)
    assert begun.wait(20)
    with caplog.at_level(logging.WARNING, "pluginkit"):
        host.close(timeout=20)
    with pytest.raises(JobCancelled, match="plugin 'cat' is unloaded"):
        job.result(0)
    assert caplog.text == ""
