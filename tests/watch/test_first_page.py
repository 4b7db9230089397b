"""The first page of the tutorial, step by step: edit a sample plugin, save, see the new answer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]


class Sample:
    """`pluginkit run --serve` in a copy of this repository's project, and a second terminal beside it."""

    def __init__(self, directory: Path, env: dict[str, str]) -> None:
        self.directory = directory
        self.env = env
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pluginkit", "run", "--serve"],
            cwd=directory,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def stderr(self) -> IO[str]:
        assert self.process.stderr is not None
        return self.process.stderr

    def wait_for(self, words: str) -> str:
        said = ""
        while words not in said:
            line = self.stderr.readline()
            assert line, f"{words!r} was not said, but:\n{said}"
            said += line
        return said

    def ask(self, *arguments: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "pluginkit", *arguments]
        done = subprocess.run(
            command, cwd=self.directory, env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == status, done.stderr
        return done.stdout


@pytest.fixture
def sample(tmp_path: Path, child_env: dict[str, str]) -> Iterator[Sample]:
    for name in ("plugins", "plugin_configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.yaml", tmp_path)
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    made = Sample(tmp_path, child_env)
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGINT)
        made.process.wait(30)
    made.stderr.close()


def test_qa01_the_first_page_edit_a_sample_plugin_save_see_the_new_answer(sample: Sample) -> None:
    assert "Watching the plugins (" in sample.wait_for("Serving ")
    cat = sample.directory / "plugins" / "cat" / "cat.py"
    good = cat.read_text("utf-8")
    cat.write_text(good.replace("MEOW!", "PURR!"), "utf-8")
    said = sample.wait_for(" → ")
    assert "info: plugin 'cat': cat.py modified" in said
    assert "info: cat: generation " in said
    assert sample.ask("call", "speak", "is_loud=true", "--plugin", "cat") == "cat: PURR!\n"
    cat.write_text(good + "1 / 0\n", "utf-8")
    assert "division by zero" in sample.wait_for("serves on")
    assert sample.ask("call", "speak", "is_loud=true", "--plugin", "cat") == "cat: PURR!\n"
    cat.write_text(good, "utf-8")
    sample.wait_for(" → ")
    assert sample.ask("call", "speak", "is_loud=true", "--plugin", "cat") == "cat: MEOW!\n"


def test_cl03_ctrl_c_ends_a_host_that_watches_cleanly(sample: Sample) -> None:
    sample.wait_for("Serving ")
    sample.process.send_signal(signal.SIGINT)
    assert sample.process.wait(30) == 0


def test_wr01_info_doctor_and_events_show_what_the_watcher_does(sample: Sample) -> None:
    sample.wait_for("Serving ")
    information = sample.ask("info", "cat")
    assert "watched:" in information
    assert "directories" in information
    watching = json.loads(sample.ask("info", "cat", "--json"))["watching"]
    assert (watching["is_running"], watching["trouble"]) == (True, None)
    assert os.path.realpath(sample.directory / "plugins") in watching["directories"]
    findings = json.loads(sample.ask("doctor", "--json"))["findings"]
    assert not [finding for finding in findings if finding["check"] == "watching"]
    events = subprocess.Popen(
        [sys.executable, "-m", "pluginkit", "events", "--json", "--plugin", "cat"],
        cwd=sample.directory, env=sample.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with events:
        assert events.stdout is not None
        assert events.stderr is not None
        while "Following" not in events.stderr.readline():
            pass
        data = sample.directory / "plugins" / "cat" / "note.txt"
        data.write_text("x", "utf-8")
        event = json.loads(events.stdout.readline())
        assert (event["kind"], event["plugin"]) == ("file_changed", "cat")
        assert event["data"] == {"action": "created", "file": os.path.realpath(data), "before": None}
        assert json.loads(events.stdout.readline())["kind"] == "reloaded"
        events.send_signal(signal.SIGINT)
    assert "last change:" in sample.ask("info", "cat")


def test_wr02_no_watch_switches_it_off_for_one_run(
    tmp_path: Path, child_env: dict[str, str], child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "plugins").mkdir()
    program = (
        "import threading\nfrom pluginkit.cli.session import Session\n"
        "session = Session(serves=True, watch=False)\nprint(session.host.watching())\n"
        "session = Session(serves=True, watch=True)\nprint(session.host.watching().is_running)\n"
        "session = Session()\nprint(session.host.watching())\n"
    )
    env = {"PLUGINKIT_FILE_WATCHER__FW_ENABLED": "false"}
    assert child(program, cwd=tmp_path, env=env).stdout == "None\nFalse\nNone\n"
