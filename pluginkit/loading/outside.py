"""What a plugin's import puts into modules that are not its own: the host's lists, dicts and names.

`host.CALLBACKS.append(on_message)` at import is how small plugins register themselves. The
modules that a generation imports from outside, the standard library apart, are looked at when
it imports them and again when its import is over. Only objects of that very generation count,
so what other threads do in that time is never touched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from pluginkit.loading import layers

_IGNORED = frozenset({"pluginkit", "builtins", "__main__"}) | sys.stdlib_module_names
_KINDS = frozenset({list, dict, set})
_MOST = 10_000
"""Longer containers are not copied: they are data, not registries."""
_MOST_NAMES = 500
"""Modules with more names are big libraries, which would cost more to look through than to import."""

Change = tuple[tuple[str, Hashable], Callable[[], None]]
Contents = dict[Any, Any] | list[Any]
"""What a registry held: dicts as they are, all else as a list."""


class Outside:
    """The outside modules that one generation has imported, as they were then."""

    def __init__(self, package: str, builtins: dict[str, Any]) -> None:
        self._package = package
        self._builtins = builtins
        self._before: dict[str, tuple[dict[str, Any], dict[str, Contents]]] | None = None

    def begin(self) -> None:
        """Look at what is imported from now on."""
        self._before = {}

    def visit(self, name: str, fromlist: Sequence[str] | None) -> None:
        """The plugin is importing an outside module, and perhaps submodules of it."""
        # Another thread of the plugin may import while the look is taken.
        before = self._before
        if before is None or name.partition(".")[0] in _IGNORED:
            return
        for full in (name, *(f"{name}.{part}" for part in fromlist or ())):
            module = sys.modules.get(full)
            if full not in before and type(module) is ModuleType and len(vars(module)) <= _MOST_NAMES:
                registries = {place: _contents(found) for place, found in _registries(module)}
                before[full] = dict(vars(module)), registries

    def changes(self) -> Iterator[Change]:
        """What has come into those modules and is this generation's; the way back of each."""
        visited, self._before = self._before or {}, None
        for name, (before, known) in visited.items():
            module = sys.modules.get(name)
            if type(module) is not ModuleType:
                continue
            yield from self._names(module, before)
            for place, registry in _registries(module):
                yield from self._entries(f"{name}.{place}", registry, known.get(place, []))

    def _names(self, module: ModuleType, before: dict[str, Any]) -> Iterator[Change]:
        for name, value in list(vars(module).items()):
            was = before.get(name, layers.ABSENT)
            if value is not was and self._is_ours(value):
                undo = layers.adopt(layers.AttributePlace(module, name), was, value)
                yield (f"{module.__name__}.{name}", ""), undo

    def _entries(self, title: str, registry: Any, before: Contents) -> Iterator[Change]:
        now = _contents(registry)
        if isinstance(now, dict):
            old = before if isinstance(before, dict) else {}
            for key, value in now.items():
                was = old.get(key, layers.ABSENT)
                if value is not was and (self._is_ours(value) or self._is_ours(key)):
                    yield (title, repr(key)), layers.adopt(_place(registry, key), was, value)
            return
        known = set(map(id, before))
        for item in now:
            if id(item) not in known and self._is_ours(item):
                what = getattr(item, "__qualname__", type(item).__qualname__)
                yield (title, what), partial(_drop_item, registry, item)

    def _is_ours(self, value: Any) -> bool:
        """Whether a value is made of this generation's code; never asks the value itself."""
        kind = type(value)
        if kind is FunctionType:
            return value.__globals__.get("__builtins__") is self._builtins
        if kind is MethodType:
            return self._is_ours(value.__func__)
        if kind is partial:
            return self._is_ours(value.func)
        cls = value if isinstance(value, type) else kind
        module = cls.__dict__.get("__module__")
        return isinstance(module, str) and module.partition(".")[0] == self._package


def _registries(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """A module's own containers, those of its classes, and its `singledispatch` functions."""
    for name, value in list(vars(module).items()):
        kind = type(value)
        if kind in _KINDS:
            if not name.startswith("__") and len(value) <= _MOST:
                yield name, value
        elif kind is FunctionType:
            if "registry" in value.__dict__ and "_clear_cache" in value.__dict__:
                yield name, value
        elif isinstance(value, type) and value.__dict__.get("__module__") == module.__name__:
            for inner, held in list(vars(value).items()):
                if type(held) in _KINDS and len(held) <= _MOST:
                    yield f"{name}.{inner}", held


def _contents(registry: Any) -> Contents:
    if isinstance(registry, dict):
        return dict(registry)
    return list(registry) if isinstance(registry, list | set) else dict(registry.registry)


def _place(registry: Any, key: Any) -> layers.Place:
    if isinstance(registry, dict):
        return layers.ItemPlace(registry, key)
    return layers.DispatchPlace(registry, key)


def _drop_item(container: list[Any] | set[Any], item: Any) -> None:
    if isinstance(container, set):
        container.discard(item)
        return
    for index in range(len(container) - 1, -1, -1):
        if container[index] is item:
            del container[index]
            return
