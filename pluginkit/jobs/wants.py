"""Whether a function wants more than its arguments: the job's context, or an event loop."""

from __future__ import annotations

import inspect
from types import CodeType
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
        if "ctx" in code.co_varnames and self.context(fn):
            return True
        self.last_plain = code
        return False

    def context(self, fn: Any) -> bool:
        """Whether `fn` has a parameter `ctx` that can be given by its name."""
        try:
            parameter = inspect.signature(fn).parameters.get("ctx")
        except (TypeError, ValueError):
            return False
        return parameter is not None and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
