"""Values to try a hook with, as one would type them."""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Mapping

from pluginkit.contracts import CallContext

_TYPED: dict[object, str] = {str: "hello", bool: "true", int: "1", float: "1.5", list: "[]", dict: "{}"}


def example_argument(name: str, annotation: object) -> str:
    """`text=hello` for a parameter; for a context, a value to put into it.

    >>> example_argument("is_loud", bool), example_argument("ctx", CallContext)
    ('is_loud=true', 'label=example')
    """
    if annotation is CallContext:
        return "label=example"
    return f"{name}={_value(annotation)}"


def _value(annotation: object) -> str:
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return str(members[0])
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return next(iter(annotation)).name
    for kind, text in _TYPED.items():
        if kind in (annotation, origin):
            return text
    if origin in (typing.Union, types.UnionType):
        return next((_TYPED[member] for member in members if member in _TYPED), "hello")
    if inspect.isclass(origin):
        return "{}" if issubclass(origin, Mapping) else "[]"
    return "hello"
