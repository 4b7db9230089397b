"""From the text of a body to a function, with its lines at hand for tracebacks.

Compiled code is kept by its text, so that a reload which changes nothing about a hook's shape
compiles nothing. It holds no object of any plugin: those are globals of the one function that
runs it, and go with that function.
"""

from __future__ import annotations

import itertools
import linecache
import threading
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

# All texts together; their code takes about three times as much memory.
_KEPT_CHARACTERS = 1_000_000

_numbers = itertools.count(1)


def function_of(text: str, names: Mapping[str, Any], hook: str) -> Callable[..., Any]:
    """The function that `text` defines, with `names` as its globals."""
    return types.FunctionType(code_of(text, hook), dict(names))


def code_of(text: str, hook: str, ellipsis: object = ...) -> types.CodeType:
    """The code of the function that `text` defines; where the text has `...` it has `ellipsis`.

    It gets a file name of its own, such as `<hook speak #12>`, under which tracebacks and
    debuggers find the text for as long as the code lives.
    """
    compiled = _codes.get(text)
    constants = tuple(ellipsis if constant is ... else constant for constant in compiled.co_consts)
    code = compiled.replace(co_filename=f"<hook {hook} #{next(_numbers)}>", co_consts=constants)
    linecache.cache[code.co_filename] = (len(text), None, text.splitlines(keepends=True), code.co_filename)
    weakref.finalize(code, linecache.cache.pop, code.co_filename, None).atexit = False
    return code


class CodeCache:
    """Compiled code by its text, the longest unused forgotten first.

    It is bounded by the size of the texts: the body of a hook with a thousand implementations
    is a thousand times that of a hook with one.
    """

    def __init__(self, characters: int) -> None:
        self._limit = characters
        self._size = 0
        self._codes: OrderedDict[str, types.CodeType] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._codes)

    def get(self, text: str) -> types.CodeType:
        """The code of the one function that the text defines."""
        with self._lock:
            code = self._codes.get(text)
            if code is None:
                code = self._codes[text] = _compiled(text)
                self._size += len(text)
            self._codes.move_to_end(text)
            while self._size > self._limit and self._codes:
                self._size -= len(self._codes.popitem(last=False)[0])
        return code


def _compiled(text: str) -> types.CodeType:
    module = compile(text, "<hook>", "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, types.CodeType))


_codes = CodeCache(_KEPT_CHARACTERS)
