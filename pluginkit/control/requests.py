"""What can be asked of a running host: one function for each request, its arguments checked by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.control.protocol import BadRequest
from pluginkit.control.values import plain
from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.errors import UnknownName, did_you_mean
from pluginkit.printable import quoted

if TYPE_CHECKING:
    from pluginkit.control.controlled import Controlled
    from pluginkit.lifecycle import ReloadReport

Result = dict[str, Any]

LONGEST = 24 * 3600.0
"""Seconds that a request may ask its host to wait."""
QUIET = 0.1
"""Seconds that must have passed since somebody wrote the files of a plugin: an editor may be at it yet."""


def ping(host: Controlled) -> Result:
    """Whether the host answers, and how many plugins it knows."""
    return {"plugins": len(host.plugins)}


def list_plugins(host: Controlled) -> Result:
    """The rows of `pluginkit list`. The host looks for plugins anew; nothing is imported."""
    from pluginkit.control.describing import row_of

    host.refresh()
    return {"plugins": [row_of(plugin) for plugin in host.plugins.everything()]}


def info(host: Controlled, name: str) -> Result:
    """All that is known of one plugin."""
    from pluginkit.control.describing import details_of, row_of

    plugin = host.refresh()[name]
    return {"plugin": {**row_of(plugin), **details_of(host, plugin)}, **watching(host)}


def hooks(host: Controlled, name: str | None = None) -> Result:
    """All hooks, or one, with those that implement them now."""
    from pluginkit.control.calling import hook_of
    from pluginkit.control.describing import all_specs, describe_hook

    specs = all_specs(host) if name is None else [hook_of(host, name)]
    return {"hooks": [describe_hook(host, spec, loaded=True) for spec in specs]}


def call(
    host: Controlled,
    hook: str,
    text: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    plugin: str | None = None,
    timeout: float | None = None,
) -> Result:
    """Call a hook; arguments are texts, read by the annotations of its spec, or values as they are."""
    from pluginkit.contracts import arguments_from_text, arguments_from_values
    from pluginkit.control import calling

    if text is not None and values is not None:
        raise BadRequest('the arguments of a call are given as "text" or as "values", not as both')
    if not all(isinstance(value, str) for value in (text or {}).values()):
        raise BadRequest('"text" maps each argument to text; "values" takes any JSON')
    spec = calling.callable_hook_of(host, hook)
    given = arguments_from_text(spec, text) if text is not None else arguments_from_values(spec, values or {})
    answers = calling.call(host, spec, given, plugin=plugin, timeout=timeout)
    return {
        "hook": spec.name,
        "arguments": {key: plain_argument(value) for key, value in given.items()},
        "results": [answer.as_sent() for answer in answers],
    }


def load(host: Controlled, name: str | None = None) -> Result:
    """Load one plugin, or all that are new: then the report tells what came of it."""
    if name is not None:
        from pluginkit.control.describing import row_of

        return {"plugin": row_of(host.load(name))}
    report = host.load()
    return {"report": {**plain(report), "ok": report.ok, "text": str(report)}}


def unload(host: Controlled, name: str, cascade: bool = False, timeout: float = CLOSE_TIMEOUT) -> Result:
    """Unload a plugin; the report tells what is left of it."""
    report = host.unload(name, cascade=cascade, timeout=timeout)
    return {"report": {**plain(report), "is_gone": report.is_gone, "text": str(report)}}


def reload(
    host: Controlled,
    name: str,
    force: bool = False,
    check: bool = False,
    timeout: float = CLOSE_TIMEOUT,
    quiet: float = QUIET,
) -> Result:
    """Reload a plugin; a failure is part of the report, for the old version serves on."""
    report = host.reload(name, force=force, check=check, timeout=timeout, quiet=quiet)
    return {"report": _reload_report(report)}


def rescan(host: Controlled, apply: bool = False, quiet: float = QUIET) -> Result:
    """What has changed since each plugin was last tried; with `apply`, what came of doing something about it."""
    report = host.rescan(apply=apply, quiet=quiet)
    return {
        "report": {
            **plain(report),
            "reloads": [_reload_report(one) for one in report.reloads],
            "ok": report.ok,
            "text": str(report),
        }
    }


def reconfigure(host: Controlled, name: str) -> Result:
    """Give a plugin the settings that its config file has now; what refuses them is part of the report."""
    report = host.reconfigure(name)
    return {"report": {**plain(report), "text": str(report)}}


def _reload_report(report: ReloadReport) -> Result:
    return {
        **plain(report),
        "alive": list(report.alive),
        "holders": list(report.holders),
        "text": str(report),
    }


def jobs(host: Controlled) -> Result:
    """What the host's pool has to do; null if nobody has used it."""
    found = host.jobs()
    return {"jobs": None if found is None else plain(found)}


