"""The `__import__` of one generation: what an import statement inside a plugin means.

In order: a relative import stays inside the generation; the plugin's own public name means
this generation; a plain name that is a module beside the plugin's root means that one (never
for names of the standard library, and not from inside that very module); a name of another
plugin is wired to one generation of it; all else is the host's business.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from pluginkit.loading import finder

if TYPE_CHECKING:
    from pluginkit.loading.generation import Generation, Wire


class GenerationImport:
    """Callable with the signature of `builtins.__import__`."""

    __slots__ = ("_generation", "_siblings", "_wire")

    def __init__(self, generation: Generation, *, wire: Wire | None, plain_imports: bool) -> None:
        self._generation = generation
        self._wire = wire
        names = {name.partition(".")[0] for name in generation.locations if name} if plain_imports else set()
        self._siblings = frozenset(names - sys.stdlib_module_names - {"__main__"})

    def __call__(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        own = self._generation
        if own.has_moved_modules and (home := _home(globals, own)) is not own:
            # A stable module: its code was made in an earlier generation.
            return home.importer(name, globals, locals, fromlist, level)
        if level > 0:
            return self._give(own, self._resolve(name, globals, level), "", fromlist)
        head, _, rest = name.partition(".")
        # No plugin's package can have a name of the standard library.
        if head not in sys.stdlib_module_names:
            inside = self._among_plugins(head, rest, globals)
            if inside is not None:
                generation, key, top = inside
                return self._give(generation, key, top, fromlist)
        # Looked up at each call: whoever patches the host's import is obeyed.
        module = builtins.__import__(name, globals, locals, fromlist or (), level)
        own.outside.visit(name, fromlist)
        return module

    def _among_plugins(
        self, head: str, rest: str, globals: Mapping[str, object] | None
    ) -> tuple[Generation, str, str] | None:
        """The generation that a name leads into, the module's key and that of its first part; or None."""
        own = self._generation
        if head == own.package:
            return own, f"{own.key}.{rest}" if rest else own.key, own.key
        if head in self._siblings and not _is_itself(globals, f"{own.key}.{head}"):
            top = f"{own.key}.{head}"
            return own, f"{top}.{rest}" if rest else top, top
        other = self._other(head)
        if other is not None:
            return other, f"{other.key}.{rest}" if rest else other.key, other.key
        return None

    def _resolve(self, name: str, globals: Mapping[str, object] | None, level: int) -> str:
        parts = self._package_of(globals or {}).split(".")
        if level > len(parts):
            raise ImportError(
                f"{'.' * level}{name}: attempted relative import beyond the top of plugin package "
                f"{self._generation.package!r}"
            )
        base = ".".join(parts[: len(parts) - level + 1])
        return f"{base}.{name}" if name else base

    def forget(self) -> None:
        """Let go of what connects this generation to the host's other plugins."""
        self._wire = None

    def _package_of(self, globals: Mapping[str, object]) -> str:
        """The private key of the package that the importing code belongs to."""
        own = self._generation
        spec = globals.get("__spec__")
        parent = getattr(spec, "parent", None)
        if isinstance(parent, str) and parent.partition(".")[0] == own.key:
            return parent
        # Code that was executed in a namespace of its own, with the public name.
        package = str(globals.get("__package__") or own.public)
        return own.key + package.removeprefix(own.public)

    def _other(self, head: str) -> Generation | None:
        wired = self._generation.wired
        if head not in wired and self._wire is not None:
            other = self._wire(head)
            if other is None:
                return None
            wired[head] = other
        return wired.get(head)

    @staticmethod
    def _give(generation: Generation, key: str, top: str, fromlist: Sequence[str] | None) -> ModuleType:
        module = generation.import_private(key)
        if fromlist:
            _bind(generation, module, key, fromlist)
            return module
        return module if not top or top == key else generation.import_private(top)


def _bind(generation: Generation, module: ModuleType, key: str, names: Sequence[str]) -> None:
    """Make sure that each name of a `from … import` is there, importing submodules as needed.

    A name that is missing must be refused here: CPython's own fallback would look up
    `sys.modules[module.__name__ + "." + name]`, which is another generation's or a façade.
    """
    for name in names:
        if name == "*":
            _bind(generation, module, key, [n for n in getattr(module, "__all__", ()) if n != "*"])
        elif _is_initialising(f"{key}.{name}"):
            # Another thread executes it: wait, as for any import. In a circle of imports the
            # import system sees the deadlock and gives what there is.
            generation.import_private(f"{key}.{name}")
        elif not hasattr(module, name):
            relative = generation.relative_name(f"{key}.{name}")
            if hasattr(module, "__path__") and relative in generation.locations:
                generation.import_private(f"{key}.{name}")
            if not hasattr(module, name):
                raise _cannot_import(module, name)


def _is_initialising(key: str) -> bool:
    spec = getattr(sys.modules.get(key), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _cannot_import(module: ModuleType, name: str) -> ImportError:
    spec = getattr(module, "__spec__", None)
    partial = getattr(spec, "_initializing", False)
    hint = " (it is only partly initialised: most likely a circular import)" if partial else ""
    file = getattr(module, "__file__", None)
    return ImportError(
        f"cannot import name {name!r} from {module.__name__!r}{hint} ({file or 'no file'})",
        name=module.__name__,
        path=file,
    )


def _home(globals: Mapping[str, object] | None, own: Generation) -> Generation:
    """The generation that the importing module lives in, by its spec."""
    name = getattr((globals or {}).get("__spec__"), "name", None)
    if not isinstance(name, str) or "#" not in name or name.partition(".")[0] == own.key:
        return own
    return finder.generation_of(name) or own


def _is_itself(globals: Mapping[str, object] | None, key: str) -> bool:
    spec = (globals or {}).get("__spec__")
    return getattr(spec, "name", None) == key
