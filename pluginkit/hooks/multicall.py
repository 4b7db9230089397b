"""pluggy's way of calling, on generated bodies: exceptions fly, wrappers may catch them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pluggy import HookCallError

from pluginkit.hooks import wrapping
from pluginkit.hooks.arguments import optional
from pluginkit.hooks.body import RESERVED, Callee, Form, body_text, identifier, labels
from pluginkit.hooks.compiling import function_of

if TYPE_CHECKING:
    from pluggy import HookImpl


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
    return pluggy_body(hook_name, hook_impls, None, firstresult=firstresult)(caller_kwargs)


def pluggy_body(
    name: str, hook_impls: Sequence[HookImpl], parameters: Sequence[str] | None, *, firstresult: bool
) -> Callable[..., Any]:
    """The function that calls `hook_impls`, the last first.

    It takes the arguments that `parameters` name, in that order, or one mapping if that is
    None.
    """
    called = tuple(reversed(hook_impls))
    form = Form(identifier(name), _locals(parameters), firstresult, errors="none")
    callees = _callees(called, form)
    names: dict[str, Any] = {
        "implementations": called,
        "entered": wrapping.entered,
        "leave": wrapping.leave,
        "adapted": partial(wrapping.adapted, hook=name),
        "picked": _picked,
        "optional": optional,
    }
    for callee, implementation in zip(callees, called, strict=True):
        names[callee.label] = implementation.function
    return function_of(body_text(form, callees), names, f"hook {name}")


def pluggy_source(
    name: str, hook_impls: Sequence[HookImpl], parameters: Sequence[str] | None, *, firstresult: bool
) -> str:
    """The text of that function."""
    form = Form(identifier(name), _locals(parameters), firstresult, errors="none")
    return body_text(form, _callees(tuple(reversed(hook_impls)), form))


def _locals(parameters: Sequence[str] | None) -> dict[str, str] | None:
    if parameters is None:
        return None
    return dict(zip(parameters, labels(parameters, taken=RESERVED), strict=True))


def _callees(called: Sequence[HookImpl], form: Form) -> list[Callee]:
    taken = RESERVED.union((form.parameters or {}).values())
    names = [implementation.plugin_name for implementation in called]
    chosen = labels([*names, *(f"in_{name}" for name in names)], taken)
    return [
        Callee(
            chosen[index],
            implementation.argnames,
            implementation.kwargnames,
            "wrapper" if implementation.wrapper else "old wrapper" if implementation.hookwrapper else "plain",
            chosen[len(names) + index],
        )
        for index, implementation in enumerate(called)
    ]


def _picked(implementation: HookImpl, arguments: Mapping[str, Any]) -> list[Any]:
    try:
        return [arguments[name] for name in implementation.argnames]
    except KeyError as error:
        raise HookCallError(f"hook call must provide argument {error.args[0]!r}") from error
