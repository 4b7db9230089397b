"""Executes one module of a generation, and answers what tools ask a loader."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from pluginkit.loading import extensions, facade, source_lines, stable

if TYPE_CHECKING:
    from importlib.resources.abc import TraversableResources

    from pluginkit.loading.generation import Generation
    from pluginkit.loading.layout import Location


class ModuleLoader:
    """The loader of one module; `path` is its file, as tracebacks and debuggers show it."""

    def __init__(self, generation: Generation, key: str, location: Location, path: str) -> None:
        self.generation = generation
        self.key = key
        self.location = location
        self.name = key
        self.path = path

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        if self.location.kind != "extension":
            return None
        self._extension = ExtensionFileLoader(self.key, extensions.loadable_path(self.path))
        spec.origin = self._extension.path
        # The name of the init function is made of the last part, which must not be `cat#7`.
        name = self.key if "." in self.key else self.generation.public
        return self._extension.create_module(ModuleSpec(name, self._extension, origin=spec.origin))

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code under its public name, visible to its parent from the start."""
        generation = self.generation
        public_name = generation.public_name(self.key)
        module.__dict__["__name__"] = public_name
        # What a plugin asks for by `__package__` (its version, its resources, a logger) is known
        # by the public name; import statements go by `__spec__`.
        package = public_name if self.location.is_package else public_name.rpartition(".")[0]
        module.__dict__["__package__"] = package
        generation.count(self.key)
        generation.watch(module)
        stable.bind(generation, module, self.key)
        before = sys.modules.get(public_name)
        root = generation.claim_name()
        published = root is not None and facade.ensure(root, public_name)
        undo = self._bind_to_parent(module)
        try:
            with facade.executing(generation):
                self._run(module)
        except BaseException:
            undo()
            if published:
                facade.withdraw(public_name)
            raise
        self._adopt_replacement(public_name, before)

    def _run(self, module: ModuleType) -> None:
        if self.location.kind == "extension":
            self._extension.exec_module(module)
            module.__name__ = self.generation.public_name(self.key)
            module.__file__ = self.path
        elif self.location.kind != "namespace":
            module.__dict__["__builtins__"] = self.generation.builtins
            source_lines.pin(self.generation, self.location, self.path)
            exec(self.get_code(), module.__dict__)  # noqa: S102  # this is how a module is loaded

    def _bind_to_parent(self, module: ModuleType) -> Callable[[], None]:
        """Set the parent's attribute before the code runs: a circular `from . import x` needs it."""
        parent_key, _, child = self.key.rpartition(".")
        parent = sys.modules.get(parent_key) if parent_key else None
        if parent is None:
            return lambda: None
        namespace = parent.__dict__
        missing = child not in namespace
        before = namespace.get(child)
        namespace[child] = module

        def undo() -> None:
            if namespace.get(child) is module:
                if missing:
                    del namespace[child]
                else:
                    namespace[child] = before

        return undo

    def _adopt_replacement(self, public_name: str, before: ModuleType | None) -> None:
        """`sys.modules[__name__] = obj` at import means obj for this generation's importers."""
        present: Any = sys.modules.get(public_name)
        if present is None or present is before or type(present) is facade.Facade:
            return
        sys.modules[self.key] = present
        del sys.modules[public_name]
        if before is not None:
            sys.modules[public_name] = before
        elif self.generation.facade_root is not None:
            facade.ensure(self.generation.facade_root, public_name)

    # What inspect, linecache, pkgutil, runpy and importlib.resources ask a loader for.

    def get_code(self, fullname: str | None = None) -> CodeType:
        return self.generation.compiled(self.location)

    def get_source(self, fullname: str | None = None) -> str | None:
        if self.location.kind != "source":
            return None
        return source_lines.decode(self.generation.snapshot.code[self.location.path].data)

    def get_filename(self, fullname: str | None = None) -> str:
        return self.path

    def is_package(self, fullname: str | None = None) -> bool:
        return self.location.is_package

    def get_data(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def get_resource_reader(self, fullname: str | None = None) -> TraversableResources:
        from importlib.readers import FileReader

        return FileReader(self)  # type: ignore[arg-type]  # typeshed wants a FileLoader; `path` is all that is used
