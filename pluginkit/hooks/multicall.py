"""pluggy's way of calling, on generated bodies: exceptions fly, wrappers may catch them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pluggy import HookCallError, HookImpl

from pluginkit.hooks import wrapping
from pluginkit.hooks.arguments import optional
from pluginkit.hooks.body import Form, Role, body_lines, body_text, callees_of
from pluginkit.hooks.checks import Checks
from pluginkit.hooks.compiling import function_of
from pluginkit.hooks.naming import identifier, labels, locals_of


def multicall(
    hook_name: str,
    hook_impls: Sequence[HookImpl],
    caller_kwargs: Mapping[str, object],
    firstresult: bool,
) -> Any:
    """Call implementations, the last of `hook_impls` first, with arguments by name.

    Raises:
        HookCallError: an implementation needs an argument that is missing.
    """
    checks = getattr(hook_impls[0], "checks", None) if hook_impls else None
    body = PluggyBody(hook_name, hook_impls, None, firstresult=firstresult, checks=checks)
    return body.function()(caller_kwargs)


class CheckedImpl(HookImpl):  # type: ignore[misc]  # final, so that nobody relies on its parts; these are pluggy's
    """An implementation that brings the rules of its hook along, past monitors that know nothing of them."""

    checks: Checks

    @classmethod
    def of(cls, implementation: HookImpl, checks: Checks) -> CheckedImpl:
        """The same implementation, with these rules."""
        made = cls(
            implementation.plugin, implementation.plugin_name, implementation.function, implementation.opts
        )
        made.checks = checks
        return made


class PluggyBody:
    """The body that calls `hook_impls`, the last first.

    It takes the arguments that `parameters` name, in that order, or one mapping if that is
    None. `taken` are names that its text must not use, `checks` the rules of the hook.
    """

    def __init__(
        self,
        hook: str,
        hook_impls: Sequence[HookImpl],
        parameters: Sequence[str] | None,
        *,
        firstresult: bool,
        taken: frozenset[str] = frozenset(),
        checks: Checks | None = None,
    ) -> None:
        self._hook = hook
        self._firstresult = firstresult
        self._checks = checks
        self._called = tuple(reversed(hook_impls))
        arguments = None if parameters is None else locals_of(parameters)
        (holder,) = labels(["implementations"], taken)
        self._written = None if checks is None else checks.written(arguments, taken)
        self._form = Form(
            identifier(hook),
            arguments,
            firstresult,
            errors="none",
            holder=holder,
            accepts={} if self._written is None else self._written.accepts,
            answer="" if self._written is None else self._written.answer,
        )
        used = {holder, *taken, *(arguments or {}).values()}
        if self._written is not None:
            used.update(self._written.functions)
        self._callees = callees_of(self._called, _role, used)

    def text(self) -> str:
        return body_text(self._form, self._callees)

    def lines(self) -> list[str]:
        """The text without its `def`, to be put where the arguments have their own names."""
        return body_lines(self._form, self._callees)

    def function(self) -> Callable[..., Any]:
        return function_of(self.text(), {**self.helpers(), **self.names()}, self._hook)

    def names(self) -> dict[str, Any]:
        """What the text uses that belongs to these implementations."""
        names: dict[str, Any] = {self._form.holder: self._called}
        for callee, implementation in zip(self._callees, self._called, strict=True):
            names[callee.label] = implementation.function
        if self._written is not None:
            names.update(self._written.functions)
        return names

    def helpers(self) -> dict[str, Any]:
        """What it uses besides."""
        return {
            "entered": wrapping.entered,
            "leave": wrapping.leave
            if self._checks is None
            else self._checks.leaving(single=self._firstresult),
            "adapted": partial(wrapping.adapted, hook=self._hook),
            "picked": _picked,
            "optional": optional,
        }


def _role(implementation: HookImpl) -> Role:
    if implementation.wrapper:
        return "wrapper"
    return "old wrapper" if implementation.hookwrapper else "plain"


def _picked(implementation: HookImpl, arguments: Mapping[str, Any]) -> list[Any]:
    try:
        return [arguments[name] for name in implementation.argnames]
    except KeyError as error:
        raise HookCallError(f"hook call must provide argument {error.args[0]!r}") from error
