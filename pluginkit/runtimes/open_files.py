"""Files and sockets that a plugin has left open: those that its modules and objects lead to."""

from __future__ import annotations

import gc
import io
import sys
from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pluginkit.runtimes.base import Leftover

_MOST_LOOKED_AT = 5_000
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)


def open_files(start: list[Any], package: str) -> Iterator[Leftover]:
    """Name every open file that can be reached from here through containers and objects of the plugin."""
    seen = {id(start)}
    pending: deque[Any] = deque(start)
    socket_type = getattr(sys.modules.get("socket"), "socket", ())
    while pending and len(seen) < _MOST_LOOKED_AT:
        thing = pending.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, io.IOBase):
            if not _is_closed(thing) and not _is_standard(thing):
                yield Leftover("file", str(getattr(thing, "name", type(thing).__name__)), "")
        elif isinstance(thing, socket_type):
            if thing.fileno() != -1:
                yield Leftover("socket", repr(thing), "")
        elif isinstance(thing, _CONTAINERS) or _is_of(thing, package):
            pending.extend(gc.get_referents(thing))


def _is_of(thing: object, package: str) -> bool:
    if isinstance(thing, type | ModuleType):
        return False
    module = getattr(type(thing), "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == package


def _is_closed(file: io.IOBase) -> bool:
    try:
        return file.closed
    except ValueError:  # a text file whose buffer was detached
        return True


def _is_standard(file: io.IOBase) -> bool:
    # Whoever has replaced one of these has done so for all; a buffer in memory is no file either.
    streams = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if any(file is one for one in streams) or isinstance(file, io.StringIO | io.BytesIO):
        return True
    try:
        return file.fileno() in (0, 1, 2)
    except (OSError, ValueError):
        return True
