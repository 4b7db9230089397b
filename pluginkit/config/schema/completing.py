"""From what the user wrote to what the plugin gets: the schema's defaults, durations in seconds.

It follows the parts of the schema that hold in any case (`properties`, `items`, `allOf`,
`$ref` inside the schema …). Of alternatives (`anyOf`, `oneOf`, `if`) nobody knows which one
is meant before it is checked, so nothing is taken from them.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from pluginkit.config.durations import parse_duration
from pluginkit.config.kinds import Steps, flag_from_text, number_from_text
from pluginkit.config.schema.nodes import Node, applying, list_at, matches_a_pattern, properties

DURATION = "duration"

_ABSENT: Any = object()


class Completion:
    """Completes settings by one schema. `secrets` are the places of resolved references."""

    def __init__(self, root: Node, secrets: Collection[Steps] = frozenset()) -> None:
        self._root = root
        self._secrets = secrets
        # Schemas whose defaults are just being made: a schema may hold itself.
        self._pending: set[int] = set()

    def complete(self, schema: object, value: Any, at: Steps = ()) -> Any:
        """Copy `value`, which stands at `at`, with defaults filled in and durations converted."""
        nodes = applying(self._root, schema)
        if any(node.get("format") == DURATION for node in nodes):
            return _seconds(value)
        if isinstance(value, dict):
            return self._mapping(nodes, value, at)
        if isinstance(value, list):
            return self._list(nodes, value, at)
        if at in self._secrets and isinstance(value, str):
            return _from_text(nodes, value)
        return value

    def _mapping(self, nodes: tuple[Node, ...], value: dict[str, Any], at: Steps) -> dict[str, Any]:
        completed = dict(value)
        for key in value:
            for schema in _schemas_of(nodes, key):
                completed[key] = self.complete(schema, completed[key], (*at, key))
        for node in nodes:
            for key, schema in properties(node).items():
                if key not in completed:
                    default = self._default(schema, (*at, key))
                    if default is not _ABSENT:
                        completed[key] = default
        return completed

    def _list(self, nodes: tuple[Node, ...], value: list[Any], at: Steps) -> list[Any]:
        completed = list(value)
        for node in nodes:
            first = list_at(node, "prefixItems")
            for index, item in enumerate(completed):
                schema = first[index] if index < len(first) else node.get("items")
                completed[index] = self.complete(schema, item, (*at, index))
        return completed

    def _default(self, schema: object, at: Steps) -> Any:
        """The default of an absent key.

        A mapping without a default of its own comes into being from the defaults of its keys,
        unless it requires a key that has none: then its absence is what the user meant.
        """
        nodes = applying(self._root, schema)
        for node in nodes:
            if "default" in node:
                return self.complete(schema, copy.deepcopy(node["default"]), at)
        marks = {id(node) for node in nodes}
        if marks & self._pending or not any(map(properties, nodes)):
            return _ABSENT
        self._pending |= marks
        made = self._mapping(nodes, {}, at)
        self._pending -= marks
        required = {key for node in nodes for key in list_at(node, "required")}
        return made if made and required <= made.keys() else _ABSENT


def _schemas_of(nodes: tuple[Node, ...], key: str) -> list[Any]:
    """What the nodes say of one key's value."""
    schemas = []
    for node in nodes:
        named = [*([properties(node)[key]] if key in properties(node) else []), *matches_a_pattern(node, key)]
        schemas += named or [node.get("additionalProperties")]
    return schemas


def _seconds(value: Any) -> Any:
    """A duration in seconds; what is none stays, for the check to refuse."""
    try:
        return parse_duration(value)
    except ValueError:
        return value


def _from_text(nodes: tuple[Node, ...], text: str) -> Any:
    """An environment variable is always text; where the schema wants none, it is read as YAML would."""
    types = {kind for node in nodes for kind in _types(node)}
    if "string" in types:
        return text
    if types & {"integer", "number"}:
        return number_from_text(text)
    return flag_from_text(text) if "boolean" in types else text


def _types(node: Node) -> list[Any]:
    declared = node.get("type")
    return [declared] if isinstance(declared, str) else list_at(node, "type")
