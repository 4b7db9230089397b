"""The native runtime: the plugin's code runs in the host's process, as a generation of modules.

A package that the host has imported already is used as it is: a second copy beside it would
give two classes of every name. Such a plugin cannot be reloaded, and is listed so.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, get_args

from pluginkit.loading import Generation
from pluginkit.loading.facade import Facade, executing
from pluginkit.runtimes import running
from pluginkit.runtimes.base import Instance, Leftover, OpenRequest
from pluginkit.runtimes.open_files import open_files

if TYPE_CHECKING:
    from pluginkit.discovery import Found
    from pluginkit.manifest import Entrypoint
    from pluginkit.snapshot import Snapshot


class NativeRuntime:
    """Runs plugins in process; `format: native`."""

    name = "native"

    def open(self, request: OpenRequest) -> Instance:
        found = request.found
        if found.origin.kind == "distribution" and not _is_private(found.package):
            return ImportedInstance(found)
        previous = request.previous.generation if isinstance(request.previous, NativeInstance) else None

        other_plugins = request.wire  # not the request: it would keep every earlier generation

        def wire(head: str) -> Generation | None:
            other = other_plugins(head)
            return other.generation if isinstance(other, NativeInstance) else None

        generation = Generation(
            found.package,
            request.snapshot,
            owner=request.owner,
            installed=found.origin.kind == "distribution",
            wire=wire,
            previous=previous,
            marks=request.marks,
        )
        try:
            with generation.traces.watching():
                generation.adopt_stable()
                return NativeInstance(generation, found)
        except BaseException:
            generation.close()
            raise


class _InProcess(ABC):
    """What both kinds of in-process plugin share: objects are made from modules."""

    def __init__(self, found: Found) -> None:
        self._entrypoint = found.manifest.entrypoint
        self._package = found.package
        self.module = self.import_module(found.module)

    @abstractmethod
    def import_module(self, name: str) -> ModuleType:
        """Import a module of the plugin by its name relative to the root package, "" for the root."""

    def relative(self, name: str) -> str:
        """The plugin's module that `name` means; an installed plugin's carries the package in front."""
        return "" if name == self._package else name.removeprefix(f"{self._package}.")

    def create(self, entrypoint: Entrypoint, context: object) -> Any:
        is_main = entrypoint.module == self._entrypoint.module
        module = self.module if is_main else self.import_module(self.relative(entrypoint.module))
        if entrypoint.attribute is None:
            return module
        target = _dotted(module, entrypoint.attribute)
        return _construct(target, context) if inspect.isclass(target) else target

    def symbol(self, name: str) -> Any:
        module, _, attribute = name.rpartition(":")
        return _dotted(self.import_module(self.relative(module)) if module else self.module, attribute)

    def symbols(self) -> Mapping[str, object]:
        return {name: value for name, value in vars(self.module).items() if not name.startswith("_")}


class NativeInstance(_InProcess):
    """A generation of modules, with its entry module imported."""

    reloadable = True

    def __init__(self, generation: Generation, found: Found) -> None:
        self.generation = generation
        # Reports keep this; it keeps nothing of the generation.
        self.alive = generation.canaries.alive
        self.holders = generation.canaries.holders
        super().__init__(found)

    @property
    def number(self) -> int:
        return self.generation.number

    @property
    def public_name(self) -> str:
        return self.generation.public

    def imports(self, other: Instance) -> bool:
        return isinstance(other, NativeInstance) and other.generation in self.generation.wired.values()

    def commit(self) -> None:
        self.generation.commit()

    def is_current(self, found: Found, snapshot: Snapshot) -> bool:
        return found.package == self._package and snapshot.identity == self.generation.snapshot.identity

    def import_module(self, name: str) -> ModuleType:
        return self.generation.import_module(name)

    def relative(self, name: str) -> str:
        # `cat` in the directory `cat` is the file `cat.py` in it, if there is one.
        return name if name in self.generation.locations else super().relative(name)

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self.generation.traces.watching(), executing(self.generation):
            yield

    def create(self, entrypoint: Entrypoint, context: object) -> Any:
        with self.generation.traces.watching():
            return super().create(entrypoint, context)

    def running(self) -> tuple[Leftover, ...]:
        belongs = self._belongs()
        return (*running.threads(belongs), *running.timers(self.generation.builtins), *running.tasks(belongs))

    def left_open(self, target: object) -> tuple[Leftover, ...]:
        namespaces = [
            vars(module) for module in self.generation.modules().values() if type(module) is ModuleType
        ]
        generation = self.generation
        return tuple(open_files([*namespaces, target], generation.public, without=generation.builtins))

    def _belongs(self) -> Callable[[FrameType], bool]:
        builtins_of_generation = self.generation.builtins
        return lambda frame: frame.f_builtins is builtins_of_generation

    def close(self) -> None:
        # Whoever still holds this instance must not keep the module alive.
        self.module = ModuleType(self.module.__name__)
        self.generation.close()


class ImportedInstance(_InProcess):
    """A plugin whose package the host has imported itself: one for all, and for good."""

    reloadable = False
    number = None

    def __init__(self, found: Found) -> None:
        self.public_name = found.package
        super().__init__(found)

    def imports(self, other: Instance) -> bool:
        return False

    def entered(self) -> AbstractContextManager[None]:
        return nullcontext()

    def is_current(self, found: Found, snapshot: Snapshot) -> bool:
        return True

    def commit(self) -> None:
        """The host's import is what everybody sees already."""

    def import_module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self._package}.{name}" if name else self._package)

    def running(self) -> tuple[Leftover, ...]:
        directory = str(Path(self.module.__file__ or "").parent)
        return tuple(running.threads(lambda frame: frame.f_code.co_filename.startswith(directory)))

    def alive(self) -> tuple[str, ...]:
        return ()

    def holders(self) -> tuple[str, ...]:
        return ()

    def left_open(self, target: object) -> tuple[Leftover, ...]:
        return ()

    def close(self) -> None:
        """The module is the host's; nothing was taken."""


def _is_private(package: str) -> bool:
    """Whether the installed package can be a generation of its own."""
    if "." in package:
        return False
    module = sys.modules.get(package)
    return module is None or type(module) is Facade


def _dotted(start: object, path: str) -> Any:
    for part in path.split("."):
        start = getattr(start, part)
    return start


def _construct(cls: type, context: object) -> object:
    """Call a plugin class, with the context if its `__init__` asks for one."""
    try:
        parameters = list(inspect.signature(cls).parameters.values())
    except (TypeError, ValueError):
        return cls()
    for parameter in parameters:
        if parameter.name == "ctx" or _is_context(parameter.annotation, type(context)):
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                return cls(context)
            return cls(**{parameter.name: context})
    return cls()


def _is_context(annotation: object, context_type: type) -> bool:
    # Under `from __future__ import annotations` it is the text that stands in the source.
    if isinstance(annotation, str):
        return context_type.__name__ in re.findall(r"\w+", annotation)
    return annotation is context_type or context_type in get_args(annotation)
