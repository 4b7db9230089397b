"""One settings schema at work: complete what the user wrote, and hold it to the schema."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from pluginkit.config.durations import parse_duration
from pluginkit.config.frozen import thaw
from pluginkit.config.kinds import Fault, Steps
from pluginkit.config.schema.closing import closed
from pluginkit.config.schema.completing import DURATION, Completion
from pluginkit.config.schema.nodes import Node
from pluginkit.config.schema.wording import REQUIRED, faults
from pluginkit.strict_yaml import dotted

# Keywords that an empty mapping cannot break.
_HARMLESS_FOR_NOTHING = frozenset(
    {
        "$comment",
        "$schema",
        "$defs",
        "type",
        "title",
        "description",
        "properties",
        "additionalProperties",
        "x-config-types",
    }
)


class InvalidSchema(ValueError):
    """The schema itself is not sound: the plugin's mistake, not the user's."""


class SettingsSchema:
    """One plugin's settings schema.

    Beyond JSON Schema: keys that it does not name are refused (see `closing`), its defaults are
    applied, and `format: duration` means text such as `5m` or a number, delivered in seconds.
    """

    def __init__(self, schema: Node) -> None:
        self._schema: dict[str, Any] = thaw(schema)

    def apply(
        self, settings: Mapping[str, Any], secrets: Collection[Steps] = frozenset()
    ) -> tuple[dict[str, Any], tuple[Fault, ...]]:
        """Complete `settings` and check them; gives the result and all that is wrong with it.

        `secrets` are the places of values that came out of the environment or a file, which
        are always text: there, text that reads as a number or boolean counts as one.
        Raises `InvalidSchema`.
        """
        completed = Completion(self._schema, secrets).complete(self._schema, dict(settings))
        if not settings and self._asks_nothing():
            # Most plugins are not configured at all, and jsonschema takes long to import.
            return completed, ()
        found = dict.fromkeys(self._check(completed))
        return completed, tuple(sorted(found, key=lambda fault: tuple(map(str, fault.at))))

    def require_sound(self) -> None:
        """Raise `InvalidSchema` if this is no JSON Schema, or its defaults do not fit it."""
        defaults = Completion(self._schema).complete(self._schema, {})
        for fault in self._check(defaults):
            if fault.message != REQUIRED:
                raise InvalidSchema(f"the default at {dotted(fault.at) or 'the root'} {fault.message}")

    def _asks_nothing(self) -> bool:
        return self._schema.keys() <= _HARMLESS_FOR_NOTHING and self._schema.get("type") in (None, "object")

    def _check(self, completed: dict[str, Any]) -> Iterator[Fault]:
        from referencing.exceptions import Unresolvable

        schema, validator = _compiled(json.dumps(self._schema))
        try:
            yield from faults(schema, list(validator.iter_errors(completed)))
        except Unresolvable as error:
            raise InvalidSchema(f"a $ref leads to nothing inside the schema: {error.ref!r}") from error
        except RecursionError as error:
            raise InvalidSchema("a $ref leads back to itself") from error


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[Node, Any]:
    """The closed schema and its validator, once per content: a reload mostly finds it unchanged."""
    from referencing import Registry

    schema = json.loads(text)
    _require_sound(schema)
    schema = closed(schema)
    # An empty registry: a reference out of the schema is refused, never fetched.
    return schema, _validator_class()(schema, registry=Registry(), format_checker=_format_checker())


def _require_sound(schema: Node) -> None:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema, format_checker=_format_checker())
    except SchemaError as error:
        where = dotted(tuple(error.absolute_path))
        raise InvalidSchema(f"{where + ': ' if where else ''}{error.message}") from error


def _format_checker() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator.FORMAT_CHECKER


@cache
def _validator_class() -> Any:
    """JSON Schema's own rules, but that `format: duration` decides alone what its value may be."""
    from jsonschema import Draft202012Validator, ValidationError, validators

    check_type = Draft202012Validator.VALIDATORS["type"]
    check_format = Draft202012Validator.VALIDATORS["format"]

    def of_type(validator: Any, types: Any, value: Any, schema: Node) -> Iterator[ValidationError]:
        if schema.get("format") != DURATION or value is None:
            yield from check_type(validator, types, value, schema) or ()

    def of_format(validator: Any, name: Any, value: Any, schema: Node) -> Iterator[ValidationError]:
        if name != DURATION:
            yield from check_format(validator, name, value, schema) or ()
        elif value is not None and not _is_duration(value):
            yield ValidationError("no duration")

    extend: Any = validators.extend
    return extend(Draft202012Validator, {"type": of_type, "format": of_format})


def _is_duration(value: Any) -> bool:
    try:
        parse_duration(value)
    except ValueError:
        return False
    return True
