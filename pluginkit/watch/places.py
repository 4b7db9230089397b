"""Which directories have to be watched, so that nothing that makes a plugin another one goes unseen.

Directories only, never single files: an editor that saves by renaming puts another file in the
place of the one that was watched. A place that does not exist yet is watched for in the nearest
directory above it that does. Of a path with symbolic links in it, the directories that hold the
links are watched too: switching `current -> releases/2` changes no file that anybody imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.discovery import Found

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.lifecycle import Plugin

_INFO_SUFFIXES = (".dist-info", ".egg-info", ".egg-link", ".egg")


@dataclass(frozen=True, slots=True)
class Place:
    """A directory to be watched: with all below it, or only its own entries; of these names, or all (None)."""

    path: str
    recursive: bool = False
    names: frozenset[str] | None = None


class Places:
    """A set of places, each directory once, with the widest view that anybody asked for."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def tree(self, path: str) -> None:
        """Watch a directory with all below it, and the way to it."""
        self._way_to(path)
        real = os.path.realpath(path)
        if os.path.isdir(real):
            self._add(Place(real, recursive=True))

    def entries(self, path: str, *, way: bool = True) -> None:
        """Watch the entries of a directory, and the way to it."""
        if way:
            self._way_to(path)
        real = os.path.realpath(path)
        if os.path.isdir(real):
            self._add(Place(real))

    def _way_to(self, path: str) -> None:
        """The directories in which something could be put into the place of `path`, or of a link on the way."""
        for directory, name in _steps(path):
            self._add(Place(directory, names=frozenset([name])))

    def _add(self, place: Place) -> None:
        before = self._places.get(place.path)
        if before is None:
            self._places[place.path] = place
            return
        names = None if before.names is None or place.names is None else before.names | place.names
        self._places[place.path] = Place(place.path, before.recursive or place.recursive, names)


def places(
    *, plugins_dirs: Sequence[Path], configs_dir: Path | None, sites: Iterable[str], plugins: Iterable[Plugin]
) -> tuple[Place, ...]:
    """What is to be watched for these directories and plugins."""
    found = Places()
    for directory in plugins_dirs:
        found.tree(str(directory))
        for link in _links_in(str(directory)):
            found.tree(link) if os.path.isdir(link) else found.entries(
                os.path.dirname(os.path.realpath(link))
            )
    if configs_dir is not None:
        found.entries(str(configs_dir))
    for site in sites:
        found.entries(site, way=False)  # nobody puts another one there
    for plugin in plugins:
        source = plugin.source
        if isinstance(source, Found) and source.origin.kind == "distribution":
            root = str(source.root)
            found.tree(root) if os.path.isdir(root) else found.entries(os.path.dirname(root))
    return tuple(_without_inner(found))


def site_directories(path: Sequence[str] | None = None) -> tuple[str, ...]:
    """The directories of `path` (or `sys.path`) that distributions are installed in."""
    sites = []
    for entry in sys.path if path is None else path:
        directory = os.path.realpath(entry or os.curdir)
        if directory not in sites and _holds_distributions(directory):
            sites.append(directory)
    return tuple(sites)


def _holds_distributions(directory: str) -> bool:
    if os.path.basename(directory) in ("site-packages", "dist-packages"):
        return os.path.isdir(directory)
    try:
        return any(name.endswith(_INFO_SUFFIXES) for name in os.listdir(directory))
    except OSError:
        return False


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """(directory, name) of the last component of `path`, and of every symbolic link that it goes over.

    Of a path that does not exist, the first component that is missing instead of the last.
    """
    pending, seen = [os.path.abspath(path)], set[str]()
    while pending:
        current = pending.pop()
        done, missing = os.sep, False
        parts = [part for part in current.split(os.sep) if part]
        for number, part in enumerate(parts, 1):
            entry = os.path.join(done, part)
            if os.path.islink(entry) and entry not in seen:
                seen.add(entry)
                yield os.path.realpath(done), part
                target = os.path.join(os.path.realpath(done), os.readlink(entry))
                pending.append(os.path.normpath(target))
            elif not os.path.lexists(entry) or number == len(parts):
                missing = not os.path.lexists(entry)
                yield os.path.realpath(done), part
            if missing:
                break
            done = entry


def _links_in(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            yield from [entry.path for entry in entries if entry.is_symlink()]
    except OSError:
        return  # not there yet, or not readable: the catalogue says so


def _without_inner(found: Iterable[Place]) -> Iterator[Place]:
    """Leave out what lies inside of a tree that is watched anyway."""
    all_places = list(found)
    trees = [os.path.join(place.path, "") for place in all_places if place.recursive]
    for place in all_places:
        if not any(place.path.startswith(tree) for tree in trees if tree != os.path.join(place.path, "")):
            yield place
