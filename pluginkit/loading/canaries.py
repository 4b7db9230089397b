"""Proof that a generation's modules are gone: a canary in each dies with the module's namespace."""

from __future__ import annotations

import gc
import weakref
from types import ModuleType

_NAME = "__pluginkit_canary__"


class Canary:
    """Lives in a module's namespace, which functions keep alive longer than the module object."""

    __slots__ = ("__weakref__",)


class Canaries:
    """Who has these keeps nothing of the generation alive."""

    __slots__ = ("_canaries",)

    def __init__(self) -> None:
        self._canaries: dict[str, weakref.ref[Canary]] = {}

    def watch(self, module: ModuleType) -> None:
        """Put a canary into the module."""
        canary = Canary()
        module.__dict__[_NAME] = canary
        self._canaries[module.__name__] = weakref.ref(canary)

    def forget(self, module: ModuleType) -> None:
        """Watch a module no more, because its home is elsewhere now."""
        self._canaries.pop(module.__name__, None)

    def alive(self) -> tuple[str, ...]:
        """The names of the modules whose namespaces somebody still refers to."""
        return tuple(name for name, canary in tuple(self._canaries.items()) if canary() is not None)

    def holders(self) -> tuple[str, ...]:
        """Who keeps those namespaces, as far as that can be told by name; takes a while."""
        from pluginkit.loading.holders import holders

        alive = [canary for canary in (one() for one in tuple(self._canaries.values())) if canary is not None]
        return holders(
            namespace
            for canary in alive
            for namespace in gc.get_referrers(canary)
            if type(namespace) is dict and namespace.get(_NAME) is canary
        )
