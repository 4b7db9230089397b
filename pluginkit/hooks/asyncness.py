"""Telling coroutines from answers, so that a plain call never gives one out as its result."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, NoReturn

from pluginkit.errors import AsyncImplementation
from pluginkit.hooks.values import Implementation


def asyncness(function: Callable[..., Any]) -> Literal["no", "perhaps", "yes"]:
    """Whether a call gives something to await, as far as can be told without calling.

    `perhaps` is a plain function that wraps a coroutine function or is annotated to return
    something to await: its answers are looked at. A plain function that shows neither is
    believed, since to look at every answer would cost each call a fifth more.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "yes"
    if any(inspect.iscoroutinefunction(inner) for inner in _wrapped(function)):
        return "perhaps"
    returned = getattr(inspect.unwrap(function), "__annotations__", {}).get("return", "")
    text = returned if isinstance(returned, str) else repr(returned)
    return "perhaps" if any(word in text for word in ("Awaitable", "Coroutine", "Future")) else "no"


def _wrapped(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    while (inner := getattr(function, "__wrapped__", None)) is not None:
        yield inner
        function = inner


def refuse(implementation: Implementation) -> NoReturn:
    """What a plain call does in the place of an `async` implementation."""
    raise AsyncImplementation(implementation.plugin, implementation.hook)


def settled(implementation: Implementation, result: Any) -> Any:
    """The answer, unless it has to be awaited; a coroutine is closed, so that it does not complain."""
    if inspect.isawaitable(result):
        if isinstance(result, types.CoroutineType):
            result.close()
        refuse(implementation)
    return result
