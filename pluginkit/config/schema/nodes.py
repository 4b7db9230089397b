"""Finding one's way in a JSON Schema: which of its nodes speak about one and the same value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

Node: TypeAlias = Mapping[str, Any]

_LISTS_THAT_ALL_APPLY = ("allOf",)
_LISTS_THAT_MAY_APPLY = ("allOf", "anyOf", "oneOf")
_SINGLES_THAT_MAY_APPLY = ("if", "then", "else")


def applying(root: Node, node: object) -> tuple[Node, ...]:
    """The node, and those that hold together with it in any case: by `$ref` and `allOf`."""
    return tuple(_together(root, node, _LISTS_THAT_ALL_APPLY, (), set()))


def possible(root: Node, node: object) -> tuple[Node, ...]:
    """The node, and all that may hold together with it: alternatives and conditions as well."""
    return tuple(_together(root, node, _LISTS_THAT_MAY_APPLY, _SINGLES_THAT_MAY_APPLY, set()))


def properties(node: Node) -> Mapping[str, Any]:
    """What a node says of single keys."""
    return mapping_at(node, "properties")


def mapping_at(node: Node, keyword: str) -> Mapping[str, Any]:
    """The mapping under a keyword; empty if there is none or the schema is not sound there."""
    value = node.get(keyword)
    return value if isinstance(value, Mapping) else {}


def list_at(node: Node, keyword: str) -> list[Any]:
    """The list under a keyword; empty if there is none or the schema is not sound there."""
    value = node.get(keyword)
    return list(value) if isinstance(value, list | tuple) else []


def matches_a_pattern(node: Node, key: str) -> Iterator[Any]:
    """What a node says of keys that match one of its patterns."""
    for pattern, schema in mapping_at(node, "patternProperties").items():
        try:
            if re.search(pattern, key):
                yield schema
        except re.error:
            # The schema's own check reports the pattern; here it only matches nothing.
            continue


def _together(
    root: Node, node: object, lists: tuple[str, ...], singles: tuple[str, ...], seen: set[int]
) -> Iterator[Node]:
    if not isinstance(node, Mapping) or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    others = [_target(root, node.get("$ref"))]
    others += [item for keyword in lists for item in list_at(node, keyword)]
    others += [node.get(keyword) for keyword in singles]
    if singles:
        others += mapping_at(node, "dependentSchemas").values()
    for other in others:
        yield from _together(root, other, lists, singles, seen)


def _target(root: Node, reference: object) -> object:
    """What a reference inside the schema leads to; None for any other."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Any = root
    for part in reference[1:].split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and name in node:
            node = node[name]
        elif isinstance(node, list | tuple) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return node
