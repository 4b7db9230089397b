"""Stable modules: `PLUGINKIT_STABLE = ("types",)` keeps their classes over a reload.

A class of a new generation is another class, whatever its source says; an object that the host
has kept is no instance of it. A plugin can name submodules (in a module at its top) that hold
nothing but such types: while the source of one does not change, the new generation gets the
very module object of the old. Such a module should import no other module of the plugin but
stable ones, because what it imported is what it keeps.

The new generation uses the module from the start; it becomes its home only when it is committed.
"""

from __future__ import annotations

import ast
import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from pluginkit.errors import did_you_mean

if TYPE_CHECKING:
    from pluginkit.loading.generation import Generation

_NAME = "PLUGINKIT_STABLE"


def declared(generation: Generation) -> frozenset[str]:
    """The names of the stable modules, relative to the root; read from the source, nothing runs.

    Raises ImportError for a name that is no module of the plugin.
    """
    names: set[str] = set()
    for path, source in generation.snapshot.code.items():
        if "/" not in path and path.endswith(".py") and _NAME.encode() in source.data:
            names |= _assigned(source.data, str(generation.snapshot.directory / path))
    for name in names:
        if not name or name not in generation.locations:
            modules = [known for known in generation.locations if known]
            raise ImportError(
                f"{_NAME} names {name!r}, which is no module of {generation.package!r}"
                f"{did_you_mean(name, modules)}"
            )
    return frozenset(names)


def adopt(new: Generation, old: Generation | None) -> dict[str, ModuleType]:
    """Give `new` the stable modules of `old` whose source is the same; returns them by name."""
    names = declared(new)
    adopted: dict[str, ModuleType] = {}
    if old is None:
        return adopted
    for name in names:
        module = sys.modules.get(f"{old.key}.{name}")
        if module is None:
            continue
        if _source_of(new, name) == _source_of(old, name):
            sys.modules[f"{new.key}.{name}"] = adopted[name] = module
            new.count(f"{new.key}.{name}")
        else:
            logging.getLogger("pluginkit").warning(
                "%s: the stable module %r has changed; objects of its old classes are no instances of the new",
                new.public,
                name,
            )
    return adopted


def move(new: Generation, old: Generation) -> None:
    """Make `new` the home of the modules that it has adopted from `old`; cannot fail."""
    from pluginkit.loading import source_lines
    from pluginkit.loading.finder import private_spec

    for name, module in new.adopted.items():
        key = f"{new.key}.{name}"
        # By its spec the module's import statements find the generation that they belong to.
        module.__spec__ = private_spec(new, key)
        location = new.locations[name]
        source_lines.pin(new, location, new.file(location))
        old.release(module)
        new.watch(module)


def bind(generation: Generation, parent: ModuleType, key: str) -> None:
    """Set adopted modules as attributes of the package that is about to be executed."""
    for name, module in generation.adopted.items():
        parent_name, _, child = name.rpartition(".")
        if parent_name == generation.relative_name(key):
            parent.__dict__[child] = module


def _source_of(generation: Generation, name: str) -> str | None:
    location = generation.locations.get(name)
    source = generation.snapshot.code.get(location.path) if location is not None else None
    return None if source is None else source.sha256


def _assigned(data: bytes, path: str) -> set[str]:
    names: set[str] = set()
    for statement in ast.parse(data, path).body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == _NAME for target in targets):
            names |= _written(statement.value, path)
    return names


def _written(value: ast.expr | None, path: str) -> set[str]:
    try:
        names = ast.literal_eval(value) if value is not None else ()
    except ValueError:
        names = None
    if isinstance(names, str):
        return {names}
    if not isinstance(names, tuple | list | set) or not all(isinstance(name, str) for name in names):
        raise ImportError(f'{path}: {_NAME} is read before anything runs; write it out: {_NAME} = ("types",)')
    return set(names)
