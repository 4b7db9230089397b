"""`pluginkit jobs` on a running host (CL02, WP16)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.contracts.samples import Animal
from pluginkit.jobs import Job
from tests.jobs.conftest import Held, until


@pytest.fixture
def host(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_env: dict[str, str]) -> Any:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    with Host.from_config(project / "config.yaml", contracts={"animal": Animal}, control=True) as one:
        yield one


def test_cl02_without_a_job_it_says_so(cli: Callable[..., Any], host: Host) -> None:
    assert cli("jobs").stdout == "No job has been submitted to this host yet.\n"
    assert json.loads(cli("jobs", "--json").stdout)["jobs"] is None


def test_cl02_jobs_shows_what_runs_waits_is_stuck_and_has_failed(cli: Callable[..., Any], host: Host) -> None:
    held = Held()
    host.pool.resize(1)
    stuck = Job(held).with_timeout(0.05)
    stuck._owner = "cat"
    host.pool.submit(stuck)
    held.wait_begun()
    until(stuck.done)
    begun = threading.Event()

    def copy(ctx: Any) -> None:
        ctx.progress(3, 10, "files")
        begun.set()
        ctx.sleep(600)

    host.pool.submit(lambda: 1 // 0).exception(20)
    running = host.pool.submit(copy)
    assert begun.wait(20)
    host.pool.submit(int)
    done = cli("jobs", status=1)
    text = done.stdout
    assert "1 of 1 workers, 1 busy; 1 jobs run, 1 wait, 1 are stuck; 0 per second" in text
    assert "4 submitted, 0 succeeded, 2 failed (of these 0 cancelled, 1 timed out), 0 tries again" in text
    assert "3/10 files" in text
    assert "stuck" in text
    assert "cat" in text
    assert "conftest.py:" in text
    assert "ZeroDivisionError" in text
    assert "of plugin 'cat': Held ran longer than its timeout" in text
    found = json.loads(cli("jobs", "--json", status=1).stdout)
    assert found["per_second"] == 0
    assert [row["state"] for row in found["jobs"]["running"]] == ["running"]
    assert [row["name"] for row in found["jobs"]["queued"]] == ["int"]
    assert len(found["jobs"]["stuck"]) == 1
    running.cancel()
    held.go.set()


SLOW = """\
import sys, time
from pluginkit import hookimpl

class Cat:
    def on_load(self, ctx):
        self.ctx = ctx

    def work(self, ctx):
        ctx.progress(3, 10, "files")
        end = time.monotonic() + 20
        while b"3/10 files" not in sys.stderr.buffer.getvalue() and time.monotonic() < end:
            time.sleep(0.005)
        return "done"

    @hookimpl
    def speak(self, is_loud):
        return self.ctx.jobs.submit(self.work).result()
"""


@pytest.fixture
def slow_cat(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "plugins" / "cat" / "cat.py").write_text(SLOW, "utf-8")
    monkeypatch.setattr("pluginkit.cli.progress.INTERVAL", 0.01)


@pytest.mark.parametrize("where", ["own", "running"])
def test_wp20_call_shows_the_progress_of_jobs_on_a_terminal(
    cli: Callable[..., Any], slow_cat: None, request: pytest.FixtureRequest, where: str
) -> None:
    if where == "running":
        request.getfixturevalue("host")
    done = cli("call", "speak", "is_loud=1", terminal=True)
    assert "\r\x1b[KCat.work: 3/10 files" in done.stderr
    assert done.stderr.rstrip("\n").endswith("\r\x1b[K")
    assert "done" in done.stdout


def test_progress_that_cannot_be_looked_at_stops_nothing(
    cli: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluginkit.cli.progress.INTERVAL", 0.0)
    monkeypatch.setattr(Host, "jobs", lambda _: 1 // 0)
    assert "MEOW!" in cli("call", "speak", "is_loud=1", terminal=True).stdout
