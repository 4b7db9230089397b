"""Both type checkers refuse exactly the lines that say `# error`, and accept all others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)

needs_checkers = pytest.mark.skipif(
    find_spec("mypy") is None or find_spec("pyright") is None,
    reason="mypy and pyright are in the environment for linting only",
)


def expected() -> set[tuple[str, int]]:
    return {
        (path.name, number)
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "# error: " in line
    }


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@needs_checkers
def test_lh19_mypy_strict_refuses_the_wrong_lines(tmp_path: Path) -> None:
    output = run("-m", "mypy", "--strict", "--cache-dir", str(tmp_path), *map(str, FILES))
    found = {
        (Path(match[1]).name, int(match[2]))
        for line in output.splitlines()
        if (match := re.match(r"(.+?):(\d+): error:", line))
    }
    assert found == expected()


@needs_checkers
def test_lh19_pyright_refuses_the_wrong_lines() -> None:
    report = json.loads(run("-m", "pyright", "--outputjson", *map(str, FILES)))
    found = {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
        for one in report["generalDiagnostics"]
        if one["severity"] == "error"
    }
    assert found == expected()


def test_lh19_there_are_lines_to_refuse() -> None:
    assert {path.name for path in FILES} == {"calls.py", "implementations.py"}
    assert len(expected()) > 20
