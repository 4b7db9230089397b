"""Whether an implementation can be called as its hook will call it: decided before it is added."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

from pluginkit.errors import ContractError, Reason, did_you_mean
from pluginkit.hooks.spec import HookSpec
from pluginkit.hooks.values import Implementation


def verify(spec: HookSpec, implementation: Implementation) -> None:
    """Check an implementation against its hook, and issue the warnings that the hook asks for.

    Raises:
        ContractError: names the plugin, the hook and what is different.
    """
    difference = difference_of(spec, implementation)
    if difference is not None:
        written = f"{implementation.function.__name__}{inspect.signature(implementation.function)}"
        text = f"hook {spec.name!r}: {difference} (it is written {written})"
        raise ContractError(implementation.plugin, Reason("hook-mismatch", text))
    if spec.warn_on_impl is not None:
        _warn_at(spec.warn_on_impl, implementation.function)
    for name in (*implementation.argnames, *implementation.kwargnames):
        warning = (spec.warn_on_impl_args or {}).get(name)
        if warning is not None:
            _warn_at(warning, implementation.function)


def difference_of(spec: HookSpec, implementation: Implementation) -> str | None:
    """Why the implementation cannot serve the hook, or None."""
    if implementation.wrapper and implementation.hookwrapper:
        return (
            "wrapper=True and hookwrapper=True exclude each other; a new-style wrapper is wrapper=True alone"
        )
    if implementation.is_wrapper and spec.historic:
        return "a historic hook is called again for each plugin alone, so there is nothing to wrap"
    if implementation.is_wrapper and not inspect.isgeneratorfunction(implementation.function):
        return "a wrapper needs a yield, at which the others run: result = yield"
    unknown = [name for name in implementation.argnames if name not in spec.argnames]
    if not unknown:
        return None
    passed = ", ".join(spec.argnames) or "nothing"
    takes = ", ".join(map(repr, unknown))
    return f"it takes {takes}, but the host passes {passed}{_meant(unknown[0], spec)}"


def _meant(name: str, spec: HookSpec) -> str:
    hint = did_you_mean(name, spec.argnames)
    return hint if hint.endswith("?") else ""


def _warn_at(warning: Warning, function: Callable[..., Any]) -> None:
    code = inspect.unwrap(function).__code__
    warnings.warn_explicit(warning, type(warning), code.co_filename, code.co_firstlineno)
