"""Issue 7: kill -9 at a random moment, while a file rotates and is compressed all the time."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit.logs.parts import all_files
from pluginkit.logs.reading import last, read_bytes

CHILD = Path(__file__).with_name("killed_host.py")


def _run(directory: Path, run: str, count: int, kill_after: int | None) -> list[tuple[str, int, int]]:
    """The acknowledged records of one run, killed when so many lines have come."""
    child = subprocess.Popen(
        [sys.executable, CHILD, directory, run, str(count)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    guard = threading.Timer(150, child.kill)
    guard.start()
    lines = []
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line)
            if kill_after is not None and len(lines) == kill_after:
                child.kill()
    guard.cancel()
    assert child.returncode == (0 if kill_after is None else -9)
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(run, int(thread), int(number)) for thread, number in whole]


@pytest.mark.soak
def test_mq03_lg09_kill_9_loses_doubles_and_reorders_nothing_over_rotated_and_compressed_files(
    tmp_path: Path, soak_length: Callable[[int], int]
) -> None:
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    acknowledged: list[tuple[str, int, int]] = []
    for kill in range(soak_length(50)):
        acknowledged += _run(tmp_path, f"kill-{kill}", 1_000_000, moments.randrange(20, 1_500))
    acknowledged += _run(tmp_path, "last", 20, None)

    found = [(one["run"], one["writer"], one["number"]) for one in last(tmp_path / "app.log")]

    counts = Counter(found)
    missing = [one for one in acknowledged if one not in counts]
    assert not missing, (seed, len(missing), missing[:5])
    doubled = [one for one, times in counts.items() if times > 1]
    assert not doubled, (seed, len(doubled), doubled[:5])
    for run in {one[0] for one in found}:
        for writer in range(3):
            numbers = [number for r, w, number in found if (r, w) == (run, writer)]
            assert numbers == sorted(numbers), (seed, run, writer)
    lines = sum(read_bytes(file).count(b"\n") for file in all_files(tmp_path / "app.log"))
    assert lines == len(found), (seed, "a line that is no record")
    assert len(all_files(tmp_path / "app.log")) > 5
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
