"""The files of a log."""

from __future__ import annotations

from pathlib import Path


def parts(path: Path) -> list[Path]:
    """The files of a log, oldest first, the live one last."""
    older = [
        *path.parent.glob(f"{path.stem}.*{path.suffix}"),
        *path.parent.glob(f"{path.stem}.*{path.suffix}.gz"),
    ]
    return [*sorted(older, key=lambda part: part.stat().st_mtime_ns), path]
