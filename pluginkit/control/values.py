"""Values of plugins as plain data, for JSON and for whoever asks from another process."""

from __future__ import annotations

import base64
import dataclasses
import enum
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike, fspath
from typing import Any

_DEEPEST = 50
# Bits. Python writes and reads no number of more than 4,300 decimal digits.
_LONGEST_NUMBER = 14_000


def plain(value: object, depth: int = 0) -> Any:
    """Any value as plain data for JSON; what has no such form is given by its repr.

    Dataclasses become mappings, bytes their base64, numbers that JSON does not know their
    names. What is nested too deeply, or holds itself, ends in a repr.

    >>> plain({"at": (1, 2.5), "on": {3}, "raw": b"hi", "rest": math.inf})
    {'at': [1, 2.5], 'on': [3], 'raw': 'aGk=', 'rest': 'inf'}
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return hex(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if depth > _DEEPEST:
        return _repr(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
        return {name: plain(getattr(value, name), depth + 1) for name in names}
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value, depth + 1)
    return _repr(value)


# The first that fits counts, so that bytes are no sequence of numbers.
_CONVERSIONS: Sequence[tuple[type | tuple[type, ...], Callable[[Any, int], Any]]] = (
    (float, lambda number, _: number if math.isfinite(number) else str(number)),
    ((bytes, bytearray, memoryview), lambda data, _: base64.b64encode(data).decode()),
    (PathLike, lambda path, _: str(fspath(path))),
    (Mapping, lambda mapping, depth: {str(key): plain(item, depth) for key, item in mapping.items()}),
    (Sequence, lambda items, depth: [plain(item, depth) for item in items]),
    (AbstractSet, lambda items, depth: sorted((plain(item, depth) for item in items), key=str)),
)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
