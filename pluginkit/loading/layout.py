"""Which modules a snapshot holds, and where: dotted names against files.

The order of precedence inside one directory is Python's own: package, extension module,
source, bytecode, namespace package.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from typing import Literal

from pluginkit.snapshot import Snapshot

Kind = Literal["source", "bytecode", "extension", "namespace"]

_RANKED_SUFFIXES: tuple[tuple[str, Kind], ...] = (
    *((suffix, "extension") for suffix in EXTENSION_SUFFIXES),
    *((suffix, "source") for suffix in SOURCE_SUFFIXES),
    *((suffix, "bytecode") for suffix in BYTECODE_SUFFIXES),
)


@dataclass(frozen=True, slots=True)
class Location:
    """Where one module's code is: `path` is relative to the snapshot's directory.

    For a namespace package `path` is that of the `__init__.py` which it does not have, so that
    the parent of the path is the package's directory for every kind.
    """

    kind: Kind
    path: str
    is_package: bool


def layout(snapshot: Snapshot) -> dict[str, Location]:
    """Map each module's dotted name relative to the root ("" is the root itself) to its place."""
    files = [*snapshot.code, *snapshot.binaries]
    if not snapshot.is_package:
        split = _split(files[0])
        return {"": Location(split[1], files[0], is_package=False)} if split is not None else {}
    found: dict[str, tuple[int, Location]] = {}
    for path in files:
        split = _split(path)
        if split is not None:
            _offer(found, path, *split)
    for path in files:
        directory = path.rpartition("/")[0]
        while directory and not _is_taken(found, directory):
            found[directory.replace("/", ".")] = (99, Location("namespace", f"{directory}/__init__.py", True))
            directory = directory.rpartition("/")[0]
    found.setdefault("", (99, Location("namespace", "__init__.py", is_package=True)))
    return {name: location for name, (_, location) in found.items()}


def _split(path: str) -> tuple[str, Kind, int] | None:
    for rank, (suffix, kind) in enumerate(_RANKED_SUFFIXES):
        if path.endswith(suffix):
            return path[: -len(suffix)], kind, rank
    return None


def _offer(found: dict[str, tuple[int, Location]], path: str, stem: str, kind: Kind, rank: int) -> None:
    directory, _, base = stem.rpartition("/")
    is_package = base == "__init__"
    steps = directory if is_package else stem
    # Checked step by step: `settings.local.py` is no `settings/local.py`.
    if steps and not all(step.isidentifier() for step in steps.split("/")):
        return
    name = steps.replace("/", ".")
    rank = rank if is_package else rank + len(_RANKED_SUFFIXES)
    if name not in found or rank < found[name][0]:
        found[name] = (rank, Location(kind, path, is_package))


def _is_taken(found: dict[str, tuple[int, Location]], directory: str) -> bool:
    is_named = all(step.isidentifier() for step in directory.split("/"))
    return not is_named or directory.replace("/", ".") in found
