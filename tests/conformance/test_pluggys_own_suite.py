"""pluggy's own test suite, from its source distribution, on `pluginkit.PluginManager`."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

# Tests that may fail, each with its reason. There is none; only tests of test_tracer and
# test_helpers, which are about pluggy's inner parts alone, could ever be listed.
EXCEPTIONS: dict[str, str] = {}

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def pluggys_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the pluggy that is installed."""
    place = tmp_path_factory.mktemp("pluggy")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", ":all:", "--dest", str(place), f"pluggy=={version('pluggy')}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, (
        f"the package index does not give pluggy's source:\n{done.stdout}{done.stderr}"
    )
    (archive,) = place.glob("pluggy-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    (source,) = (path for path in place.iterdir() if path.is_dir())
    return source


def test_lh05_pluggys_own_suite_passes(pluggys_source: Path, run_pytest: Callable[..., Any]) -> None:
    theirs = run_pytest("pluggy", "-q", "testing", cwd=pluggys_source)
    ours = run_pytest("pluginkit", "-q", "testing", cwd=pluggys_source)
    assert theirs.status == 0, theirs.output
    assert set(ours.outcomes) == set(theirs.outcomes)
    failed = {name: outcome for name, outcome in ours.outcomes.items() if outcome != "passed"}
    assert failed.keys() == EXCEPTIONS.keys(), ours.output
    assert len(ours.outcomes) > 200
    assert theirs.generated == 0
    assert ours.generated > len(ours.outcomes), "the tests did not run on generated bodies"


def test_lh05_only_inner_parts_may_be_excepted() -> None:
    assert all(
        re.match(r"testing\.test_(tracer|helpers)::", name) and why for name, why in EXCEPTIONS.items()
    )
