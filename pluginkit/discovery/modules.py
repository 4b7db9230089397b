"""Whether an entrypoint's module exists inside a plugin, judged by file names alone.

The plugin's root may be reached through a symbolic link, but nothing inside it may be one:
a link can lead out of the plugin's directory, and loading refuses them for the same reason.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES

from pluginkit.discovery import reasons
from pluginkit.discovery.files import mode_of
from pluginkit.errors import Reason

MODULE_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)


class SymlinkInside(Exception):
    """A component of a module's path is a symbolic link; `args[0]` is its path."""


@dataclass(frozen=True, slots=True)
class Root:
    """A plugin's root package or module: where it is and what it is called."""

    path: str
    package: str
    is_file: bool = False


def module_stem(filename: str) -> str | None:
    """The module name that a file name stands for, or None if it is no module's.

    >>> module_stem("cat.abi3.so"), module_stem("cat.py"), module_stem("cat.txt")
    ('cat', 'cat', None)
    """
    for suffix in (*SOURCE_SUFFIXES, *sorted(EXTENSION_SUFFIXES, key=len, reverse=True), *BYTECODE_SUFFIXES):
        if filename.endswith(suffix):
            return filename[: -len(suffix)]
    return None


def resolve_own(root: Root, entrypoint: str, *, file: str | None) -> str | Reason:
    """Find the module that a manifest's entrypoint names: inside the root, else from its package on.

    Returns the module relative to the root ("" is the root itself), or why there is none.
    `cat` in the directory `cat` means `cat/cat.py`, and the package itself if there is no such file.
    """
    parts, package = _parts(entrypoint), root.package.split(".")
    choices = (parts, _after(package, parts), _after(package[-1:], parts))
    return _first(root, entrypoint, choices, file=file)


def resolve_absolute(root: Root, entrypoint: str, *, file: str | None) -> str | Reason:
    """Find the module that an entry point of a distribution names, as an import would spell it."""
    return _first(root, entrypoint, (_after(root.package.split("."), _parts(entrypoint)),), file=file)


def _first(
    root: Root, entrypoint: str, choices: Sequence[Sequence[str] | None], *, file: str | None
) -> str | Reason:
    usable = [parts for parts in choices if parts is not None]
    try:
        for parts in usable:
            if module_exists(root, parts):
                return ".".join(parts)
    except SymlinkInside as error:
        return reasons.symlink_inside(error.args[0], file=file)
    except OSError as error:
        return reasons.unreadable(str(error.filename or root.path), error)
    tried = [_as_file(root, parts) for parts in usable] or [f"{_parts(entrypoint)[0]}.py"]
    return reasons.entrypoint_missing(entrypoint, root=root.path, tried=dict.fromkeys(tried), file=file)


def module_exists(root: Root, parts: Sequence[str]) -> bool:
    """Whether the module `parts` (relative to the root) is there as a file or directory.

    Raises `SymlinkInside` if the way there leads over a symbolic link.
    """
    if root.is_file:
        return not parts
    if not parts:
        return _has_module(os.path.join(root.path, "__init__"))
    place = root.path
    for part in parts[:-1]:
        place = os.path.join(place, part)
        if not _is_real(place, stat.S_ISDIR):
            return False
    place = os.path.join(place, parts[-1])
    return _has_module(place) or _is_real(place, stat.S_ISDIR)


def _has_module(stem: str) -> bool:
    return any(_is_real(stem + suffix, stat.S_ISREG) for suffix in MODULE_SUFFIXES)


def _is_real(path: str, is_kind: Callable[[int], bool]) -> bool:
    mode = mode_of(path)
    if stat.S_ISLNK(mode):
        raise SymlinkInside(path)
    return is_kind(mode)


def _parts(entrypoint: str) -> list[str]:
    """The entrypoint's module; `__init__` names a package as its file does, and means the package."""
    parts = entrypoint.partition(":")[0].split(".")
    return parts[:-1] if parts[-1] == "__init__" else parts


def _after(package: list[str], parts: list[str]) -> list[str] | None:
    """The module's parts below `package`, or None if they begin with another name."""
    return parts[len(package) :] if parts[: len(package)] == package else None


def _as_file(root: Root, parts: Sequence[str]) -> str:
    if root.is_file:
        return f"module of that name (it is the single module {root.package!r})"
    return f"{'/'.join(parts)}.py" if parts else "__init__.py"
