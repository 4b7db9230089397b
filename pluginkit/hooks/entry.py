"""What stands in front of a hook's body: one plain function that stays the same for ever.

    def speak(*, is_loud):
        return body(is_loud)

It has the signature of the spec, so Python itself refuses a misspelt argument, and `body` is a
global of its own name space: assigning that one name replaces what the hook does, for every
handle that anybody holds. A call that has begun keeps the body that it began with.

Of the forms measured, an object with a `__call__` costs 300 ns and more per call, a
`functools.partial` subclass 120 on Python 3.11; this function costs 20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pluginkit.hooks.body import identifier, labels
from pluginkit.hooks.compiling import function_of
from pluginkit.hooks.spec import HookSpec

ABSENT = type("Absent", (), {"__repr__": lambda self: "<absent>"})()
"""Stands for an argument that a lenient call leaves out and that has no default."""

Body = Callable[..., Any]
Irregular = Callable[[dict[str, Any], dict[str, Any]], Any]


class Entry:
    """A hook's function and the place of its body.

    `irregular` is called instead of the body when a call of a lenient hook lacks an argument,
    or has one that the spec does not know: with the arguments named by the spec, `ABSENT`
    among them, and with the others. Without a spec the body gets one dictionary.
    """

    def __init__(self, name: str, spec: HookSpec | None, body: Body, irregular: Irregular) -> None:
        self._name = name
        self._irregular = irregular
        text, names = _entry_text(name, spec)
        self.function: Any = function_of(text, {}, f"hook {name}")
        self._key = names["body"]
        self._describe(spec, names, body)

    @property
    def body(self) -> Body:
        """What a call of the function runs; setting it is the one assignment of a swap."""
        body: Body = self.function.__globals__[self._key]
        return body

    @body.setter
    def body(self, body: Body) -> None:
        self.function.__globals__[self._key] = body

    def respecify(self, spec: HookSpec, body: Body) -> None:
        """Give a hook that was called without a spec its signature; the function stays the same.

        Everything that the new code reads is there before the code is replaced.
        """
        text, names = _entry_text(self._name, spec)
        code = function_of(text, {}, f"hook {self._name}").__code__
        self._describe(spec, names, body)
        self.function.__code__ = code
        self._key = names["body"]

    def _describe(self, spec: HookSpec | None, names: dict[str, str], body: Body) -> None:
        function = self.function
        function.__globals__.update(
            {names["body"]: body, names["absent"]: ABSENT, names["irregular"]: self._irregular}
        )
        function.__name__ = self._name
        function.__qualname__ = f"hook.{self._name}"
        function.__module__ = "pluginkit"
        if spec is not None:
            function.__doc__ = spec.doc
            function.__annotations__ = {k: v for k, v in spec.annotations.items() if k != "return"}
            absent = {} if spec.strict else dict.fromkeys(spec.argnames, ABSENT)
            function.__kwdefaults__ = {**absent, **spec.defaults} or None


def _entry_text(name: str, spec: HookSpec | None) -> tuple[str, dict[str, str]]:
    """The text of the function, and what it calls `body`, `absent`, `irregular` and `extra`."""
    arguments = () if spec is None else spec.argnames
    own = ("body", "absent", "irregular", "extra")
    names = dict(zip(own, labels(own, taken=arguments), strict=True))
    return "".join(f"{line}\n" for line in _entry_lines(identifier(name), spec, names)), names


def _entry_lines(title: str, spec: HookSpec | None, names: dict[str, str]) -> list[str]:
    body, absent, irregular, extra = names.values()
    if spec is None:
        return [f"def {title}(**arguments):", f"    return {body}(arguments)"]
    parameters = ["*", *spec.argnames] if spec.argnames else []
    call = f"    return {body}({', '.join(spec.argnames)})"
    if spec.strict:
        return [f"def {title}({', '.join(parameters)}):", call]
    tests = [extra, *(f"{name} is {absent}" for name in spec.argnames if name not in spec.defaults)]
    given = ", ".join(f"{name!r}: {name}" for name in spec.argnames)
    return [
        f"def {title}({', '.join([*parameters, f'**{extra}'])}):",
        f"    if {' or '.join(tests)}:",
        f"        return {irregular}({{{given}}}, {extra})",
        call,
    ]
