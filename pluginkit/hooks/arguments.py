"""Fitting the arguments of a call to a hook, and to an implementation."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UsageError
from pluginkit.hooks.entry import ABSENT

if TYPE_CHECKING:
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
) -> dict[str, Any]:
    """The arguments of an irregular call of a lenient hook, defaults filled in.

    As with pluggy, a missing argument is only a warning, at the caller's line, unless an
    implementation needs it.

    Raises:
        UsageError: an implementation needs an argument that is missing.
    """
    arguments = {**spec.defaults, **{k: v for k, v in given.items() if v is not ABSENT}}
    warn_of_missing(spec.argnames, arguments)
    for implementation in implementations:
        needed = next((name for name in implementation.argnames if name not in arguments), None)
        if needed is not None:
            raise UsageError(
                f"hook {spec.name!r} was called without {needed!r}, which plugin {implementation.plugin!r} needs"
            )
    return arguments


def warn_of_missing(expected: Iterable[str], arguments: Mapping[str, Any]) -> None:
    """Warn of expected arguments that a lenient call does not give, as pluggy does."""
    missing = [name for name in expected if name not in arguments]
    if missing:
        warn_caller(
            f"Argument(s) {', '.join(map(repr, missing))} which are declared in the hookspec "
            "cannot be found in this hook call"
        )


def refuse_positional(hook: str, positional: Sequence[Any]) -> None:
    """Hooks are called by keyword; this says so in the words that Python and pluggy use."""
    if positional:
        raise TypeError(
            f"hook.{hook}.__call__() takes 1 positional argument but {1 + len(positional)} were given; "
            f"hooks take keyword arguments only"
        )


def warn_caller(message: str | Warning) -> None:
    """Issue a warning at the line that called the hook, however deep in a call it comes up."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


_HERE = os.path.dirname(__file__) + os.sep
_PLUGGY = f"{os.sep}pluggy{os.sep}"


def _is_ours(file: str) -> bool:
    """Whether a frame belongs to the machinery of a call, pluggy's part of a `PluginManager` included."""
    return file.startswith((_HERE, "<hook ")) or _PLUGGY in file
