"""Where an entry point's package is on disk, found by its distribution's own list of files.

Never by importing, and never by `find_spec` of a dotted name, which imports the parents.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pluginkit.discovery.editable import Base, bases
from pluginkit.discovery.files import read_regular
from pluginkit.discovery.installed import Installed
from pluginkit.discovery.modules import MODULE_SUFFIXES, Root

_NAMESPACE_MARKS = (b"extend_path", b"declare_namespace")
"""What an `__init__.py` says that only makes a namespace package, as before PEP 420."""


def locate(installed: Installed, module: str) -> Root | None:
    """The root package or module that `module` (dotted, from the top) belongs to.

    It is the outermost package that is the distribution's own: namespace packages around it
    belong to several. A module that lies directly in a namespace package is a root by itself,
    unless the distribution has that directory for itself.
    """
    parts = module.split(".")
    place = _own_place(installed, parts[0])
    if place is not None:
        return _root_at(place, 1, parts, installed)
    candidates = (_root_of(base, parts) for base in (*_beside(installed), *bases(installed)))
    return next((root for root in candidates if root is not None), None)


def listed_in(installed: Installed, root: Root, names: Sequence[str]) -> list[str] | None:
    """Which of these files beside or in the root the distribution lists; None if its list is elsewhere."""
    directory = os.path.dirname(root.path) if root.is_file else root.path
    if not installed.record or not (root.path in installed.files or installed.holds(root.path)):
        return None
    return [name for name in names if installed.lists(os.path.join(directory, name))]


def _own_place(installed: Installed, top: str) -> str | None:
    """Where the distribution's own package or module `top` is: mostly beside the metadata.

    One with compiled modules may have its packages in another directory of the path (lib64).
    """
    directories = dict.fromkeys((installed.directory, *installed.places))
    places = (os.path.join(directory, top) for directory in directories)
    return next((place for place in places if installed.holds(place)), None)


def _beside(installed: Installed) -> Iterator[Base]:
    """The directory of the metadata, for a distribution without a list of files that can be relied on."""
    if not installed.record:
        yield Base((), installed.directory)


def _root_of(base: Base, parts: Sequence[str]) -> Root | None:
    """The root of `parts` in a place that an editable installation takes modules from."""
    depth = len(base.prefix)
    if tuple(parts[:depth]) != base.prefix:
        return None
    if depth:
        return _root_at(base.path, depth, parts, None)
    return _root_at(os.path.join(base.path, parts[0]), 1, parts, None)


def _root_at(place: str, depth: int, parts: Sequence[str], owner: Installed | None) -> Root | None:
    """The root of `parts`, given that its first `depth` names lead to `place` (without a file's suffix)."""
    package, is_last = ".".join(parts[:depth]), depth == len(parts)
    if _is_package(place) and (is_last or not _is_shared(place)):
        return Root(place, package)
    file = _module_file(place)
    if file is not None:
        return _module_root(Root(file, package, is_file=True), owner)
    if not os.path.isdir(place):
        return None
    if is_last:
        return Root(place, package)
    return _root_at(os.path.join(place, parts[depth]), depth + 1, parts, owner)


def _is_package(directory: str) -> bool:
    return _module_file(os.path.join(directory, "__init__")) is not None


def _module_file(stem: str) -> str | None:
    return next((stem + suffix for suffix in MODULE_SUFFIXES if os.path.isfile(stem + suffix)), None)


def _is_shared(directory: str) -> bool:
    """Whether the package's `__init__.py` only makes it a namespace (pkgutil's or pkg_resources' way)."""
    try:
        source = read_regular(os.path.join(directory, "__init__.py"), max_bytes=64 * 1024)
    except OSError:
        # No source, or more of it than a mere namespace has.
        return False
    return any(mark in source for mark in _NAMESPACE_MARKS)


def _module_root(module: Root, owner: Installed | None) -> Root:
    """The module itself, or the namespace directory around it if nobody else has a part in that."""
    directory, outer = os.path.dirname(module.path), module.package.rpartition(".")[0]
    if not outer or _is_package(directory) or (owner is not None and not _owns(owner, directory)):
        return module
    return Root(directory, outer)


def _owns(owner: Installed, directory: str) -> bool:
    return all(
        owner.holds(os.path.join(directory, name)) or owner.lists(os.path.join(directory, name))
        for name in os.listdir(directory)
        if name != "__pycache__"
    )
