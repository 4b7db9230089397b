"""Which signatures can implement a hook, and what is wrong with the others.

The rule is pluggy's: fewer parameters than the hook passes are fine, and so are own ones that
have a default. What pluggy lets pass and then never fills is refused: parameters by keyword only,
`*args` and `**kwargs` in place of names.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Sequence

from pluginkit.contracts.hook_info import HookSpecInfo
from pluginkit.contracts.implementation import Given
from pluginkit.errors import nearest

_BY_NAME = inspect.Parameter.POSITIONAL_OR_KEYWORD
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_ITERABLE = re.compile(r"\b(Async)?(Iterable|Iterator|Generator)\b|\bAny\b|\bobject\b")


def signature_complaints(spec: HookSpecInfo, one: Given) -> Iterator[str]:
    """Each reason why a call of the hook could not reach this implementation as its author thinks."""
    if one.lacks_self:
        yield "lacks self, whose place the first parameter would take"
        return
    names = {parameter.name for parameter in one.parameters}
    unknown = [parameter.name for parameter in one.parameters if _is_unknown(spec, parameter)]
    complaints = [text for p in one.parameters if (text := _never_filled(spec, p, names))]
    if unknown:
        complaints.insert(0, _not_passed(spec, unknown, names))
    yield from complaints
    left_out = [name for name in spec.parameters if name not in names]
    if spec.exact and left_out and not one.is_wrapper and not complaints:
        yield f"does not take {_listed(left_out)}, which hook {spec.name!r} asks for"


def _is_unknown(spec: HookSpecInfo, parameter: inspect.Parameter) -> bool:
    """Whether this parameter needs a value that the hook does not pass."""
    needed = parameter.default is parameter.empty and parameter.kind is _BY_NAME
    return needed and parameter.name not in spec.parameters


def _not_passed(spec: HookSpecInfo, unknown: Sequence[str], names: Collection[str]) -> str:
    free = [passed for passed in spec.parameters if passed not in names]
    sentence = f"takes {_listed(unknown)}, which hook {spec.name!r} does not pass"
    if len(unknown) == len(free) == 1:
        return f"{sentence}; did you mean {free[0]!r}?"
    return f"{sentence}; it passes {_listed(spec.parameters) or 'nothing'}"


def _never_filled(spec: HookSpecInfo, parameter: inspect.Parameter, names: Collection[str]) -> str:
    """Why a parameter that is no plain name would never get a value; empty if it does no harm."""
    name, kind = parameter.name, parameter.kind
    if kind in _REST:
        # Harmless beside all the names, as a provision for parameters of a later version.
        complete = all(passed in names for passed in spec.parameters)
        return (
            "" if complete else f"takes '{parameter.replace(annotation=parameter.empty)}', which stays empty"
        )
    if kind is inspect.Parameter.POSITIONAL_ONLY:
        return f"takes {name!r} by position only; drop the '/'"
    wanted = name in spec.parameters or parameter.default is parameter.empty
    if kind is inspect.Parameter.KEYWORD_ONLY and wanted:
        return f"takes {name!r} by keyword only, which is never passed; drop the '*'"
    return ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(repr, names))


def never_passed(spec: HookSpecInfo, one: Given) -> Iterator[tuple[str, str]]:
    """Own parameters with a default that look like a misspelt one of the hook, with that one."""
    names = [parameter.name for parameter in one.parameters]
    free = [passed for passed in spec.parameters if passed not in names]
    for parameter in one.parameters:
        has_default = parameter.default is not parameter.empty
        meant = nearest(parameter.name, free) if parameter.name not in spec.parameters else None
        if has_default and meant is not None:
            yield parameter.name, meant


def may_iterate(spec: HookSpecInfo) -> bool | None:
    """Whether the hook's declared result can be a generator; None if nothing is declared."""
    declared = spec.annotations.get("return")
    return None if declared is None else _ITERABLE.search(str(declared)) is not None


def passed(spec: HookSpecInfo) -> list[inspect.Parameter]:
    """The parameters of an implementation that takes all: the host fills in defaults itself."""
    return [parameter.replace(default=parameter.empty) for parameter in spec.signature.parameters.values()]
