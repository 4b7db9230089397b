"""Paths as the user would type them."""

from __future__ import annotations

import os


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path relative to the current directory if it lies in it, else as it is."""
    text = os.fspath(path)
    try:
        relative = os.path.relpath(text)
    except (ValueError, OSError):  # another drive; a current directory that is gone
        return text
    return text if relative.startswith("..") else relative
