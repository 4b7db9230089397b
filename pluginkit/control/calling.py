"""Hook calls from outside: each answer keeps its plugin's name, and nothing that holds the plugin.

An exception holds its traceback, that holds frames, and those hold the implementation that ran:
while somebody keeps the error of a call, its plugin cannot be unloaded. So an error is put into
words at once, and let go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.control.values import plain
from pluginkit.discovery import Found
from pluginkit.errors import (
    CallTimeout,
    ContainedError,
    Reason,
    UnknownName,
    UsageError,
    let_go_of_frames,
    passes_through,
)
from pluginkit.hooks import Outcome
from pluginkit.lifecycle import Failure
from pluginkit.lifecycle.failure import failure_of

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.control.controlled import Controlled


@dataclass(frozen=True, slots=True)
class Answer:
    """One plugin's part in a call: its result, or why there is none."""

    plugin: str
    version: str | None
    result: Any
    failure: Failure | None
    seconds: float
    error_type: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.failure is None

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, always with the same keys."""
        error = None if self.ok else {"type": self.error_type, "message": self.message}
        return {
            "plugin": self.plugin,
            "version": self.version,
            "result": plain(self.result),
            "error": error,
            "seconds": self.seconds,
        }

    def as_sent(self) -> dict[str, Any]:
        """As `as_dict`, with all that `from_sent` needs in another process."""
        return {**self.as_dict(), "failure": plain(self.failure)}

    @classmethod
    def from_sent(cls, data: Mapping[str, Any]) -> Answer:
        """The answer that another process sent."""
        error = data["error"] or {"type": "", "message": ""}
        return cls(
            data["plugin"],
            data["version"],
            data["result"],
            failure_from(data["failure"]),
            data["seconds"],
            error["type"],
            error["message"],
        )


def failure_from(data: Mapping[str, Any] | None) -> Failure | None:
    """A failure that came as plain data."""
    if data is None:
        return None
    reason = Reason(data["reason"]["code"], data["reason"]["text"])
    return Failure(**{**data, "reason": reason})


def hook_of(host: Controlled, name: str) -> HookSpecInfo:
    """The spec of a hook of one of the host's contracts. Raises `UnknownName` with the nearest."""
    specs = {hook: info for contract in host.contracts.values() for hook, info in contract.hooks.items()}
    if name not in specs:
        raise UnknownName("hook", name, specs)
    return specs[name]


def callable_hook_of(host: Controlled, name: str) -> HookSpecInfo:
    """As `hook_of`, for a hook that is to be called. Raises `UsageError` if only its host can do that."""
    spec = hook_of(host, name)
    if spec.historic:
        raise UsageError(
            f"hook {name!r} is historic: its calls are kept for plugins that come later, so only the "
            "host program can make them"
        )
    return spec


def call(
    host: Controlled,
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
    wanted = None if plugin is None else host.plugins[plugin].name
    found = outcomes(host, spec.name, arguments, plugin=wanted, timeout=timeout)
    return tuple(answer_of(host, spec.name, outcome) for outcome in found)


def outcomes(
    host: Controlled,
    name: str,
    arguments: Mapping[str, Any],
    *,
    plugin: str | None = None,
    timeout: float | None = None,
) -> Iterable[Outcome[Any]]:
    """As `call`, for any hook and any object that implements it; what comes of it is not put into words.

    Raises `InvalidArgument` if the hook's spec has a rule that does not allow one of the arguments.
    """
    hook = getattr(host.hook, name)
    if hook.spec.checks is not None:
        # Before all else: what a plugin's call raises is taken for that plugin's error.
        arguments = hook.spec.checks.arguments(arguments)
    implementations = [one for one in hook.implementations() if plugin in (None, one.plugin)]
    if plugin is not None and not implementations:
        raise UsageError(
            f"plugin {plugin!r} does not implement the hook {name!r}; see: pluginkit hooks --load"
        )
    owner = next((one for one in host.contracts.values() if name in one.hooks), None)
    is_async = any(one.asyncness != "no" for one in implementations)
    if owner is not None and (is_async or owner.hooks[name].is_async):
        from pluginkit.control.awaited import call_awaited

        providers = list(dict.fromkeys(one.provider for one in implementations))
        return call_awaited(owner, owner.hooks[name], providers, arguments, timeout)
    if plugin is None:
        found: tuple[Outcome[Any], ...] = hook.using(timeout=timeout).attributed(**arguments)
        return found
    return [_of_one(hook.using(timeout=timeout).only(plugin), plugin, implementations[0].version, arguments)]


def answer_of(host: Controlled, hook: str, outcome: Outcome[Any]) -> Answer:
    """Put an outcome into words, and take its error apart."""
    raised = error = outcome.error
    if raised is None or error is None:
        return Answer(outcome.plugin, outcome.version, outcome.result, None, outcome.seconds)
    if isinstance(error, ContainedError) and error.__cause__ is not None:
        error = error.__cause__  # it stands for SystemExit and its like, and says less than they do
    plugin = host.plugins.get(outcome.plugin)
    source = plugin.source if plugin is not None else None
    root = source.root if isinstance(source, Found) else None
    failure = failure_of(outcome.plugin, f"hook {hook}", "call-failed", error, root)
    name, message = type(error).__name__, _message(error)
    let_go_of_frames(raised)
    return Answer(outcome.plugin, outcome.version, None, failure, outcome.seconds, name, message)


def _of_one(
    implementation: Callable[..., Any], plugin: str, version: str | None, arguments: Mapping[str, Any]
) -> Outcome[Any]:
    began = time.perf_counter()
    result, failure = None, None
    try:
        result = implementation(**arguments)
    except BaseException as error:
        if passes_through(error) or isinstance(error, CallTimeout):
            raise
        failure = error
    return Outcome(plugin, version, result, failure, time.perf_counter() - began)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"<{type(broken).__name__} while reading its message>"
