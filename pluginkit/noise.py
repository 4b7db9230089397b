"""Files and directories that say nothing about a plugin: what editors, installers and caches leave for a while.

Digests leave them out, and the watcher passes them by: both have to, else the swap file of an open
editor would count as a change whenever something else makes somebody look. They may lie in a
plugin's directory and are there for its code to read; only nobody looks whether they change.
"""

from __future__ import annotations

import re

SKIPPED_DIRECTORIES = frozenset({"__pycache__", ".git", ".hg", ".svn", ".tox", ".venv", ".mypy_cache"})
"""Directories in which nothing of a plugin lies."""

_NAMES = frozenset({"4913", ".DS_Store", "Thumbs.db"})  # 4913: vim tries whether it may write here
_PREFIXES = (".#", ".~", ".goutputstream-", ".nfs", ".fuse_hidden", ".tmp")
_SUFFIXES = ("~", ".swp", ".swo", ".swx", ".tmp", ".part", "___jb_tmp___", "___jb_old___")
_PATTERNS = re.compile(
    r"""
      \#.*\#                     # Emacs keeps what was not saved
    | \..+\.[A-Za-z0-9]{6}       # rsync's partial file
    | sed[A-Za-z0-9]{6}          # sed -i
    | tmp[a-z0-9_]{8}            # Python's tempfile
    | .+\.tmp[.-][A-Za-z0-9.-]+  # a temporary file with a number, before it is renamed
    """,
    re.VERBOSE,
)


def is_noise(name: str) -> bool:
    """Whether a file of this name (without its directory) is somebody's temporary file.

    >>> [is_noise(name) for name in (".cat.py.swp", "cat.py~", "sedA1b2C3", "cat.py", "data.json")]
    [True, True, True, False, False]
    """
    if name in _NAMES or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        return True
    return _PATTERNS.fullmatch(name) is not None
