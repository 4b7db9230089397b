"""What stands in front of a hook's body: one generated function that stays the same for ever.

    def speak(*, is_loud):
        return body(is_loud)

It has the signature of the spec, so Python itself refuses a misspelt argument, and `body` is a
global of its own name space: assigning that one name replaces what the hook does, for every
handle that anybody holds. A call that has begun keeps the body that it began with.

Of the forms measured, an object with a `__call__` costs 300 ns and more per call, a
`functools.partial` subclass 120 on Python 3.11; this function costs 20. What else a hook can do
is found in the function's attributes.

The lenient hooks of a `PluginManager` save those 20 as well: there the body's lines are put
into the function itself (`inline`), by swapping its code.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pluginkit.hooks.body import indented, text_of
from pluginkit.hooks.compiling import code_of
from pluginkit.hooks.naming import identifier, labels

ABSENT: Any = object()
"""Stands for an argument that a lenient call leaves out and that has no default."""

Body = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call of a hook may be given: its arguments in order, and those with a default.

    `strict` ones are exactly these; lenient ones may lack some, or come with others.
    """

    names: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = True
    doc: str | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)


class Entry:
    """A hook's function and the place of its body.

    Args:
        name: the hook's name.
        parameters: what may be given; None for anything, and the body then gets one dictionary.
        body: the first body.
        irregular: called instead of the body when a call of a lenient hook lacks an argument,
            or has one that is not among the parameters: with the named arguments, `ABSENT`
            among them, with the others, and with what came by position.
    """

    def __init__(
        self, name: str, parameters: Parameters | None, body: Body, irregular: Callable[..., Any]
    ) -> None:
        self._name = name
        self._irregular = irregular
        self._form = _EntryForm.of(name, parameters)
        self._code = self._form.code()
        self.function: Any = types.FunctionType(self._code, {"__name__": __name__})
        self._describe(parameters)
        self.body = body

    @property
    def body(self) -> Body:
        """What a call of the function runs; setting it is the one assignment of a swap."""
        body: Body = self.function.__globals__[self._form.body]
        return body

    @body.setter
    def body(self, body: Body) -> None:
        self.function.__globals__[self._form.body] = body

    def respecify(self, parameters: Parameters, body: Body) -> None:
        """Give a hook that was called without a spec its signature; the function stays the same.

        Everything that the new code reads is there before the code is replaced.
        """
        former = self._form.body
        self._form = _EntryForm.of(self._name, parameters)
        self._code = self._form.code()
        self._describe(parameters)
        self.body = body
        self.function.__code__ = self._code
        # For a call that another thread has begun in the former code.
        self.function.__globals__[former] = partial(self._irregular, {})

    def inline(self, lines: Iterable[str], names: Mapping[str, Any], helpers: Mapping[str, Any]) -> None:
        """Put a body's lines into the function itself, until `outline`.

        The lines use `names`, none of which may be `taken`, and which go when the last call
        that runs these lines has ended. The `helpers` stay.
        """
        own = self.function.__globals__
        own.update(helpers)
        own.update(names)
        code = self._form.code(lines)
        # Weakly: what waits for the code's end must not keep the function, and all behind it, alive.
        weakref.finalize(code, _forget, weakref.ref(self.function), tuple(names)).atexit = False
        self.function.__code__ = code

    def outline(self) -> None:
        """Have the function run `body` again."""
        self.function.__code__ = self._code

    def taken(self) -> frozenset[str]:
        """Names that lines to be put in place must not use for anything else."""
        return frozenset((*self.function.__globals__, *self._form.names))

    def _describe(self, parameters: Parameters | None) -> None:
        function = self.function
        function.__globals__[self._form.irregular] = self._irregular
        function.__name__ = self._name
        function.__qualname__ = f"hook.{self._name}"
        function.__module__ = "pluginkit"
        if parameters is not None:
            function.__doc__ = parameters.doc
            function.__annotations__ = {k: v for k, v in parameters.annotations.items() if k != "return"}
            absent = {} if parameters.strict else dict.fromkeys(parameters.names, ABSENT)
            function.__kwdefaults__ = {**absent, **parameters.defaults} or None


@dataclass(frozen=True, slots=True)
class _EntryForm:
    """The first lines of an entry function, and what it calls its own names."""

    hook: str
    head: tuple[str, ...]
    call: str
    body: str
    irregular: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, hook: str, parameters: Parameters | None) -> _EntryForm:
        if parameters is None:
            return cls._of_anything(hook)
        own = labels(("body", "irregular", "extra", "positional"), taken=parameters.names)
        body, irregular, extra, positional = own
        call = f"{body}({', '.join(parameters.names)})"
        title = identifier(hook)
        if parameters.strict:
            given = ", ".join(["*", *parameters.names]) if parameters.names else ""
            return cls(hook, (f"def {title}({given}):",), call, body, irregular, parameters.names)
        tests = [f"{name} is ..." for name in parameters.names if name not in parameters.defaults]
        given = ", ".join(f"{name!r}: {name}" for name in parameters.names)
        head = (
            f"def {title}({', '.join([f'*{positional}', *parameters.names, f'**{extra}'])}):",
            f"    if {' or '.join([positional, extra, *tests])}:",
            f"        return {irregular}({{{given}}}, {extra}, *{positional})",
        )
        return cls(hook, head, call, body, irregular, (*parameters.names, extra, positional))

    @classmethod
    def _of_anything(cls, hook: str) -> _EntryForm:
        head = (
            f"def {identifier(hook)}(*positional, **arguments):",
            "    if positional:",
            "        return irregular({}, arguments, *positional)",
        )
        return cls(hook, head, "mapped(arguments)", "mapped", "irregular", ("positional", "arguments"))

    def code(self, lines: Iterable[str] | None = None) -> types.CodeType:
        """The code that ends in these lines, or in a call of the body.

        Where the text tests for `...` the code has `ABSENT`: as a constant it is tested faster
        than as a global. `...` itself cannot be the mark, since somebody may pass it.
        """
        tail = [f"return {self.call}"] if lines is None else lines
        return code_of(text_of([*self.head, *indented(tail)]), self.hook, ellipsis=ABSENT)


def _forget(function: weakref.ref[types.FunctionType], gone: Iterable[str]) -> None:
    alive = function()
    if alive is not None:
        for name in gone:
            alive.__globals__.pop(name, None)
