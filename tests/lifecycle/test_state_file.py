"""What a host remembers between runs (LH17): small, atomic, and never in the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit.errors import Reason
from pluginkit.lifecycle.store import Memory, PastFailure, StateFile


def test_nothing_is_written_before_the_first_change(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "state").read() == Memory()
    assert not (tmp_path / "state").exists()


def test_lh17_the_choice_survives(tmp_path: Path) -> None:
    StateFile(tmp_path).set_enabled("cat", False)
    StateFile(tmp_path).set_enabled("dog", False)
    StateFile(tmp_path).set_enabled("cat", True)
    assert StateFile(tmp_path).read().disabled == {"dog"}


def test_past_failures_are_kept_beside_the_choices(tmp_path: Path) -> None:
    past = PastFailure("digest", Reason("import-failed", "text"), 12.5)
    StateFile(tmp_path).set_enabled("cat", False)
    StateFile(tmp_path).set_failures({"dog": past})
    assert StateFile(tmp_path).read() == Memory(frozenset({"cat"}), {"dog": past})


def test_unchanged_failures_do_not_touch_the_file(tmp_path: Path) -> None:
    StateFile(tmp_path).set_failures({})
    assert not (tmp_path / "state.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema_version": 2}',
        '{"schema_version": 1}',
        '{"schema_version": 1, "disabled": [], "failures": {"a": 1}}',
    ],
)
def test_a_file_that_cannot_be_understood_is_kept_aside(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.json").write_text(content)
    assert StateFile(tmp_path).read() == Memory()
    kept = list(tmp_path.glob("state.json.corrupt-*"))
    assert [path.read_text() for path in kept] == [content]
    assert "moved to" in caplog.text


def test_the_file_is_plain_json_for_people(tmp_path: Path) -> None:
    StateFile(tmp_path).set_enabled("cat", False)
    data = json.loads((tmp_path / "state.json").read_text())
    assert data == {"schema_version": 1, "disabled": ["cat"], "failures": {}}


def test_writers_in_several_processes_lose_nothing(tmp_path: Path, child_env: dict[str, str]) -> None:
    script = (
        "import sys; from pathlib import Path; from pluginkit.lifecycle.store import StateFile\n"
        "for i in range(20): StateFile(Path(sys.argv[1])).set_enabled(f'{sys.argv[2]}-{i}', False)"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], env=child_env)
        for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in children] == [0, 0, 0]
    assert len(StateFile(tmp_path).read().disabled) == 60


def test_a_kill_in_the_middle_of_writing_leaves_a_whole_file(
    tmp_path: Path, child_env: dict[str, str], soak_length: Callable[[int], int]
) -> None:
    script = (
        "import sys; from pathlib import Path; from pluginkit.lifecycle.store import StateFile\n"
        "store = StateFile(Path(sys.argv[1])); i = 0\n"
        "while True: i += 1; store.set_enabled(f'plugin-{i % 50}', i % 3 == 0); print(i, flush=True)"
    )
    for _ in range(soak_length(50)):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], env=child_env, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(5):
            assert process.stdout.readline()
        process.kill()
        process.communicate()
        json.loads((tmp_path / "state.json").read_text())
        assert not list(tmp_path.glob("*.corrupt-*"))
