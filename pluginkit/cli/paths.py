"""Paths as the user would type them."""

from __future__ import annotations

import os

from pluginkit.printable import one_line


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path relative to the current directory if it lies in it, else as it is; on one line."""
    text = os.fspath(path)
    try:
        relative = os.path.relpath(text)
    except (ValueError, OSError):  # another drive; a current directory that is gone
        return one_line(text)
    return one_line(text if relative.startswith("..") else relative)
