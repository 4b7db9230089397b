"""Programs that use pluggy, run twice: on pluggy's `PluginManager` and on ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ADAPTER = Path(__file__).parent / "adapter"


@dataclass(frozen=True)
class Run:
    """What one run of pytest gave: every test with its outcome, and all that was printed."""

    status: int
    outcomes: dict[str, str]
    output: str
    generated: int

    @property
    def summary(self) -> str:
        """The last line without its time."""
        lines = [line for line in self.output.splitlines() if re.search(r"\d+ \w+.* in [\d.]+s", line)]
        return re.sub(r" in [\d.]+s.*", "", lines[-1]).strip("= ") if lines else ""


RunPytest = Callable[..., Run]


@pytest.fixture
def run_pytest(tmp_path: Path, child_env: dict[str, str]) -> RunPytest:
    """`run_pytest("pluginkit", "-q", cwd=project)`: pytest in a child process on either manager."""

    def run(manager: str, *arguments: str, cwd: Path) -> Run:
        report = tmp_path / f"{manager}.xml"
        env = {
            **child_env,
            "PYTHONPATH": os.pathsep.join([str(ADAPTER), child_env["PYTHONPATH"]]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CONFORMANCE_MANAGER": manager,
            # Whatever else is installed must not make a difference.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert report.exists(), f"pytest did not get to its end:\n{done.stdout}\n{done.stderr}"
        counts = re.findall(r"generated functions: (\d+)", done.stderr)
        return Run(
            done.returncode, outcomes(report), done.stdout + done.stderr, max(map(int, counts), default=0)
        )

    return run


def outcomes(report: Path) -> dict[str, str]:
    """Test name to `passed`, or to how else it ended."""
    cases = ET.parse(report).getroot().iter("testcase")
    return {
        f"{case.get('classname')}::{case.get('name')}": ", ".join(
            f"{child.tag} {child.get('message', '')}"
            for child in case
            if child.tag not in ("properties", "system-out")
        )
        or "passed"
        for case in cases
    }
