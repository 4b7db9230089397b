"""Plain data that nobody can change by accident, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any


def freeze(value: Any) -> Any:
    """Copy mappings into read-only ones and lists into tuples, all the way down."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Copy into what JSON knows: dict, list, scalars; a path becomes text.

    An object that has a form of its own for files gives it by `as_dict()`.
    """
    if hasattr(value, "as_dict"):
        return thaw(value.as_dict())
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    return value
