"""CL03, LG: `run` writes a log and an audit trail; `logs`, `audit` and `log-level` show and steer it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TALKATIVE = """
import logging
from loguru import logger
logging.getLogger("cat.log").warning("by logging")
logging.getLogger("cat.log").debug("by debug")
logger.info("by loguru")
print("by print")
"""


@pytest.fixture
def talkative(sample_project: Path) -> Path:
    with open(sample_project / "plugins/cat/cat.py", "a", encoding="utf-8") as file:
        file.write(TALKATIVE)
    return sample_project


def _config(project: Path, old: str, new: str) -> None:
    path = project / "config.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def _messages(output: str) -> dict[str, dict[str, Any]]:
    return {record["@message"]: record for record in map(json.loads, output.splitlines())}


@pytest.mark.usefixtures("talkative")
def test_lg10_a_run_logs_what_plugins_say_and_logs_shows_it(user: Callable[..., Any]) -> None:
    user("run", "--once")
    found = _messages(user("logs", "--json", "--plugin", "cat").stdout)
    assert {"by logging", "by loguru", "by print"} <= set(found)
    assert found["by print"]["plugin_version"] == "1.0.0"
    shown = user("logs", "--level", "warn", "-n", "1").stdout
    assert "warn  cat: by logging" in shown
    assert len(shown.splitlines()) == 1
    assert user("logs", "--since", "2020-01-01", "--plugin", "dog", "--json").stdout == ""
    assert "neither" in user("logs", "--since", "soon", status=2).stderr


def test_lg12_a_run_leaves_an_audit_trail_and_audit_shows_it(
    talkative: Path, user: Callable[..., Any]
) -> None:
    user("run", "--once")
    found = [json.loads(line) for line in user("audit", "--json").stdout.splitlines()]
    kinds = [record["kind"] for record in found]
    assert (kinds[0], kinds[-1]) == ("host_started", "host_stopped")
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    shown = user("audit", "--kind", "loaded", "--plugin", "cat").stdout
    assert len(shown.splitlines()) == 1
    assert "version=1.0.0" in shown


@pytest.mark.usefixtures("talkative")
def test_mq01_with_the_queue_on_records_pass_through_its_file_and_are_all_written(
    talkative: Path, user: Callable[..., Any]
) -> None:
    _config(talkative, "log_enable_persistent_queue: false", "log_enable_persistent_queue: true")
    user("run", "--once")
    found = _messages(user("logs", "--json", "--plugin", "cat").stdout)
    assert found["by loguru"]["record_id"]
    assert (talkative / "logs" / "logs.db").exists()


def test_mq06_a_queue_that_cannot_be_used_is_one_warning_and_the_file_is_written_without_it(
    talkative: Path, user: Callable[..., Any]
) -> None:
    _config(talkative, "log_enable_persistent_queue: false", "log_enable_persistent_queue: true")
    (talkative / "logs" / "logs.db").mkdir(parents=True)
    stderr = user("run", "--once").stderr
    assert stderr.count("the log queue cannot be used, records are logged without it") == 1
    assert "by loguru" in _messages(user("logs", "--json").stdout)


def test_mq06_a_corrupt_queue_is_set_aside_and_told(talkative: Path, user: Callable[..., Any]) -> None:
    _config(talkative, "log_enable_persistent_queue: false", "log_enable_persistent_queue: true")
    (talkative / "logs").mkdir(exist_ok=True)
    (talkative / "logs" / "logs.db").write_bytes(os.urandom(8192))
    stderr = user("run", "--once").stderr
    assert "the log queue" in stderr
    assert "by loguru" in _messages(user("logs", "--json").stdout)
    assert any("corrupt" in name for name in os.listdir(talkative / "logs"))


def test_lg08_a_directory_that_cannot_be_made_is_one_warning_and_the_host_runs_on(
    talkative: Path, user: Callable[..., Any]
) -> None:
    (talkative / "logs").write_text("a file")
    done = user("run", "--once")
    assert done.stderr.count("no log is written: logs: ") == 1
    assert "cat: MEOW!" in done.stdout


def test_a_run_without_a_configuration_leaves_no_files_behind(
    project: Path, user: Callable[..., Any]
) -> None:
    config = project / "config.yaml"
    if config.exists():
        config.unlink()
    user("run", "--once")
    assert not (project / "logs").exists()
    assert "there is no such log" in user("logs", status=1).stderr


def test_cl03_serving_says_on_one_line_where_it_writes_and_levels_change_while_it_runs(
    talkative: Path, process: Callable[..., subprocess.Popen[bytes]], user: Callable[..., Any]
) -> None:
    _config(talkative, "log_enable_persistent_queue: false", "log_enable_persistent_queue: true")
    serving = process("run", "--serve", stderr=subprocess.PIPE)
    assert serving.stderr is not None
    lines = []
    for raw in serving.stderr:
        lines.append(raw.decode())
        if "Serving" in lines[-1]:
            break
    text = "".join(lines)
    assert (
        "Log: logs/app.log, from level info on.\nQueue: logs/logs.db, before the log file.\n"
        "Audit trail: logs/audit.log.\nPool: " in text
    )
    assert user("log-level").stdout.split() == ["all", "info"]
    assert "the level is missing" in user("log-level", "cat", status=2).stderr
    assert json.loads(user("log-level", "cat", "debug", "--json").stdout)["levels"] == {
        "": "info",
        "cat": "debug",
    }
    user("reload", "cat", "--force")
    assert user("log-level", "cat", "default").stdout.split() == ["all", "info"]
    serving.send_signal(signal.SIGINT)
    serving.communicate(timeout=30)
    assert serving.returncode == 0
    found = _messages(user("logs", "--json", "--plugin", "cat").stdout)
    assert found["by debug"]["generation"] > found["by loguru"]["generation"] - 1
    assert user("audit", "--kind", "reloaded").stdout.count("cat") == 1


def test_log_level_of_a_host_without_a_chain_says_how_to_have_one() -> None:
    from pluginkit import Host
    from pluginkit.control.requests import answer
    from pluginkit.errors import UnknownName
    from pluginkit.logs import LogChain

    with Host(entry_point_group=None) as host:
        assert answer(host, "log_level", {}) == {"levels": None}
        with LogChain("zoo") as chain:
            host.attach_logs(chain)
            with pytest.raises(UnknownName, match="no log level named 'loud'"):
                answer(host, "log_level", {"name": "cat", "level": "loud"})