def log_level(host: Controlled, name: str | None = None, level: str | None = None) -> Result:
    """The levels of the host's log by name, after one was set; null if it has none. `default` takes one away."""
    chain = host.logs
    if chain is None:
        return {"levels": None}
    if level is not None:
        from pluginkit.logs.levels import LEVELS

        if level not in {*LEVELS, "default"}:
            raise UnknownName("log level", level, LEVELS)
        chain.set_level(name or "", None if level == "default" else level)
    return {"levels": dict(chain.levels())}


def queue(
    host: Controlled, action: str = "counts", ids: list[int] | None = None, which: str | None = None
) -> Result:
    """Look at the host's queue, replay its dead letters or purge records; null if it has none."""
    if host.queue is None:
        return {"queue": None}
    from pluginkit.queue.asking import ask

    return {"queue": ask(host.queue, action, ids=ids, which=which)}


def watching(host: Controlled) -> Result:
    """How the host's watcher does; null if it has none."""
    health = host.watching()
    return {"watching": None if health is None else plain(health)}


def enable(host: Controlled, name: str) -> Result:
    """Switch a plugin on, for later runs too."""
    from pluginkit.control.describing import row_of

    return {"plugin": row_of(host.enable(name))}


def disable(host: Controlled, name: str, cascade: bool = False) -> Result:
    """Switch a plugin off, for later runs too."""
    from pluginkit.control.describing import row_of

    return {"plugin": row_of(host.disable(name, cascade=cascade))}


REQUESTS: Mapping[str, Callable[..., Result]] = {
    "ping": ping,
    "list": list_plugins,
    "info": info,
    "hooks": hooks,
    "call": call,
    "load": load,
    "unload": unload,
    "reload": reload,
    "rescan": rescan,
    "reconfigure": reconfigure,
    "jobs": jobs,
    "log_level": log_level,
    "queue": queue,
    "watching": watching,
    "enable": enable,
    "disable": disable,
}
"""By name. `events` is not among them: it has no end, see `following`."""

KNOWN = (*REQUESTS, "events")


def answer(host: Controlled, do: str, arguments: Mapping[str, Any]) -> Result:
    """Do what was asked. Raises `UnknownName`, `BadRequest`, and whatever the host raises."""
    function = REQUESTS.get(do)
    if function is None:
        raise UnknownName("request", do, KNOWN)
    return function(host, **checked(do, arguments, function))


def checked(do: str, given: Mapping[str, Any], function: Callable[..., object]) -> dict[str, Any]:
    """The arguments of a request, null ones left out. Raises `BadRequest` for what does not fit."""
    arguments = {name: value for name, value in given.items() if value is not None}
    parameters = {
        name: one for name, one in inspect.signature(function).parameters.items() if name in _ARGUMENTS
    }
    for name, value in arguments.items():
        if name not in parameters:
            raise BadRequest(f"{do!r} has no argument {quoted(name)}{did_you_mean(name, parameters)}")
        what, is_right = _ARGUMENTS[name]
        if not is_right(value):
            raise BadRequest(f"the argument {name!r} of {do!r} is {what}, not {quoted(value)}")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in arguments:
            raise BadRequest(f"{do!r} needs the argument {name!r}")
    return arguments


def plain_argument(value: object) -> Any:
    """An argument of a hook as plain data; a context by its values."""
    from pluginkit.contracts import CallContext

    return plain(value.values if isinstance(value, CallContext) else value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _is_duration(value: object) -> bool:
    # Not a number compares as false with everything.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in value
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


# An argument means the same in every request that has it.
_ARGUMENTS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "name": ("the name of a plugin or hook", _is_text),
    "hook": ("the name of a hook", _is_text),
    "plugin": ("the name of a plugin", _is_text),
    "level": ("a log level", _is_text),
    "text": ("an object of texts", _is_mapping),
    "values": ("an object", _is_mapping),
    "force": ("true or false", _is_flag),
    "check": ("true or false", _is_flag),
    "apply": ("true or false", _is_flag),
    "cascade": ("true or false", _is_flag),
    "quiet": (f"a number of seconds from 0 to {LONGEST:g}", _is_duration),
    "timeout": (f"a number of seconds from 0 to {LONGEST:g}", _is_duration),
    "action": ("counts, dead, replay or purge", _is_text),
    "ids": ("a list of ids of records", _are_ids),
    "which": ("done, dead or pending", _is_text),
    "kinds": ("a list of event kinds", _are_texts),
}
