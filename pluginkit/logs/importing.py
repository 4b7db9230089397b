"""Doing something as soon as somebody imports a module.

loguru brings asyncio along, and a host whose plugins do not use it should not pay for it: the
chain listens to loguru from its first import on, whoever makes that.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def when_imported(name: str, work: Callable[[], None]) -> Callable[[], None]:
    """Do `work` now if a module is imported already, else right after its import. Gives the undo."""
    if name in sys.modules:
        work()
        return lambda: None
    finder = _Finder(name, work)
    sys.meta_path.insert(0, finder)
    return finder.leave


class _Finder(MetaPathFinder):
    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work

    def leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        # Gone before the search begins anew, which finds the module's own loader.
        self.leave()
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._work)
        return spec


class _Loader(Loader):
    """The module's own loader for all it knows, and the work after it."""

    def __init__(self, own: Loader, work: Callable[[], None]) -> None:
        self._own = own
        self._work = work

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._own
        self._own.exec_module(module)
        self._work()
