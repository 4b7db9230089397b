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
    """The function that `text` defines, with `names` as its globals.

    Like every module's they have a name: whoever looks at the stack sees where the host begins.
    """
    return types.FunctionType(code_of(text, hook), {**names, "__name__": __name__})


def code_of(text: str, hook: str, ellipsis: object = ...) -> types.CodeType:
    """The code of the function that `text` defines; where the text has `...` it has `ellipsis`.

    Each is a copy of its own, since CPython adapts code to the names that it meets. All of one
    text have the same file name, such as `<hook speak #12>`, under which tracebacks and
    debuggers find the text for as long as one of them lives.
    """
    compiled = _codes.get(text, hook)
    constants = tuple(ellipsis if constant is ... else constant for constant in compiled.co_consts)
    code = compiled.replace(co_consts=constants)
    _shown.add(code, text)
    return code


class ShownTexts:
    """Keeps the text of living code where `traceback` and debuggers look for it."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        # Reentrant: collecting garbage under it may end some code in this very thread.
        self._lock = threading.RLock()

    def add(self, code: types.CodeType, text: str) -> None:
        """Show the text until this code is gone."""
        file = code.co_filename
        with self._lock:
            self._users[file] = self._users.get(file, 0) + 1
            if self._users[file] == 1:
                linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        weakref.finalize(code, self._one_less, file).atexit = False

    def _one_less(self, file: str) -> None:
        with self._lock:
            self._users[file] -= 1
            if not self._users[file]:
                del self._users[file]
                linecache.cache.pop(file, None)


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

    def get(self, text: str, hook: str) -> types.CodeType:
        """The code of the one function that the text defines; it says which hook it is for."""
        with self._lock:
            code = self._codes.get(text)
            if code is None:
                code = self._codes[text] = _compiled(text, f"<hook {hook} #{next(_numbers)}>")
                self._size += len(text)
            self._codes.move_to_end(text)
            while self._size > self._limit and self._codes:
                self._size -= len(self._codes.popitem(last=False)[0])
        return code


def _compiled(text: str, file: str) -> types.CodeType:
    module = compile(text, file, "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, types.CodeType))


_codes = CodeCache(_KEPT_CHARACTERS)
_shown = ShownTexts()
