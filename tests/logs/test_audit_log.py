"""LG12: the audit trail, one structured record for each thing that was done to a plugin."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host, hookspec
from pluginkit.events import EVENT_KINDS, EventBus
from pluginkit.logs.audit import AUDITED, AuditLog
from pluginkit.logs.encoding import MAX_TEXT
from pluginkit.testing import write_plugin

GREETING = "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def tell(self): return {!r}\n"


class Teller:
    @hookspec
    def tell(self) -> str:
        """What it says."""
        raise NotImplementedError


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "logs" / "audit.log")


def test_lg12_load_reload_failure_change_of_settings_and_unload_are_one_record_each(
    tmp_path: Path, log: AuditLog
) -> None:
    plugins = tmp_path / "plugins"
    write_plugin(plugins, "cat", GREETING.format("one"), type="teller", entrypoint="cat:Cat")
    (tmp_path / "plugin_configs").mkdir()
    (tmp_path / "config.yaml").write_text("{}", "utf-8")
    host = Host(tmp_path / "config.yaml", contracts={"teller": Teller}, entry_point_group=None)
    log.attach(host.events)
    with host:
        (plugins / "cat" / "cat.py").write_text(GREETING.format("two"), "utf-8")
        assert host.reload("cat").ok
        (plugins / "cat" / "cat.py").write_text("1/0", "utf-8")
        assert not host.reload("cat").ok
        (tmp_path / "plugin_configs" / "cat.config.yaml").write_text("{name: cat, settings: {a: 1}}", "utf-8")
        host.reconfigure("cat")
        (plugins / "cat" / "cat.py").write_text(GREETING.format("two"), "utf-8")
        host.disable("cat")
        host.enable("cat")
    log.close()
    found = records(log.path)
    kinds = [record["kind"] for record in found if record["plugin"] == "cat"]
    assert [kind for kind in kinds if kind not in {"enabled", "disabled"}] == [
        "loaded", "reloaded", "reload_failed", "reconfigured", "unloaded", "loaded", "unloaded",
    ]  # fmt: skip
    assert {"enabled", "disabled"} <= set(kinds)
    reloaded = next(record for record in found if record["kind"] == "reloaded")
    assert reloaded["generation"] > found[0]["generation"]
    assert reloaded["version"] == "1.0.0"
    failed = next(record for record in found if record["kind"] == "reload_failed")
    assert failed["@level"] == "error"
    assert "ZeroDivisionError" in failed["reason"]
    assert failed["generation"] == reloaded["generation"]
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))


def test_lg12_each_kind_that_changes_what_runs_or_what_it_may_is_recorded(log: AuditLog) -> None:
    bus = EventBus()
    log.attach(bus)
    for kind in sorted(EVENT_KINDS):
        bus.publish(kind, "cat")
    log.close()
    bus.publish("loaded", "cat")
    assert [record["kind"] for record in records(log.path)] == sorted(AUDITED)
    assert {"loaded", "unloaded", "reloaded", "reconfigured", "crashed", "failed"} <= AUDITED


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError


def test_lg12_whatever_a_record_holds_it_is_one_line_of_json(log: AuditLog) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    log.record(
        "odd",
        "cat\nX",
        text="a\nb\u2028\ud800",
        long="x" * 100_000,
        cycle=cycle,
        hostile=Hostile(),
        number=float("nan"),
        path=Path("a"),
        some={"b"},
        kind="forged",
        seq=-1,
    )
    log.close()
    (record,) = records(log.path)
    assert (record["kind"], record["seq"], record["plugin"]) == ("odd", 1, "cat\nX")
    assert record["text"] == "a\nb\u2028\ud800"
    assert (record["_kind"], record["_seq"]) == ("forged", -1)
    assert MAX_TEXT < len(record["long"]) < MAX_TEXT + 100
    assert record["hostile"].startswith("<tests.logs.test_audit_log.Hostile object")
    assert (record["number"], record["path"], record["some"]) == ("nan", "a", ["b"])
    assert log.path.read_bytes().count(b"\n") == 1


def test_lg12_threads_tear_no_line_and_skip_no_number(log: AuditLog) -> None:
    def write(name: str) -> None:
        for number in range(200):
            log.record("counted", name, number=number, filler="x" * 500)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = records(log.path)
    assert [record["seq"] for record in found] == list(range(1, 801))
    for name in "abcd":
        assert [record["number"] for record in found if record["plugin"] == name] == list(range(200))


def test_lg12_a_trail_that_cannot_be_written_is_told_and_nothing_is_raised(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "audit.log").symlink_to("/dev/full")
    log = AuditLog(tmp_path / "audit.log")
    log.record("loaded", "cat")
    assert "audit" in log.last_error or "space" in log.last_error
    assert "No space left" in capfd.readouterr().err
    log.close()
    log.close()
    log.record("loaded", "cat")


def test_lg12_a_kill_9_loses_no_record(tmp_path: Path, child_env: dict[str, str]) -> None:
    program = (
        "import sys\nfrom pluginkit.logs.audit import AuditLog\nlog = AuditLog('audit.log')\n"
        "for n in range(10**9):\n    log.record('counted', 'cat', n=n)\n    sys.stdout.write(f'{n}\\n'); sys.stdout.flush()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, env=child_env
    )
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(300)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().split(b"\n")[:-1]]
    child.stdout.close()
    child.wait(20)
    assert [record["n"] for record in records(tmp_path / "audit.log")][: len(acknowledged)] == acknowledged


def test_lg12_a_fork_while_another_thread_writes_can_write_too(
    log: AuditLog, child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    program = (
        "import os, sys, threading\nfrom pluginkit.logs.audit import AuditLog\n"
        f"log = AuditLog({str(log.path)!r})\n"
        "holds, go = threading.Event(), threading.Event()\n"
        "def hold():\n    with log._lock:\n        holds.set(); go.wait(20)\n"
        "threading.Thread(target=hold).start()\nholds.wait(20)\npid = os.fork()\n"
        "if pid == 0:\n    log.record('forked', 'cat')\n    os._exit(0)\n"
        "print(os.waitpid(pid, 0)[1])\ngo.set()\n"
    )
    assert child(program).stdout == "0\n"
    assert [record["kind"] for record in records(log.path)] == ["forked"]
