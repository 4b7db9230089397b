"""Places of the process that several generations hold in turn, as layers over what was there.

A plugin patches a function and the next one patches the patch; a reload puts the new version's
signal handler over the old one's. To put back "what was there before" would then bring dead
code to life, or take away what somebody else has put there since. So every holder is a layer:
a layer that goes leaves the others as they are, and the last one to go uncovers the original.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

ABSENT = object()
"""The value of a place that holds nothing."""


class Place(Protocol):
    """Somewhere a value is kept for the whole process."""

    @property
    def key(self) -> Hashable:
        """What tells this place from all others."""

    def read(self) -> Any:
        """The present value, or `ABSENT`."""

    def write(self, value: Any) -> None:
        """Set the value; `ABSENT` takes it away."""


@dataclass(eq=False, slots=True)
class _Layer:
    """`make` gives the layer's value over the one below; a stranger's layer stays for good."""

    make: Callable[[Any], Any]
    value: Any
    is_ours: bool = True


@dataclass(eq=False, slots=True)
class _Stack:
    place: Place
    base: Any
    layers: list[_Layer] = field(default_factory=list)

    @property
    def top(self) -> Any:
        return self.layers[-1].value if self.layers else self.base

    def notice_stranger(self) -> None:
        """Whoever has written the place past us has a layer, too."""
        present = self.place.read()
        if not _is_same(present, self.top):
            self.layers.append(_Layer(lambda _below: present, present, is_ours=False))


_lock = threading.RLock()
_stacks: dict[Hashable, _Stack] = {}


def put(place: Place, make: Callable[[Any], Any]) -> Callable[[], None]:
    """Write `make(the value below)` to the place; gives the call that takes the layer away.

    If a layer below goes, `make` is called again, with what is below then.
    """
    with _lock:
        stack = _stacks.get(place.key) or _Stack(place, place.read())
        stack.notice_stranger()
        layer = _Layer(make, make(stack.top))
        place.write(layer.value)
        stack.layers.append(layer)
        _stacks[place.key] = stack
    return functools.partial(_remove, stack, layer)


def adopt(place: Place, before: Any, after: Any) -> Callable[[], None]:
    """Count `after`, which a plugin has written itself over `before`, as a layer; as `put`."""
    with _lock:
        stack = _stacks.get(place.key) or _Stack(place, before)
        if not _is_same(stack.top, before) and not _is_same(stack.top, after):
            stack.layers.append(_Layer(lambda _below: before, before, is_ours=False))
        layer = _Layer(lambda _below: after, after)
        stack.layers.append(layer)
        _stacks[place.key] = stack
    return functools.partial(_remove, stack, layer)


def _remove(stack: _Stack, layer: _Layer) -> None:
    with _lock:
        if layer not in stack.layers:
            return
        stack.notice_stranger()
        index = stack.layers.index(layer)
        value = stack.layers[index - 1].value if index else stack.base
        # Made first, set afterwards: a `make` that raises must leave everything as it was.
        values = []
        for above in stack.layers[index + 1 :]:
            value = above.make(value)
            values.append(value)
        if not _is_same(stack.place.read(), value):
            stack.place.write(value)
        del stack.layers[index]
        for above, value in zip(stack.layers[index:], values, strict=True):
            above.value = value
        if not any(one.is_ours for one in stack.layers):
            _stacks.pop(stack.place.key, None)


def is_held(place: Place) -> bool:
    """Whether there is any layer on the place."""
    return place.key in _stacks


def _is_same(one: Any, other: Any) -> bool:
    # Variables of the environment are decoded anew each time.
    return one is other or (isinstance(one, str) and isinstance(other, str) and one == other)


@dataclass(frozen=True, slots=True, eq=False)
class AttributePlace:
    """An attribute of a module, class or object; one that is inherited counts as absent."""

    target: Any
    name: str

    @property
    def key(self) -> Hashable:
        # The stack keeps the target alive as long as there is a layer: no other can get its id.
        return "attribute", id(self.target), self.name

    def read(self) -> Any:
        try:
            namespace = vars(self.target)
        except TypeError:
            return getattr(self.target, self.name, ABSENT)
        return namespace.get(self.name, ABSENT)

    def write(self, value: Any) -> None:
        if value is ABSENT:
            delattr(self.target, self.name)
        else:
            setattr(self.target, self.name, value)


@dataclass(frozen=True, slots=True)
class EnvironmentPlace:
    """A variable of the process's environment."""

    name: str

    @property
    def key(self) -> Hashable:
        return "environment", self.name

    def read(self) -> Any:
        return os.environ.get(self.name, ABSENT)

    def write(self, value: Any) -> None:
        if value is ABSENT:
            os.environ.pop(self.name, None)
        else:
            os.environ[self.name] = value


@dataclass(frozen=True, slots=True, eq=False)
class ItemPlace:
    """What a dict holds under one key."""

    items: dict[Any, Any]
    name: Hashable

    @property
    def key(self) -> Hashable:
        return "item", id(self.items), self.name

    def read(self) -> Any:
        return self.items.get(self.name, ABSENT)

    def write(self, value: Any) -> None:
        if value is ABSENT:
            self.items.pop(self.name, None)
        else:
            self.items[self.name] = value


@dataclass(frozen=True, slots=True, eq=False)
class DispatchPlace:
    """What a `functools.singledispatch` function does for one class."""

    dispatcher: Any
    cls: type

    @property
    def key(self) -> Hashable:
        return "dispatch", id(self.dispatcher), self.cls

    def read(self) -> Any:
        return self.dispatcher.registry.get(self.cls, ABSENT)

    def write(self, value: Any) -> None:
        if value is ABSENT:
            registry_of(self.dispatcher).pop(self.cls, None)
            self.dispatcher._clear_cache()
        else:
            self.dispatcher.register(self.cls, value)


def registry_of(dispatcher: Any) -> dict[type, Any]:
    """The dict behind a `singledispatch` function's `registry`, which itself is read-only."""
    register = dispatcher.register
    cell = register.__closure__[register.__code__.co_freevars.index("registry")]
    registry: dict[type, Any] = cell.cell_contents
    return registry
