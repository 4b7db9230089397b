"""Where the source of an editable installation is, read from what its build backend left behind.

PEP 660 leaves the mechanism to the backend. What is in use: a .pth file that names directories
(hatchling, flit, PDM, Poetry, maturin, setuptools for a src layout), a generated import hook with
a literal mapping (setuptools otherwise), or one fed by literal calls (the `editables` library).
Hooks are parsed, never run. For any other mechanism the project's directory of PEP 610 is tried.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pluginkit.discovery.files import read_regular
from pluginkit.discovery.installed import Installed
from pluginkit.discovery.modules import module_stem

_MAX_BYTES = 4 * 1024 * 1024
_IMPORT_LINE = re.compile(r"import[ \t]+(\w+)")


@dataclass(frozen=True, slots=True)
class Base:
    """A place where modules are looked up: the package `prefix` is at `path`.

    The empty prefix is a directory as on sys.path. `path` may lack a module file's suffix.
    """

    prefix: tuple[str, ...]
    path: str


def bases(installed: Installed) -> Iterator[Base]:
    """All places that an editable installation may take modules from, the surest first."""
    hooks: list[str] = []
    for file in sorted(file for file in installed.files if file.endswith(".pth")):
        directory = os.path.dirname(file)
        if directory not in installed.places:
            continue
        for line in _lines(file):
            hook = _IMPORT_LINE.match(line)
            if hook is not None:
                hooks.append(os.path.join(directory, f"{hook[1]}.py"))
            elif line.strip() and not line.startswith("#"):
                yield Base((), os.path.join(directory, line.rstrip()))
    for path in hooks:
        yield from sorted(_from_hook(path), key=lambda base: len(base.prefix), reverse=True)
    if installed.project is not None:
        yield Base((), installed.project)
        yield Base((), os.path.join(installed.project, "src"))


def _from_hook(path: str) -> list[Base]:
    try:
        tree = ast.parse(read_regular(path, max_bytes=_MAX_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        # No hook that we can read: the next mechanism is tried, and what is then missing is told.
        return []
    found: list[Base] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            found.extend(_from_assignment(node))
        elif isinstance(node, ast.Call):
            found.extend(_from_call(node))
    return found


def _from_assignment(node: ast.Assign | ast.AnnAssign) -> Iterator[Base]:
    """setuptools: `MAPPING = {"cat": "/src/cat"}` and `NAMESPACES = {"ns": ["/src/ns"]}`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not (isinstance(target, ast.Name) and target.id in ("MAPPING", "NAMESPACES")):
        return
    mapping = _literal(node.value)
    if not isinstance(mapping, dict):
        return
    for name, places in mapping.items():
        for place in places if isinstance(places, list) else [places]:
            if isinstance(name, str) and isinstance(place, str):
                yield Base(tuple(name.split(".")), place)


def _from_call(node: ast.Call) -> Iterator[Base]:
    """editables: `F.map_module("cat", "/src/cat/__init__.py")`."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr == "map_module" and len(node.args) == 2):
        return
    name, file = map(_literal, node.args)
    if isinstance(name, str) and isinstance(file, str):
        directory, filename = os.path.split(file)
        stem = module_stem(filename)
        place = directory if stem == "__init__" else os.path.join(directory, stem or filename)
        yield Base(tuple(name.split(".")), place)


def _literal(node: ast.expr | None) -> object:
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, RecursionError):
        return None


def _lines(path: str) -> list[str]:
    try:
        return read_regular(path, max_bytes=_MAX_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        # Python's own start-up passes such a file by; so does the search for the source.
        return []
