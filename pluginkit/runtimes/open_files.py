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


def open_files(start: list[Any], package: str, *, without: object = None) -> Iterator[Leftover]:
    """Name every open file that can be reached from here through containers and objects of the plugin.

    `without` is an object that leads to nothing of the plugin's own.
    """
    kinds = _Kinds(package)
    seen = {id(start), id(without)}
    pending: deque[Any] = deque(start)
    while pending and len(seen) < _MOST_LOOKED_AT:
        thing = pending.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        kind = kinds[type(thing)]
        if kind == "file":
            if not _is_closed(thing) and not _is_standard(thing):
                yield Leftover("file", str(getattr(thing, "name", type(thing).__name__)), "")
        elif kind == "socket":
            if thing.fileno() != -1:
                yield Leftover("socket", repr(thing), "")
        elif kind == "container":
            pending.extend(other for other in gc.get_referents(thing) if kinds[type(other)] != "plain")


class _Kinds(dict[type, str]):
    """What to do with an object of a type: it is a file, a socket, it leads on, or it is plain."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._socket = getattr(sys.modules.get("socket"), "socket", ())

    def __missing__(self, cls: type) -> str:
        kind = self[cls] = self._kind(cls)
        return kind

    def _kind(self, cls: type) -> str:
        if issubclass(cls, io.IOBase):
            return "file"
        if issubclass(cls, self._socket):
            return "socket"
        if issubclass(cls, type | ModuleType):
            return "plain"
        module = getattr(cls, "__module__", None)
        is_own = isinstance(module, str) and module.partition(".")[0] == self._package
        return "container" if is_own or issubclass(cls, _CONTAINERS) else "plain"


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
