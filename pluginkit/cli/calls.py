"""Hook calls from the command line: what was typed becomes arguments, what came of it is told once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.cli.log_lines import failures_are_told
from pluginkit.control import calling
from pluginkit.control.calling import Answer
from pluginkit.control.requests import plain_argument
from pluginkit.errors import UsageError

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.host import Host


def pairs(words: Iterable[str]) -> dict[str, str]:
    """`key=value` words as a mapping. Raises `UsageError` for one of another form, or given twice.

    >>> pairs(["text=a=b", "is_loud=yes"])
    {'text': 'a=b', 'is_loud': 'yes'}
    """
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"arguments of a hook are given as key=value, not {word!r}")
        if key in given:
            raise UsageError(f"{key!r} is given twice: {given[key]!r} and {value!r}")
        given[key] = value
    return given


def call(
    host: Host,
    spec: HookSpecInfo,
    arguments: Mapping[str, Any],
    *,
    plugin: str | None = None,
    timeout: float | None = None,
) -> tuple[Answer, ...]:
    """Call a hook of a host of our own; whoever calls this shows the failures."""
    with failures_are_told():
        return calling.call(host, spec, arguments, plugin=plugin, timeout=timeout)


def shown_call(spec: HookSpecInfo, arguments: Mapping[str, Any]) -> str:
    """A call as a line: `speak(is_loud=true)`."""
    given = (
        f"{key}={json.dumps(plain_argument(value), ensure_ascii=False)}" for key, value in arguments.items()
    )
    return f"{spec.name}({', '.join(given)})"
