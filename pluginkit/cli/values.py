"""Values of plugins as plain data for JSON and as text for people."""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
from collections.abc import Mapping, Sequence, Set
from os import PathLike, fspath
from typing import Any

_DEEPEST = 50


def plain(value: object, depth: int = 0) -> Any:
    """Any value as plain data for JSON; what has no such form is given by its repr.

    Dataclasses become mappings, bytes their base64, numbers that JSON does not know their
    names.

    >>> plain({"at": (1, 2.5), "on": {3}, "raw": b"hi"})
    {'at': [1, 2.5], 'on': [3], 'raw': 'aGk='}
    """
    if value is None or isinstance(value, bool | int) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > _DEEPEST:
        return _repr(value)
    return _plain_object(value, depth + 1)


def _plain_object(value: object, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return plain(value.value, depth)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, PathLike):
        return str(fspath(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name), depth) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item, depth) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item, depth) for item in value), key=str)
    return _repr(value)


def readable(value: object) -> str:
    """A value as people read it: text as it is, all else on one line of JSON."""
    if isinstance(value, str):
        return str(value)
    return json.dumps(plain(value), ensure_ascii=False)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
