"""C extension modules: the dynamic loader knows files by path, and never unloads one.

The first image of a path is loaded in place, so that libraries beside it are found. A rebuilt
file under the same path would give the old image again; it is copied to a path named by its
content.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from pathlib import Path

_lock = threading.Lock()
_loaded: dict[str, str] = {}
"""Path → content hash of the image that this process has mapped from it."""
_copies: list[tempfile.TemporaryDirectory[str]] = []


def loadable_path(path: str) -> str:
    """The path to load the extension at `path` from, such that its present content is used."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with _lock:
        if _loaded.setdefault(path, digest) == digest:
            return path
        if not _copies:
            _copies.append(tempfile.TemporaryDirectory(prefix="pluginkit-extensions-"))
        copy = Path(_copies[0].name, digest, Path(path).name)
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(path, copy)
        return str(copy)


def images() -> int:
    """How many extension images beyond the first of each path stay mapped until the process ends."""
    return sum(1 for _ in Path(_copies[0].name).iterdir()) if _copies else 0
