"""What a plugin takes from the process through its context, each with the call that gives it back.

Every function here does one registration and returns its undo. The undo may run in any thread,
and leaves alone what somebody else has registered since.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from functools import partial, singledispatchmethod
from typing import Any

from pluginkit.loading import layers, signals

Undo = Callable[[], None]


def add_handler(logger: logging.Logger, handler: logging.Handler) -> Undo:
    """Add a log handler; undone, it is taken off and closed."""
    logger.addHandler(handler)

    def undo() -> None:
        logger.removeHandler(handler)
        handler.close()

    return undo


def set_signal(number: int, handler: Callable[[int, Any], Any]) -> Undo:
    """Have `handler` called for a signal, over whatever handles it now."""
    remove = layers.put(signals.SignalPlace(int(number)), lambda _below: handler)
    return signals.uncovered(int(number), remove)


def at_exit(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Undo:
    """Have `function` called when the interpreter ends."""
    # Each its own object: `unregister` takes away everything that is equal.
    call = partial(function, *args, **kwargs)
    atexit.register(call)
    return partial(atexit.unregister, call)


def patch(target: Any, name: str, new: Any) -> Undo:
    """Put `new` in the place of an attribute that exists."""
    getattr(target, name)
    return layers.put(layers.AttributePlace(target, name), lambda _below: new)


def wrap(target: Any, name: str, make: Callable[[Any], Any]) -> Undo:
    """Put `make(original)` in the place of a function that exists.

    When a wrapper below goes, `make` is called again with what is there then: no version of a
    plugin ever wraps another.
    """
    inherited = getattr(target, name)

    def made(below: Any) -> Any:
        if isinstance(below, staticmethod | classmethod):
            return type(below)(make(below.__func__))
        return make(inherited if below is layers.ABSENT else below)

    return layers.put(layers.AttributePlace(target, name), made)


def append(items: list[Any], item: Any) -> Undo:
    """Append to a list; undone, that very object is taken out, wherever it stands by then."""
    items.append(item)

    def undo() -> None:
        for index in range(len(items) - 1, -1, -1):
            if items[index] is item:
                del items[index]
                return

    return undo


def register(dispatcher: Any, cls: type, function: Callable[..., Any]) -> Undo:
    """Register `function` for a class with a `functools.singledispatch` function."""
    if isinstance(dispatcher, singledispatchmethod):
        dispatcher = dispatcher.dispatcher
    if not hasattr(dispatcher, "registry"):
        raise TypeError(f"{dispatcher!r} is no functools.singledispatch function: it has no registry")
    return layers.put(layers.DispatchPlace(dispatcher, cls), lambda _below: function)
