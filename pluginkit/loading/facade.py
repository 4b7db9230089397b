"""What the rest of the program sees under a plugin's public module names.

A plugin's modules live in `sys.modules` under private keys (`cat#7.sub`), while their
`__name__` reads `cat.sub`. Pickles, dataclasses, `typing.get_type_hints`, `mock.patch` and a
host's plain `import cat` look the public name up; they find a façade: a module object with a
stable identity that forwards to the generation which serves at that moment, or, in a thread
that is just executing modules of a generation, to that generation.

The first host that loads a name owns its façade. Where the host could import something else
under that name, the plugin is shown as `cat__plugin` instead: it must never take a module away
from the host.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.loading.generation import Generation

# The import system writes these on every module that it hands out. The façade's real module
# has its own, and they must stay.
_IMPORT_ATTRIBUTES = frozenset(
    {"__name__", "__loader__", "__package__", "__spec__", "__path__", "__file__", "__cached__"}
)

_lock = threading.RLock()
_roots: dict[str, FacadeRoot] = {}


class _Executing(threading.local):
    """The generations whose code this thread executes at import, innermost last."""

    def __init__(self) -> None:
        self.stack: list[Generation] = []


_executing = _Executing()


@contextmanager
def executing(generation: Generation) -> Iterator[None]:
    """Let public names mean `generation` in this thread for the length of the block."""
    _executing.stack.append(generation)
    try:
        yield
    finally:
        _executing.stack.pop()


class FacadeRoot:
    """The public name of one plugin package: who owns it and which generation serves."""

    __slots__ = ("candidate", "committed", "owner", "package")

    def __init__(self, package: str, owner: object) -> None:
        self.package = package
        self.owner = owner
        self.committed: Generation | None = None
        # The first generation of the name, while it is being loaded: threads that it starts
        # have to find it, too.
        self.candidate: Generation | None = None

    def generation(self) -> Generation | None:
        for generation in reversed(_executing.stack):
            if generation.public == self.package:
                return generation
        return self.committed or self.candidate

    def module(self, public_name: str) -> ModuleType:
        while True:
            generation = self.generation()
            if generation is None:
                raise AttributeError(f"the plugin with the package {self.package!r} is not loaded (any more)")
            try:
                return generation.import_module(public_name[len(self.package) + 1 :])
            except ImportError:
                # Replaced and closed after it was looked up: the one that serves now is asked.
                if not generation.closed or self.generation() is generation:
                    raise


class Facade(ModuleType):
    """A module that forwards everything to the present generation's module of that name."""

    __slots__ = ("_place",)

    _place: tuple[FacadeRoot, str]

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Facade
        return getattr(_target(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        # `import cat.sub` makes the import system bind the façade of `sub` on that of `cat`:
        # the real module has its real submodule there already.
        if name not in _IMPORT_ATTRIBUTES and not isinstance(value, Facade):
            setattr(_target(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_target(self), name)

    def __dir__(self) -> list[str]:
        return dir(_target(self))

    def __repr__(self) -> str:
        return f"<pluginkit facade of {_place(self)[1]!r}>"


# The slot's own descriptor reads and writes it; by name it would be forwarded.
_slot: Any = vars(Facade)["_place"]


def _place(facade: Facade) -> tuple[FacadeRoot, str]:
    place: tuple[FacadeRoot, str] = _slot.__get__(facade)
    return place


def _target(facade: Facade) -> ModuleType:
    root, public_name = _place(facade)
    return root.module(public_name)


def claim(package: str, owner: object, location: Path) -> FacadeRoot | None:
    """Take a public name for the plugin package at `location`, on behalf of `owner`.

    It is `package` itself unless the host has, or could import, something else of that name;
    then it is `package__plugin`. None if another owner has the name already.
    """
    with _lock:
        name = package
        if package not in _roots and _means_another(package, location):
            name = f"{package}__plugin"
        root = _roots.get(name)
        if root is not None:
            return root if root.owner is owner else None
        root = _roots[name] = FacadeRoot(name, owner)
        _publish(root, name)
        return root


def root_of(public_name: str) -> FacadeRoot | None:
    """Return the façade root that `public_name` lies under, if there is one."""
    return _roots.get(public_name.partition(".")[0])


def is_only_here(public_name: str) -> bool:
    """Whether a module is a plugin's that only this process can import: one of a plugins directory."""
    root = root_of(public_name)
    generation = None if root is None else root.generation()
    return generation is not None and not generation.installed


def ensure(root: FacadeRoot, public_name: str) -> bool:
    """Put a façade for `public_name` into `sys.modules`; False if one is there already."""
    with _lock:
        if public_name in sys.modules:
            return False
        _publish(root, public_name)
        return True


def withdraw(public_name: str) -> None:
    """Take one façade out of `sys.modules`."""
    with _lock:
        if type(sys.modules.get(public_name)) is Facade:
            del sys.modules[public_name]


def release(root: FacadeRoot) -> None:
    """Give the public name back: no façade of it remains in `sys.modules`."""
    with _lock:
        if _roots.get(root.package) is not root:
            return
        del _roots[root.package]
        prefix = root.package + "."
        for name in [key for key in sys.modules if key == root.package or key.startswith(prefix)]:
            withdraw(name)


def _publish(root: FacadeRoot, public_name: str) -> None:
    facade = Facade(public_name)
    _slot.__set__(facade, (root, public_name))
    sys.modules[public_name] = facade


def _means_another(package: str, location: Path) -> bool:
    """Whether `import package` has given, or would give, anything but the files at `location`."""
    if package in sys.modules:
        return True
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return True
    if spec is None:
        return False
    places = list(spec.submodule_search_locations or ()) or [spec.origin or ""]
    return not any(os.path.realpath(place) == str(location) for place in places)
