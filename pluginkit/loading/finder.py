"""The one entry of pluginkit in `sys.meta_path`: private keys and public names of plugins.

It stands first, because a private key's parent has a real `__path__`, and the path finder
would load the file from there, by modification time and cached bytecode.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from pluginkit.loading import exit_calls, facade
from pluginkit.loading.layout import Kind

if TYPE_CHECKING:
    from pluginkit.loading.generation import Generation

_generations: dict[str, Generation] = {}
_lock = threading.Lock()


def register(generation: Generation) -> None:
    """Make the generation's modules importable by their private keys."""
    with _lock:
        _generations[generation.key] = generation
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        exit_calls.install()


def unregister(generation: Generation) -> None:
    """Forget the generation; with the last one, leave `sys.meta_path`."""
    with _lock:
        _generations.pop(generation.key, None)
        if not _generations:
            exit_calls.uninstall()
            if _finder in sys.meta_path:
                sys.meta_path.remove(_finder)


def generation_of(key: str) -> Generation | None:
    """The open generation that a private key belongs to."""
    return _generations.get(key.partition(".")[0])


class PluginFinder:
    """Finds modules of generations, and façades of their public submodules."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if "#" in fullname:
            generation = generation_of(fullname)
            return None if generation is None else private_spec(generation, fullname)
        root = facade.root_of(fullname)
        return None if root is None or path is None else _public_spec(root, fullname)


_finder = PluginFinder()


class PrivateSpec(ModuleSpec):
    """The spec of a generation's module, whose bytecode is cached nowhere on disk."""

    # To work out a place for it takes as long as all the rest of a spec.
    cached = None


def private_spec(generation: Generation, key: str) -> ModuleSpec:
    """The spec of one of a generation's modules. Raises ModuleNotFoundError if it has no such module."""
    from pluginkit.loading.loader import ModuleLoader

    location = generation.locations.get(generation.relative_name(key))
    if location is None:
        # An answer, not a "don't know": the path finder must not look on disk.
        public = generation.public_name(key)
        raise ModuleNotFoundError(f"No module named {public!r}", name=public)
    path = generation.file(location)
    loader = ModuleLoader(generation, key, location, path)
    spec = PrivateSpec(key, cast("Any", loader), origin=path, is_package=location.is_package)
    spec.has_location = location.kind != "namespace"
    if location.is_package:
        spec.submodule_search_locations = [os.path.dirname(path)]
    return spec


class FacadeLoader:
    """Gives the façade of a submodule, once the real one has been imported."""

    def __init__(self, root: facade.FacadeRoot) -> None:
        self._root = root

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self._root.module(spec.name)
        # Importing the real module has published its façade; a second one would break the
        # promise that everybody holds the same.
        facade.ensure(self._root, spec.name)
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run: the real module has been imported by now."""


def _public_spec(root: facade.FacadeRoot, name: str) -> ModuleSpec:
    generation = root.generation()
    if generation is None or name[len(root.package) + 1 :] not in generation.locations:
        # An answer, not a "don't know": the path finder must not look on disk.
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return ModuleSpec(name, cast("Any", FacadeLoader(root)))


def compile_source(data: bytes, path: str, kind: Kind) -> CodeType:
    """Compile a snapshot's bytes; `.pyc` files are used only where no source stands beside them."""
    if kind == "source":
        return compile(data, path, "exec", dont_inherit=True)
    if data[:4] != importlib.util.MAGIC_NUMBER:
        raise ImportError(f"{path}: compiled by another version of Python", path=path)
    code = marshal.loads(data[16:])  # noqa: S302  # code of the plugin itself, about to be executed
    if not isinstance(code, CodeType):
        raise ImportError(f"{path}: holds no code object", path=path)
    return code
