"""Whether a plugin's code is Python at all: compiled, never run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from pluginkit.errors import Problem
from pluginkit.snapshot import Snapshot, SnapshotError, take


def source_problems(root: Path) -> list[Problem]:
    """What keeps the files below `root` (a directory, or one file) from being loaded as code."""
    try:
        snapshot = take(root)
    except SnapshotError as error:
        return [Problem(str(error))]
    return list(_problems(snapshot))


def _problems(snapshot: Snapshot) -> Iterator[Problem]:
    for name in sorted(snapshot.code):
        if not name.endswith(".py"):
            continue
        file = snapshot.directory / name
        try:
            with warnings.catch_warnings():
                # A doubtful escape sequence is its author's affair; the code compiles.
                warnings.simplefilter("ignore")
                compile(snapshot.code[name].data, str(file), "exec", dont_inherit=True)
        except SyntaxError as error:
            yield Problem(
                f"not valid Python: {error.msg}",
                found=(error.text or "").strip() or None,
                file=file,
                line=error.lineno,
                column=error.offset,
            )
        except (ValueError, RecursionError, MemoryError) as error:
            yield Problem(f"cannot be compiled: {str(error) or type(error).__name__}", file=file)
