"""Sentences for what a JSON Schema refuses.

jsonschema's own messages repeat the value, which may be a secret, and speak of instances and
properties. These say what a right value would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pluginkit.config.durations import EXAMPLES
from pluginkit.config.kinds import Fault, Steps
from pluginkit.config.schema.nodes import Node, matches_a_pattern, possible, properties
from pluginkit.errors import did_you_mean
from pluginkit.strict_yaml import dotted, shorten

# jsonschema.ValidationError; its attributes are typed as set or not, and here they always are.
_Error: TypeAlias = Any

REQUIRED = "is required"
_OTHER_KEY = "does not fit what the schema says of keys that it does not name"

_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}


def faults(root: Node, errors: list[_Error]) -> Iterator[Fault]:
    """Each fault once, at its place; an unknown key stands at the place of that key."""
    places = [tuple(error.absolute_path) for error in errors]
    for error, at in zip(errors, places, strict=True):
        if error.validator == "required":
            yield from _missing_keys(error.validator_value, error, at)
        elif error.validator == "dependentRequired":
            for key, others in error.validator_value.items():
                yield from _missing_keys(others if key in error.instance else (), error, at)
        elif error.validator in ("additionalProperties", "unevaluatedProperties"):
            # A part of the schema that failed evaluates nothing, so that keys it names seem
            # unknown: such an error only repeats the other one.
            is_echo = sum(place[: len(at)] == at for place in places) > 1
            yield from _unknown_keys(root, error, at, is_echo=is_echo)
        elif "propertyNames" in error.relative_schema_path:
            # The value that was refused is the key itself.
            yield Fault(_sentence(root, error), (*at, error.instance))
        else:
            yield Fault(_sentence(root, error), at)


def _missing_keys(wanted: Iterable[str], error: _Error, at: Steps) -> Iterator[Fault]:
    for key in wanted:
        if key not in error.instance:
            yield Fault(REQUIRED, (*at, key))


def _unknown_keys(root: Node, error: _Error, at: Steps, *, is_echo: bool) -> Iterator[Fault]:
    nodes = possible(root, error.schema)
    known = {key for node in nodes for key in properties(node)}
    unknown = [
        key
        for key in error.instance
        if key not in known and not any(True for node in nodes for _ in matches_a_pattern(node, key))
    ]
    for key in unknown:
        is_forbidden = error.validator_value is False
        yield Fault(f"unknown key{did_you_mean(key, known)}" if is_forbidden else _OTHER_KEY, (*at, key))
    if not unknown and not is_echo:
        yield Fault("has keys that do not go together", at)


def _sentence(root: Node, error: _Error) -> str:
    if error.validator in ("anyOf", "oneOf"):
        return _no_alternative(root, error)
    wording = _WORDINGS.get(str(error.validator))
    if wording is None:
        return f"does not fit what the schema says by {error.validator!r}"
    return wording(error.validator_value)


def _no_alternative(root: Node, error: _Error) -> str:
    if not error.context:
        return "fits more than one of the forms that it may have"
    closest = max(error.context, key=lambda other: (len(other.absolute_path), other.validator != "type"))
    hint = next(faults(root, [closest]))
    where = dotted(hint.at[len(error.absolute_path) :])
    return (
        f"fits none of the forms that it may have; the closest: {where + ': ' if where else ''}{hint.message}"
    )


def _type(value: Any) -> str:
    names = [value] if isinstance(value, str) else list(value)
    return f"must be {' or '.join(_TYPES.get(name, name) for name in names)}"


def _format(value: Any) -> str:
    if value == "duration":
        return f"must be a duration such as {EXAMPLES}, or a number of seconds"
    return f"must have the format {value!r}"


def _options(value: Any) -> str:
    return f"must be one of {', '.join(shorten(repr(option), 40) for option in value)}"


_WORDINGS: Mapping[str, Callable[[Any], str]] = {
    "type": _type,
    "format": _format,
    "enum": _options,
    "const": lambda value: f"must be {value!r}",
    "minimum": lambda value: f"must be at least {value}",
    "maximum": lambda value: f"must be at most {value}",
    "exclusiveMinimum": lambda value: f"must be more than {value}",
    "exclusiveMaximum": lambda value: f"must be less than {value}",
    "multipleOf": lambda value: f"must be a multiple of {value}",
    "minLength": lambda value: f"must have at least {value} characters",
    "maxLength": lambda value: f"must have at most {value} characters",
    "pattern": lambda value: f"must match the pattern {value}",
    "minItems": lambda value: f"must have at least {value} items",
    "maxItems": lambda value: f"must have at most {value} items",
    "uniqueItems": lambda _: "must not have an item twice",
    "minProperties": lambda value: f"must have at least {value} keys",
    "maxProperties": lambda value: f"must have at most {value} keys",
    "not": lambda _: "is not allowed",
}
