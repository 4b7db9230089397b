"""A first body for each hook: one that runs, gives a value of the right type, and asks to be replaced."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from typing import TYPE_CHECKING

from pluginkit.contracts import CallContext

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo

_EMPTY: dict[object, str] = {
    bool: "False",
    int: "0",
    float: "0.0",
    bytes: 'b""',
    type(None): "None",
    list: "[]",
    tuple: "()",
    set: "set()",
    frozenset: "frozenset()",
    dict: "{}",
    collections.abc.Sequence: "[]",
    collections.abc.Collection: "[]",
    collections.abc.Iterable: "[]",
    collections.abc.Mapping: "{}",
    collections.abc.Set: "set()",
}


def expression_for(spec: HookSpecInfo, plugin: str) -> str | None:
    """What the hook may answer at first, as source text; None if nobody can guess.

    >>> from pluginkit.contracts import Contract, Transformer
    >>> expression_for(Contract.of("transformer", Transformer).hooks["transform"], "shout")
    'text'
    """
    parameters = {name: spec.annotations.get(name, object) for name in spec.parameters}
    return _expression(spec.annotations.get("return", object), parameters, plugin)


def _expression(wanted: object, parameters: dict[str, object], plugin: str) -> str | None:
    """An expression of the wanted type: made of the parameters where it can be, else an empty value."""
    same = next((name for name, given in parameters.items() if given == wanted), None)
    if same is not None:
        return same
    if wanted is str:
        return f'"{plugin}"'
    if wanted in (object, typing.Any):
        return _anything(parameters, plugin)
    return _of_kind(wanted, parameters, plugin)


def _anything(parameters: dict[str, object], plugin: str) -> str:
    """For a hook that may answer what it likes: what it was given."""
    for name, given in parameters.items():
        return f"dict({name}.values)" if given is CallContext else name
    return f'"{plugin}"'


def _of_kind(wanted: object, parameters: dict[str, object], plugin: str) -> str | None:
    origin, members = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Literal:
        return repr(members[0])
    if origin in (typing.Union, types.UnionType):
        choices = (_expression(m, parameters, plugin) for m in members if m is not type(None))
        return next((choice for choice in choices if choice is not None), None)
    if inspect.isclass(wanted) and issubclass(wanted, enum.Enum):
        return f"{wanted.__name__}.{next(iter(wanted)).name}"
    if inspect.isclass(wanted) and dataclasses.is_dataclass(wanted):
        return _dataclass(wanted, parameters, plugin)
    return _EMPTY.get(origin or wanted)


def _dataclass(wanted: type, parameters: dict[str, object], plugin: str) -> str | None:
    """`ProcessResult(data=data)`: the fields that must be given, from parameters of their name if there are."""
    try:
        hints = typing.get_type_hints(wanted)
    except Exception:
        return None  # it names types that only a type checker imports
    given = []
    for field in dataclasses.fields(wanted):
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if not field.init or not is_needed:
            continue
        hint = hints[field.name]
        own = {field.name: hint} if parameters.get(field.name) == hint else parameters
        value = _expression(hint, own, plugin)
        if value is None:
            return None
        given.append(f"{field.name}={value}")
    return f"{wanted.__name__}({', '.join(given)})"
