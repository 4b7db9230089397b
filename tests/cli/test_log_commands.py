"""`pluginkit logs` and `pluginkit audit` (LG12, CL07)."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli import options
from pluginkit.logs import AuditLog, levels

Cli = Callable[..., Any]


def line(level: str, message: str, **fields: Any) -> str:
    record = {"@timestamp": "2026-11-27T10:00:00.250+00:00", "@level": level, "@message": message, **fields}
    return json.dumps(record) + "\n"


@pytest.fixture
def logged(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    path = project / "logs" / "app.log"
    path.parent.mkdir()
    path.write_text(
        "no record\n"
        + line("debug", "began", plugin="cat", **{"@caller": "cat.py:3"})
        + line("warn", "slow", plugin="dog", job_id="j1", seconds=2.5)
        + line("error", "broke", plugin="cat", **{"@exception": "Traceback:\n  x\nValueError: y\n"}),
        "utf-8",
    )
    return path


def test_cl07_logs_are_lines_for_people_with_fields_and_tracebacks(cli: Cli, logged: Path) -> None:
    assert cli("logs").stdout == (
        "no record\n"
        "2026-11-27 10:00:00.250 debug cat: began (cat.py:3)\n"
        "2026-11-27 10:00:00.250 warn  dog: slow job_id=j1 seconds=2.5\n"
        "2026-11-27 10:00:00.250 error cat: broke\n"
        "  Traceback:\n    x\n  ValueError: y\n"
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--plugin", "cat"], ["began", "broke"]),
        (["--level", "WARN"], ["slow", "broke"]),
        (["--job", "j1"], ["slow"]),
        (["-n", "1"], ["broke"]),
        (["--since", "2026-11-27T10:00:01"], []),
        (["--since", "9999d"], ["began", "slow", "broke"]),
    ],
)
def test_cl07_logs_are_filtered_and_whole_as_json(
    cli: Cli, logged: Path, options: list[str], found: list[str]
) -> None:
    lines = cli("logs", "--json", *options).stdout.splitlines()
    assert [json.loads(one)["@message"] for one in lines] == found
    assert all(json.loads(one)["schema_version"] == 1 for one in lines)


def test_cl07_a_wrong_moment_and_a_wrong_kind_are_usage_errors_that_say_what_is_right(
    cli: Cli, logged: Path
) -> None:
    assert "how long ago" in cli("logs", "--since", "yesterday", status=2).stderr
    assert "did you mean 'reloaded'" in cli("audit", "--kind", "reload", status=2).stderr


def test_cl07_without_a_log_the_file_is_named(cli: Cli, project: Path) -> None:
    done = cli("logs", status=1)
    assert str(project / "logs" / "app.log") in done.stderr
    assert "no such audit log" in cli("audit", status=1).stderr


def test_lg12_audit_shows_what_was_done(cli: Cli, project: Path) -> None:
    log = AuditLog(project / "logs" / "audit.log")
    log.record("loaded", "cat", version="1.0.0")
    log.record("failed", "dog", reason="import failed")
    log.close()
    assert "info  cat: loaded kind=loaded seq=1 version=1.0.0" in cli("audit").stdout
    (one,) = cli("audit", "--json", "--kind", "failed").stdout.splitlines()
    assert json.loads(one)["reason"] == "import failed"
    assert cli("audit", "--plugin", "cat").stdout.count("\n") == 1


def test_cl07_following_goes_on_until_ctrl_c(
    logged: Path, process: Callable[..., subprocess.Popen[bytes]]
) -> None:
    follower = process("logs", "-f", "-n", "1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert follower.stdout is not None
    assert follower.stderr is not None
    assert b"broke" in follower.stdout.readline()
    while b"ValueError" not in follower.stdout.readline():
        pass
    with logged.open("a", encoding="utf-8") as file:
        file.write(line("info", "more"))
    assert b"more" in follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    assert follower.wait(20) == 0
    assert b"Ctrl-C ends" in follower.stderr.read()
    follower.stdout.close()
    follower.stderr.close()


def test_lg04_the_levels_that_commands_name_are_those_that_there_are() -> None:
    assert options.LEVELS == levels.LEVELS
