"""One thing that happened to one file, and what several of them in a row amount to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from pluginkit.noise import SKIPPED_DIRECTORIES, is_noise

Action = Literal["created", "modified", "removed", "renamed", "attributes"]


@dataclass(frozen=True, slots=True)
class Change:
    """A file or directory, by its path, and what was done to it; `before` is the old path of a renamed one."""

    action: Action
    path: str
    before: str | None = None
    is_directory: bool = False

    def then(self, later: Change) -> Change:
        """This and a later change of the same path as one.

        >>> Change("removed", "cat.py").then(Change("created", "cat.py")).action
        'modified'
        """
        action = later.action
        if self.action == "removed" and later.action in ("created", "renamed"):
            action = "modified"
        elif self.action in ("created", "renamed", "modified") and later.action in ("modified", "attributes"):
            action = self.action
        elif self.action == "modified" and later.action in ("created", "renamed"):
            action = "modified"
        return Change(action, self.path, later.before or self.before, later.is_directory)

    def text(self, directory: str | None = None) -> str:
        """What is told of it, with paths relative to `directory`.

        >>> Change("renamed", "/p/cat/b.py", "/p/cat/a.py").text("/p/cat")
        'a.py renamed to b.py'
        """
        path = _relative(self.path, directory)
        if self.action == "renamed" and self.before is not None:
            return f"{_relative(self.before, directory)} renamed to {path}"
        return f"attributes of {path} changed" if self.action == "attributes" else f"{path} {self.action}"


def is_passed_by(path: str, base: str) -> bool:
    """Whether nobody needs to look because of `path`, which lies below the watched directory `base`.

    >>> is_passed_by("/plugins/cat/__pycache__/cat.cpython-311.pyc", "/plugins")
    True
    """
    parts = PurePath(path.removeprefix(base).lstrip(os.sep)).parts
    if not parts:
        return False
    return is_noise(parts[-1]) or not SKIPPED_DIRECTORIES.isdisjoint(parts)


def _relative(path: str, directory: str | None) -> str:
    if directory is None or not path.startswith(directory):
        return path
    return path.removeprefix(directory).lstrip(os.sep) or os.path.basename(path)
