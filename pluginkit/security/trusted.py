"""What the user of this machine has said to trust: trees of plugins, by their content.

The store lies in the user's own state directory, never in a project, so that nothing that came with
a clone can speak for itself. It holds digests: a plugin that changes has to be trusted again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pluginkit.atomic import one_writer, write_atomic
from pluginkit.errors import UsageError

SCHEMA_VERSION = 1

_WORK_TREE = (".git", ".hg", ".svn", ".jj", ".bzr", "_darcs", ".fslckout")
"""What version control leaves at the root of a work tree."""


def came_with_a_clone(directory: Path) -> bool:
    """Whether a directory lies in a work tree of version control, so that others may have written it."""
    absolute, place = directory.absolute(), directory.resolve()
    # By both ways, for a link to somewhere else may have come with the clone as well.
    parents = {absolute, *absolute.parents, place, *place.parents}
    return any((parent / mark).exists() for parent in parents for mark in _WORK_TREE)


class TrustStore:
    """The file `trusted.json`; `path` is where it lies, the user's state directory by default."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else _default_path()

    def read(self) -> Mapping[str, str]:
        """Where each trusted tree was seen, by its digest; raises `UsageError` if that cannot be read."""
        try:
            data = json.loads(self.path.read_bytes())
            if data["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema_version is {data['schema_version']!r}")
            return {str(digest): str(row["path"]) for digest, row in data["trees"].items()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"{self.path}: cannot be read ({error}); nothing is trusted: mend it or remove it"
            ) from error

    def __contains__(self, digest: str) -> bool:
        return digest in self.read()

    def add(self, trees: Iterable[tuple[str, Path]]) -> None:
        """Trust these trees, each a digest and where it lies."""
        new = {digest: str(place) for digest, place in trees}
        self._change(lambda trusted: {**trusted, **new})

    def remove(self, digests: Iterable[str]) -> None:
        """Trust these trees no longer."""
        gone = set(digests)
        self._change(
            lambda trusted: {digest: place for digest, place in trusted.items() if digest not in gone}
        )

    def _change(self, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Two commands at once: trust that one of them takes back must not come back by the other.
        with one_writer(self.path):
            rows = {digest: {"path": place} for digest, place in change(self.read()).items()}
            text = json.dumps({"schema_version": SCHEMA_VERSION, "trees": rows}, indent=2, sort_keys=True)
            write_atomic(self.path, f"{text}\n".encode(), mode=0o600)


def _default_path() -> Path:
    from platformdirs import user_state_path

    return user_state_path("pluginkit", appauthor=False) / "trusted.json"
