"""From the text of a body to a function, with its lines at hand for tracebacks.

The compiled code is kept by its text, so that a reload which changes nothing about a hook's
shape compiles nothing. It holds no object of any plugin: those are globals of the one function
that runs it, and go with that function.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any

_KEPT_CODES = 512

_numbers = itertools.count(1)


def function_of(text: str, names: Mapping[str, Any], hook: str) -> Callable[..., Any]:
    """The function that `text` defines, with `names` as its globals."""
    return types.FunctionType(code_of(text, hook), dict(names))


def code_of(text: str, hook: str, ellipsis: object = ...) -> types.CodeType:
    """The code of the function that `text` defines; where the text has `...` it has `ellipsis`.

    It gets a file name of its own, such as `<hook speak #12>`, under which tracebacks and
    debuggers find the text for as long as the code lives.
    """
    compiled = _compiled(text)
    constants = tuple(ellipsis if constant is ... else constant for constant in compiled.co_consts)
    code = compiled.replace(co_filename=f"<hook {hook} #{next(_numbers)}>", co_consts=constants)
    linecache.cache[code.co_filename] = (len(text), None, text.splitlines(keepends=True), code.co_filename)
    weakref.finalize(code, linecache.cache.pop, code.co_filename, None).atexit = False
    return code


@functools.lru_cache(maxsize=_KEPT_CODES)
def _compiled(text: str) -> types.CodeType:
    module = compile(text, "<hook>", "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, types.CodeType))
