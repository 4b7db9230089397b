"""The rule about unknown keys: a schema that names keys allows no others, unless it says so.

JSON Schema itself is open: a misspelt setting would pass. So at every place where a mapping's
keys are named (`properties`, `patternProperties`, there or in a schema that applies to the same
place) and nothing says what becomes of others (`additionalProperties`,
`unevaluatedProperties`), others are refused. A mapping whose keys are not named at all stays
open, and so does what stands below `not`, `if` and `contains`, which do not describe a place but
test one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from pluginkit.config.schema.nodes import Node, possible

_NAMING = ("properties", "patternProperties")
_DECIDING = ("additionalProperties", "unevaluatedProperties")

# What `false` means; jsonschema does not say where it stood when a `false` refuses a value.
_NOTHING: Mapping[str, Any] = {"not": {}}

_Close: TypeAlias = Callable[[Any], Any]


def closed(schema: Node) -> dict[str, Any]:
    """Copy a schema with the rule written into it."""
    copy: dict[str, Any] = _closed(schema, is_place=True, root=schema)
    return copy


def _closed(node: Any, *, is_place: bool, root: Node) -> Any:
    if not isinstance(node, dict):
        return node
    copy = dict(node)
    for keyword, (rebuild, holds_places) in _BELOW.items():
        if keyword in node:
            copy[keyword] = rebuild(node[keyword], partial(_closed, is_place=holds_places, root=root))
    if is_place and _is_open_by_oversight(root, node):
        copy["unevaluatedProperties"] = False
    return copy


def _is_open_by_oversight(root: Node, node: Node) -> bool:
    nodes = possible(root, node)
    names_keys = any(keyword in each for each in nodes for keyword in _NAMING)
    return names_keys and not any(keyword in each for each in nodes for keyword in _DECIDING)


def _itself(schema: Any, close: _Close) -> Any:
    return close(schema)


def _each_item(schemas: list[Any], close: _Close) -> list[Any]:
    return [_NOTHING if schema is False else close(schema) for schema in schemas]


def _each_value(schemas: Mapping[str, Any], close: _Close) -> dict[str, Any]:
    return {key: _NOTHING if schema is False else close(schema) for key, schema in schemas.items()}


# Where schemas stand below a schema, and whether they describe a place of their own. Those
# that do not speak of the same place as the node that holds them; it is closed once, there.
_BELOW: Mapping[str, tuple[Callable[[Any, _Close], Any], bool]] = {
    "properties": (_each_value, True),
    "patternProperties": (_each_value, True),
    "additionalProperties": (_itself, True),
    "unevaluatedProperties": (_itself, True),
    "prefixItems": (_each_item, True),
    "items": (_itself, True),
    "unevaluatedItems": (_itself, True),
    "$defs": (_each_value, False),
    "definitions": (_each_value, False),
    "dependentSchemas": (_each_value, False),
    "allOf": (_each_item, False),
    "anyOf": (_each_item, False),
    "oneOf": (_each_item, False),
    "then": (_itself, False),
    "else": (_itself, False),
}
