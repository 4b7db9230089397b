"""Hook calls in other processes. A plugin's object cannot go there, so its name does.

Each process builds a host of its own out of the same config file, once, and has it look again when
the plugins of the host that sends the calls have changed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UsageError, describe_exception
from pluginkit.jobs import JobError
from pluginkit.jobs.workers import text_of

if TYPE_CHECKING:
    from pluginkit.host import Host
    from pluginkit.host_jobs import HookCall
    from pluginkit.markers.typed import Outcome


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that another process needs to build the same host."""

    config_file: str
    plugins_dirs: tuple[str, ...]
    entry_point_group: str | None
    state_dir: str

    def make(self) -> Host:
        """The host, with its plugins running. Jobs that they submit over there run in threads."""
        from pluginkit.config import Config
        from pluginkit.host import Host
        from pluginkit.host_setup import importable_beside

        config = Config.load(self.config_file, overrides={"worker_pool.executor": "threads"})
        host = Host(
            config,
            plugins_dir=self.plugins_dirs,
            entry_point_group=self.entry_point_group,
            state_dir=self.state_dir,
        )
        with importable_beside(config.path):
            return host.__enter__()  # closed at the process's end, as every host that nobody closes


class ElsewhereCall:
    """The call of a hook as it is sent: `plugins` are those that have to answer there.

    `revision` is which plugins run here, and in which generation: another one has the host over
    there look what has changed.
    """

    def __init__(self, call: HookCall, recipe: Recipe, plugins: tuple[str, ...]) -> None:
        self.recipe, self.plugins, self.revision = recipe, plugins, _revision(call.host)
        self.hook, self.plugin, self.arguments = call.hook, call.plugin, call.arguments
        self.__qualname__ = call.__qualname__

    def __call__(self) -> Any:
        """As `HookCall` does, on the host of this process."""
        from pluginkit.host_jobs import HookCall

        host = _host_for(self.recipe, self.revision)
        present = {one.plugin for one in getattr(host.hook, self.hook).implementations()}
        for name in self.plugins:
            if name not in present:
                raise JobError(_why_not(host, name))
        found = HookCall(host, self.hook, self.plugin, self.arguments)()
        return tuple(map(_portable, found)) if isinstance(found, tuple) else _portable(found)


def elsewhere(call: HookCall, plugins: tuple[str, ...]) -> ElsewhereCall:
    """A call to be sent. Raises `UsageError` if a process could not build what answers it."""
    host = call.host
    setup, what = host.setup, f"hook {call.hook!r} cannot be called in other processes"
    if setup.config_file is None:
        raise UsageError(
            f"{what}: they build the host from its config file, and this host was made without one; "
            'use Host.from_config("config.yaml")'
        )
    if host._rooms.has_own_contracts:
        raise UsageError(
            f"{what}: they do not know the contracts that were given to Host(…); name them in {setup.config_file}, "
            "under contracts"
        )
    own = [name for name in plugins if name not in host.plugins]
    if own:
        raise UsageError(f"{what}: {own[0]!r} is an object of this host; name a plugin that implements it")
    recipe = Recipe(
        str(setup.config_file.absolute()),
        tuple(map(str, setup.plugins_dirs)),
        setup.entry_point_group,
        str(setup.state_dir),
    )
    return ElsewhereCall(call, recipe, plugins)


def _revision(host: Host) -> Any:
    return tuple((one.name, one.generation) for one in host.plugins.values() if one.state.is_live)


# In the other process

_hosts: dict[Recipe, tuple[Host, Any]] = {}
_lock = threading.Lock()


def _host_for(recipe: Recipe, revision: Any) -> Host:
    with _lock:
        if recipe not in _hosts:
            _hosts[recipe] = recipe.make(), revision
        host, known = _hosts[recipe]
        if known != revision:
            host.rescan(apply=True)
            _hosts[recipe] = host, revision
        return host


def _why_not(host: Host, name: str) -> str:
    plugin = host.plugins.get(name)
    state = "is not there" if plugin is None else f"is {plugin.state}: {plugin.reason or 'without the hook'}"
    return f"in the process that was to call it, plugin {name!r} {state}"


def _portable(outcome: Outcome[Any]) -> Outcome[Any]:
    """An outcome whose error can be sent: plugins' own exception classes mean nothing over there."""
    if outcome.error is None:
        return outcome
    error = JobError(describe_exception(outcome.error))
    error.add_note(text_of(outcome.error).rstrip())
    return replace(outcome, error=error)
