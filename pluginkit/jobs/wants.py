"""Whether a function wants more than its arguments: the job's context, or an event loop."""

from __future__ import annotations

import inspect
from types import BuiltinFunctionType, CodeType
from typing import Any


class Wants:
    """Remembers the last function that wants nothing, which is mostly the next one, too."""

    __slots__ = ("last_plain",)

    def __init__(self) -> None:
        # To begin with one that nobody submits; None would be that of everything without code.
        self.last_plain: CodeType = Wants.anything.__code__

    def anything(self, fn: Any, code: Any) -> bool:
        """Whether `fn` has to take the slower way; `code` is its code object, if it has one."""
        if type(code) is not CodeType:
            return not callable(fn) or self.context(fn)
        if self.context(fn):
            return True
        if not hasattr(fn, "__wrapped__"):  # a decorator's functions share one code object
            self.last_plain = code
        return False

    def context(self, fn: Any) -> bool:
        """Whether `fn` has a parameter `ctx` that can be given by its name."""
        # To read a signature takes longer than most jobs.
        if type(fn) is BuiltinFunctionType:
            return False
        code = getattr(fn, "__code__", None)
        if type(code) is CodeType and "ctx" not in code.co_varnames and not hasattr(fn, "__wrapped__"):
            return False
        try:
            parameter = inspect.signature(fn).parameters.get("ctx")
        except (TypeError, ValueError):
            return False
        return parameter is not None and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
