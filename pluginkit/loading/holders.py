"""Who keeps a retired generation alive, by name: the roots that lead to its modules' namespaces.

From a namespace that should be gone the references are followed backwards, as far as they lead to
something that has a name: an attribute of a module, or a function that is suspended. What is held
by a variable of a running function, or by C code, has no referrer that Python could tell.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import CodeType, CoroutineType, FrameType, GeneratorType, ModuleType
from typing import Any

_MOST_LOOKED_AT = 3_000
_MOST_NAMED = 5

Namespace = dict[str, Any]


def holders(namespaces: Iterable[Namespace]) -> tuple[str, ...]:
    """The names of what leads to these namespaces from outside; empty if nothing is to be found."""
    own = list(namespaces)
    modules = {
        id(vars(module)): module for module in list(sys.modules.values()) if type(module) is ModuleType
    }
    found: dict[str, None] = {}
    # Ids of what must not be followed: this search's own variables would be found again and again.
    seen = {id(own), id(modules), id(found), *map(id, own)}
    pending: list[object] = list(own)
    seen.add(id(pending))
    while pending and len(seen) < _MOST_LOOKED_AT and len(found) < _MOST_NAMED:
        thing = pending.pop(0)
        referrers = gc.get_referrers(thing)
        seen.add(id(referrers))
        for referrer in referrers:
            if id(referrer) in seen or isinstance(referrer, FrameType | CodeType):
                continue
            seen.add(id(referrer))
            name = _name_of(referrer, thing, modules)
            if name is None:
                pending.append(referrer)
            else:
                found[name] = None
        del referrers
    return tuple(found)


def _name_of(referrer: object, thing: object, modules: dict[int, ModuleType]) -> str | None:
    if type(referrer) is dict:
        module = modules.get(id(referrer))
        if module is not None and module.__name__ not in {__name__, "gc"}:
            keys = [key for key, value in list(referrer.items()) if value is thing]
            return f"{module.__name__}.{keys[0]}" if keys else None
    if isinstance(referrer, CoroutineType | GeneratorType):
        return f"the suspended {referrer.__qualname__}"
    return None
