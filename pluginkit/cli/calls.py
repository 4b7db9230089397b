"""Hook calls from outside: what was typed becomes arguments, each answer keeps its plugin's name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.cli.answers import Answer, answer_of
from pluginkit.cli.log_lines import failures_are_told
from pluginkit.cli.values import plain
from pluginkit.errors import CallTimeout, UnknownName, UsageError, passes_through
from pluginkit.hooks import Outcome

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.host import Host


def hook_of(host: Host, name: str) -> HookSpecInfo:
    """The spec of a hook of one of the host's contracts. Raises `UnknownName` with the nearest."""
    specs = {hook: info for contract in host.contracts.values() for hook, info in contract.hooks.items()}
    if name not in specs:
        raise UnknownName("hook", name, specs)
    return specs[name]


def callable_hook_of(host: Host, name: str) -> HookSpecInfo:
    """As `hook_of`, for a hook that is to be called. Raises `UsageError` if only its host can do that."""
    spec = hook_of(host, name)
    if spec.historic:
        raise UsageError(
            f"hook {name!r} is historic: its calls are kept for plugins that come later, so only the "
            "host program can make them"
        )
    return spec


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
    """Call a hook, or one plugin's implementation of it; a failure is an answer like any other.

    Raises `CallTimeout` when it takes longer than `timeout` seconds, `UsageError` if `plugin` does
    not implement the hook.
    """
    hook = getattr(host.hook, spec.name)
    wanted = None if plugin is None else host.plugins[plugin].name
    implementations = [one for one in hook.implementations() if wanted in (None, one.plugin)]
    if wanted is not None and not implementations:
        raise UsageError(
            f"plugin {wanted!r} does not implement the hook {spec.name!r}; see: pluginkit hooks --load"
        )
    outcomes: Iterable[Outcome[Any]]
    with failures_are_told():
        if spec.is_async or any(one.asyncness != "no" for one in implementations):
            from pluginkit.cli.awaited import call_awaited

            providers = list(dict.fromkeys(one.provider for one in implementations))
            outcomes = call_awaited(host.contracts[spec.contract], spec, providers, arguments, timeout)
        elif wanted is None:
            outcomes = hook.using(timeout=timeout).attributed(**arguments)
        else:
            outcomes = [_of_one(host, hook.using(timeout=timeout).only(wanted), wanted, arguments)]
    return tuple(answer_of(host, spec.name, outcome) for outcome in outcomes)


def shown_call(spec: HookSpecInfo, arguments: Mapping[str, Any]) -> str:
    """A call as a line: `speak(is_loud=true)`."""
    given = (
        f"{key}={json.dumps(plain_argument(value), ensure_ascii=False)}" for key, value in arguments.items()
    )
    return f"{spec.name}({', '.join(given)})"


def plain_argument(value: object) -> Any:
    """An argument as plain data; a context by its values."""
    from pluginkit.contracts import CallContext

    return plain(value.values if isinstance(value, CallContext) else value)


def _of_one(
    host: Host, implementation: Callable[..., Any], plugin: str, arguments: Mapping[str, Any]
) -> Outcome[Any]:
    version, began = host.plugins[plugin].version, time.perf_counter()
    result, failure = None, None
    try:
        result = implementation(**arguments)
    except BaseException as error:
        if passes_through(error) or isinstance(error, CallTimeout):
            raise
        failure = error
    return Outcome(plugin, version, result, failure, time.perf_counter() - began)
