"""What stands in front of a hook's body: one generated function that stays the same for ever.

    def speak(*, is_loud):
        return body(is_loud)

It has the signature of the spec, so Python itself refuses a misspelt argument, and `body` is a
global of its own name space: assigning that one name replaces what the hook does, for every
handle that anybody holds. A call that has begun keeps the body that it began with.

Of the forms measured, an object with a `__call__` costs 300 ns and more per call, a
`functools.partial` subclass 120 on Python 3.11; this function costs 20. What else a hook can do
is found in the function's attributes.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pluginkit.hooks.body import identifier, labels
from pluginkit.hooks.compiling import function_of

ABSENT = type("Absent", (), {"__repr__": lambda self: "<absent>"})()
"""Stands for an argument that a lenient call leaves out and that has no default."""

Body = Callable[..., Any]
Irregular = Callable[..., Any]


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

    def __init__(self, name: str, parameters: Parameters | None, body: Body, irregular: Irregular) -> None:
        self._name = name
        self._irregular = irregular
        text, names = _entry_text(name, parameters)
        self.function: Any = function_of(text, {}, f"hook {name}")
        self.function.__code__ = _knowing_absent(self.function.__code__)
        self._key = names["body"]
        self._describe(parameters, names, body)

    @property
    def body(self) -> Body:
        """What a call of the function runs; setting it is the one assignment of a swap."""
        body: Body = self.function.__globals__[self._key]
        return body

    @body.setter
    def body(self, body: Body) -> None:
        self.function.__globals__[self._key] = body

    def respecify(self, parameters: Parameters, body: Body) -> None:
        """Give a hook that was called without a spec its signature; the function stays the same.

        Everything that the new code reads is there before the code is replaced.
        """
        text, names = _entry_text(self._name, parameters)
        code = _knowing_absent(function_of(text, {}, f"hook {self._name}").__code__)
        former = self._key
        self._describe(parameters, names, body)
        self.function.__code__ = code
        self._key = names["body"]
        # For a call that another thread has begun in the former code.
        self.function.__globals__[former] = partial(self._irregular, {})

    def _describe(self, parameters: Parameters | None, names: dict[str, str], body: Body) -> None:
        function = self.function
        function.__globals__.update(
            {names["body"]: body, names["irregular"]: self._irregular}
        )
        function.__name__ = self._name
        function.__qualname__ = f"hook.{self._name}"
        function.__module__ = "pluginkit"
        if parameters is not None:
            function.__doc__ = parameters.doc
            function.__annotations__ = {k: v for k, v in parameters.annotations.items() if k != "return"}
            absent = {} if parameters.strict else dict.fromkeys(parameters.names, ABSENT)
            function.__kwdefaults__ = {**absent, **parameters.defaults} or None


_OWN_NAMES = ("body", "irregular", "extra", "positional")


def _entry_text(name: str, parameters: Parameters | None) -> tuple[str, dict[str, str]]:
    """The text of the function, and what it calls each of its own names there."""
    arguments = () if parameters is None else parameters.names
    own = ("mapped" if parameters is None else "body", *_OWN_NAMES[1:])
    names = dict(zip(_OWN_NAMES, labels(own, taken=arguments), strict=True))
    return "".join(f"{line}\n" for line in _entry_lines(identifier(name), parameters, names)), names


def _entry_lines(title: str, parameters: Parameters | None, names: dict[str, str]) -> list[str]:
    body, irregular, extra, positional = names.values()
    if parameters is None:
        return [
            f"def {title}(*{positional}, **arguments):",
            f"    if {positional}:",
            f"        return {irregular}({{}}, arguments, *{positional})",
            f"    return {body}(arguments)",
        ]
    call = f"    return {body}({', '.join(parameters.names)})"
    if parameters.strict:
        return [f"def {title}({', '.join(['*', *parameters.names]) if parameters.names else ''}):", call]
    tests = [f"{name} is ..." for name in parameters.names if name not in parameters.defaults]
    given = ", ".join(f"{name!r}: {name}" for name in parameters.names)
    return [
        f"def {title}({', '.join([f'*{positional}', *parameters.names, f'**{extra}'])}):",
        f"    if {' or '.join([positional, extra, *tests])}:",
        f"        return {irregular}({{{given}}}, {extra}, *{positional})",
        call,
    ]


def _knowing_absent(code: types.CodeType) -> types.CodeType:
    """The same code with `ABSENT` where the text has `...`.

    As a constant the mark is tested faster than as a global, and a lenient call makes as many
    tests as it has arguments. `...` itself cannot be the mark: somebody may pass it.
    """
    constants = tuple(ABSENT if constant is ... else constant for constant in code.co_consts)
    return code.replace(co_consts=constants)
