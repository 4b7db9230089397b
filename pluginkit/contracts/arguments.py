"""From what people write to what a hook takes: `is_loud=true` becomes `True`.

Two places call hooks by name with values that somebody typed: the command line
(`pluginkit call speak is_loud=true`) and the `calls` of the config. Both are read here by the
annotations of the hook's spec, so that they agree.
"""

from __future__ import annotations

import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

from pluginkit.contracts.call_context import CallContext
from pluginkit.contracts.hook_info import HookSpecInfo
from pluginkit.errors import Problem, UsageError, did_you_mean
from pluginkit.printable import quoted

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def arguments_from_text(spec: HookSpecInfo, given: Mapping[str, str]) -> dict[str, object]:
    """The arguments of a hook call from `key=value` pairs, each read by its annotation.

    `str` is taken as it is, `bool` knows true/false, yes/no, on/off and 1/0; `int`, `float`,
    `Path`, enumerations and literals are read as such; all else is JSON, and text where that
    is no JSON and the annotation allows text. For a hook that takes a `CallContext`, keys that
    are no parameters are values of the context.

    Raises:
        UsageError: an unknown or missing parameter, or a value that does not fit; all at once.

    >>> from pluginkit.contracts import Animal, Contract
    >>> arguments_from_text(Contract.of("animal", Animal).hooks["speak"], {"is_loud": "yes"})
    {'is_loud': True}
    """
    return _bind(spec, given, _read, loose=_json_or_text)


def arguments_from_values(spec: HookSpecInfo, given: Mapping[str, object]) -> dict[str, object]:
    """The arguments of a hook call from values of a YAML or JSON file.

    Values are passed on as they are, but for a `CallContext`, which is made of a mapping, and
    of keys that are no parameters.

    Raises:
        UsageError: an unknown or missing parameter, or a context that is no mapping.
    """
    return _bind(spec, given, _adopt, loose=lambda value: value)


def _bind(
    spec: HookSpecInfo,
    given: Mapping[str, typing.Any],
    convert: Callable[[typing.Any, object], object],
    *,
    loose: Callable[[typing.Any], object],
) -> dict[str, object]:
    """Sort what was given into the hook's parameters, and list everything that does not fit."""
    problems: list[Problem] = []
    arguments: dict[str, object] = {}
    beside = {name: value for name, value in given.items() if name not in spec.parameters}
    for name in spec.parameters:
        if name in given:
            try:
                arguments[name] = convert(given[name], spec.annotations.get(name))
            except ValueError as error:
                problems.append(Problem(str(error), path=name, found=quoted(given[name])))
    context = _context_parameter(spec)
    if context is not None and not problems:
        arguments[context] = _filled(arguments.get(context), {k: loose(v) for k, v in beside.items()})
    elif context is None:
        problems += [
            Problem(f"no such parameter{did_you_mean(name, spec.parameters)}", path=name) for name in beside
        ]
    left_out = [name for name in spec.parameters if name not in given and name not in spec.defaults]
    problems += [Problem("is missing", path=name) for name in left_out if name != context]
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise UsageError(f"hook {spec} cannot be called so:{lines}")
    return arguments


def _context_parameter(spec: HookSpecInfo) -> str | None:
    return next((name for name in spec.parameters if spec.annotations.get(name) is CallContext), None)


def _filled(context: object, values: Mapping[str, object]) -> CallContext:
    filled = context if isinstance(context, CallContext) else CallContext()
    for key, value in values.items():
        filled.set_value(key, value)
    return filled


def _adopt(value: object, annotation: object) -> object:
    if annotation is not CallContext or isinstance(value, CallContext):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError("a CallContext is made of a mapping from text to values")
    return CallContext(value)


def _read(text: str, annotation: object) -> object:
    """One value by its annotation. Raises ValueError with a sentence."""
    reader = _READERS.get(annotation)
    if reader is not None:
        return reader(text)
    choices = _choices(annotation)
    if choices:
        return _read_choice(text, choices)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _read_union(text, typing.get_args(annotation))
    return _json_or_text(text) if isinstance(annotation, str) else _read_json(text)


def _choices(annotation: object) -> Mapping[str, object]:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {member.name: member for member in annotation}
    if typing.get_origin(annotation) is typing.Literal:
        return {str(choice): choice for choice in typing.get_args(annotation)}
    return {}


def _read_bool(text: str) -> bool:
    folded = text.strip().casefold()
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    raise ValueError("must be true or false")


def _read_number(number: type[int | float], what: str, text: str) -> float:
    try:
        return number(text)
    except ValueError:
        raise ValueError(f"must be {what}") from None


def _read_choice(text: str, choices: Mapping[str, object]) -> object:
    if text in choices:
        return choices[text]
    raise ValueError(f"must be one of {', '.join(choices)}{did_you_mean(text, choices)}")


def _read_union(text: str, members: tuple[object, ...]) -> object:
    """The first member that the text fits; text itself last, since it fits all."""
    if type(None) in members and text in ("null", "None", "none", ""):
        return None
    readable = [member for member in members if member is not type(None)]
    for member in sorted(readable, key=lambda member: member is str):
        try:
            return _read(text, member)
        except ValueError:
            if member is readable[-1] and len(readable) == 1:
                raise
    raise ValueError(f"fits none of {', '.join(getattr(m, '__name__', str(m)) for m in readable)}")


def _read_json(text: str) -> object:
    import json

    try:
        return typing.cast("object", json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _json_or_text(text: str) -> object:
    try:
        return _read_json(text)
    except ValueError:
        return text


# What a parameter without annotation, or of a type that only type checkers know, gets: a guess.
_READERS: Mapping[object, Callable[[str], object]] = {
    str: str,
    bool: _read_bool,
    int: functools.partial(_read_number, int, "a whole number"),
    float: functools.partial(_read_number, float, "a number"),
    Path: Path,
    CallContext: lambda text: _adopt(_read_json(text), CallContext),
    None: _json_or_text,
    object: _json_or_text,
    typing.Any: _json_or_text,
}
