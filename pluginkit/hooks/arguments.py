"""Fitting the arguments of a call to a hook, and to an implementation."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from pluginkit.errors import UsageError
from pluginkit.hooks.entry import ABSENT
from pluginkit.hooks.spec import HookSpec
from pluginkit.hooks.values import Implementation


def picked(implementation: Implementation, arguments: Mapping[str, Any]) -> list[Any]:
    """The arguments that the implementation has to get, in its order."""
    return [arguments[name] for name in implementation.argnames]


def optional(implementation: Implementation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those that it has defaults for and that the caller gave."""
    return {name: arguments[name] for name in implementation.kwargnames if name in arguments}


def gathered(
    spec: HookSpec,
    implementations: Iterable[Implementation],
    given: Mapping[str, Any],
    *,
    stacklevel: int,
) -> dict[str, Any]:
    """The arguments of an irregular call of a lenient hook, defaults filled in.

    As with pluggy, a missing argument is only a warning, at the caller's line, unless an
    implementation needs it.

    Raises:
        UsageError: an implementation needs an argument that is missing.
    """
    arguments = {**spec.defaults, **{k: v for k, v in given.items() if v is not ABSENT}}
    missing = [name for name in spec.argnames if name not in arguments]
    if missing:
        listed = ", ".join(map(repr, missing))
        warnings.warn(
            f"Argument(s) {listed} which are declared in the hookspec cannot be found in this hook call",
            stacklevel=stacklevel + 1,
        )
    for implementation in implementations:
        needed = next((name for name in implementation.argnames if name not in arguments), None)
        if needed is not None:
            raise UsageError(
                f"hook {spec.name!r} was called without {needed!r}, which plugin {implementation.plugin!r} needs"
            )
    return arguments
