"""The import lines that the annotations of a hook need in somebody else's file."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluginkit

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo


def names_in(annotation: object) -> set[str]:
    """The names that an annotation's text uses; what is no text that can be read has none."""
    if not isinstance(annotation, str):
        return set()
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def origin_of(name: str, spec: HookSpecInfo) -> tuple[str, str] | None:
    """Where a name of the spec's module can be imported from: `("pluginkit", "CallContext")`.

    `("json", "")` is the module itself, `("", "")` a builtin; None if it cannot be had.
    """
    function = inspect.unwrap(spec.function)
    namespace: Mapping[str, Any] = getattr(function, "__globals__", {})
    if name not in namespace:
        return ("", "") if hasattr(builtins, name) else None
    value = namespace[name]
    if inspect.ismodule(value):
        return (value.__name__, "") if value.__name__ == name else None
    if name in pluginkit.__all__ and getattr(pluginkit, name) is value:
        return "pluginkit", name
    home = getattr(value, "__module__", None)
    if getattr(value, "__name__", None) == name and isinstance(home, str):
        return home, name
    return function.__module__, name


def import_lines(origins: Iterable[tuple[str, str]]) -> list[str]:
    """Sorted import statements, those of one module together; builtins need none.

    >>> import_lines([("pluginkit", "hookimpl"), ("json", ""), ("pluginkit", "CallContext"), ("", "")])
    ['import json', 'from pluginkit import CallContext, hookimpl']
    """
    modules: dict[str, set[str]] = {}
    for module, name in origins:
        if module:
            modules.setdefault(module, set()).add(name)
    plain = [f"import {module}" for module in sorted(modules) if "" in modules[module]]
    named = [(module, sorted(names - {""}, key=_as_isort)) for module, names in sorted(modules.items())]
    return [*plain, *(f"from {module} import {', '.join(names)}" for module, names in named if names)]


def _as_isort(name: str) -> tuple[bool, str]:
    """Classes before functions, as formatters sort them."""
    return name[:1].islower(), name
