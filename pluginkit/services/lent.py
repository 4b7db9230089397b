"""Functions that the host lends to its plugins, so that the guard sees whose work they are.

The guard goes by the frames on the stack, and a function of the host has no mark of its own: called by a
plugin it would be taken for a library that the plugin uses. A frame of this module in between says that
from there on the host works. It is put there only where there is a guard, for it costs a call.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any


def lent(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, behind a frame of ours, also while it is awaited or iterated over."""
    if inspect.iscoroutinefunction(function):

        async def serve_awaited(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return functools.update_wrapper(serve_awaited, function)
    if inspect.isasyncgenfunction(function):

        async def serve_each_awaited(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async for one in function(*args, **kwargs):
                yield one

        return functools.update_wrapper(serve_each_awaited, function)
    if inspect.isgeneratorfunction(function):

        def serve_each(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return (yield from function(*args, **kwargs))

        return functools.update_wrapper(serve_each, function)

    def serve(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return functools.update_wrapper(serve, function)
