"""Objects of a retired generation's classes that somebody keeps can still be pickled.

A pickle names a class, and under that name the new version's class is found, which is another:
pickle refuses. What was pickled before the reload is read back as an object of the new class;
what is pickled after it should be, too. So a retired class names its successor in pickles. Copies
within the process stay what they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any

Reduce = Callable[..., Any]


def hand_down(modules: Iterable[ModuleType]) -> None:
    """Let the classes at the top of retired modules be pickled as those that now have their names."""
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__dict__.get("__module__") == module.__name__:
                # Past metaclasses, which may have ideas of their own.
                type.__setattr__(value, "__reduce_ex__", _as_successor(value.__reduce_ex__))


def _as_successor(reduce: Reduce) -> Reduce:
    def __reduce_ex__(self: Any, protocol: int) -> Any:  # noqa: N807  # it becomes that method
        reduced = reduce(self, protocol)
        if not isinstance(reduced, tuple) or sys._getframe(1).f_globals.get("__name__") == "copy":
            return reduced
        function, arguments, *rest = reduced
        arguments = tuple(map(_successor, arguments))
        name = getattr(function, "__name__", "")
        # Of these two pickle demands that the class is the object's own.
        if name == "__newobj__":
            cls, *given = arguments
            return (partial(cls.__new__, cls, *given), (), *rest)
        if name == "__newobj_ex__":
            cls, given, named = arguments
            return (partial(cls.__new__, cls, *given, **named), (), *rest)
        return (_successor(function), arguments, *rest)

    return __reduce_ex__


def _successor(value: Any) -> Any:
    """The class that has the name of a class now; anything else as it is."""
    if not isinstance(value, type) or value.__module__ not in sys.modules:
        return value
    found: Any = sys.modules[value.__module__]
    try:
        for part in value.__qualname__.split("."):
            found = getattr(found, part)
    except AttributeError:
        # The new version has none of that name; pickle will say so.
        return value
    return found if isinstance(found, type) else value
