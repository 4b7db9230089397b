"""Tests marked `own_process` run in one process for their file, and are told here as if they had run here.

For what a process never gets rid of again: an audit hook, say, between two threads that coverage starts to
trace on Python 3.11, makes one of them fail, whichever test it belongs to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

# Where the child writes its reports; set in the child only.
REPORTS = "PLUGINKIT_TEST_REPORTS"
_TIMEOUT_SECONDS = 150.0

_Reports = Mapping[str, list[pytest.TestReport]]
_known = pytest.StashKey[dict[Path, tuple[_Reports, str]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run the tests of the item's file elsewhere, once, and tell what is known of this one."""
    if REPORTS in os.environ or item.get_closest_marker("own_process") is None:
        return None
    known = item.session.stash.setdefault(_known, {})
    if item.path not in known:
        known[item.path] = _run(item)
    reports, output = known[item.path]
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports.get(_id_elsewhere(item)) or [_missing(item, output)]:
        report.nodeid = item.nodeid
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    # As after every test: what the next one does not share with those before is torn down.
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the child: write down what the parent will tell."""
    if REPORTS in os.environ:
        with Path(os.environ[REPORTS]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(report._to_json(), default=str) + "\n")


def _run(item: pytest.Item) -> tuple[_Reports, str]:
    chosen = [_id_elsewhere(one) for one in item.session.items if one.path == item.path]
    dropped = ("COV_CORE_", "COVERAGE_", "PYTEST_XDIST_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "reports")
        path.touch()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
            cwd=item.config.rootpath,
            env=env | {REPORTS: str(path)},
            text=True,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            # What goes wrong there may send signals to its whole group.
            start_new_session=True,
            check=False,
        )
        reports: dict[str, list[pytest.TestReport]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            data: dict[str, Any] = json.loads(line)
            reports.setdefault(data["nodeid"], []).append(pytest.TestReport._from_json(data))
    return reports, done.stdout + done.stderr


def _id_elsewhere(item: pytest.Item) -> str:
    """The item's id where there is no xdist; some of its versions put the group into the id."""
    group = item.get_closest_marker("xdist_group")
    return item.nodeid if group is None else item.nodeid.removesuffix(f"@{group.args[0]}")


def _missing(item: pytest.Item, output: str) -> pytest.TestReport:
    text = f"the process of its own told nothing of this test; it said:\n{output}"
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")
