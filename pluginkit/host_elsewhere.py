"""Plugins' code in other processes. A plugin's objects cannot go there, so their names do.

Each process builds a host of its own out of the same config file, once, and has it look again when
the plugins of the host that sends the calls have changed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from pluginkit.errors import StateError, UnknownName, UsageError, describe_exception
from pluginkit.jobs import JobError
from pluginkit.jobs.wants import Wants
from pluginkit.jobs.workers import text_of

if TYPE_CHECKING:
    from pluginkit.host import Host
    from pluginkit.host_jobs import HookCall
    from pluginkit.host_wiring import Rooms
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

    def __init__(self, call: HookCall, plugins: tuple[str, ...]) -> None:
        rooms = call.host._rooms
        self.recipe, self.revision = _recipe(rooms, f"hook {call.hook!r}"), _revision(rooms)
        self.plugins = plugins
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


class NamedFunction:
    """A function of a plugin's module, as it is sent: by its name."""

    def __init__(self, rooms: Rooms, function: FunctionType, plugin: str) -> None:
        self.__qualname__ = function.__qualname__
        self.recipe, self.revision = _recipe(rooms, self.__qualname__), _revision(rooms)
        self.plugin, self.symbol = plugin, f"{function.__module__}:{function.__qualname__}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function that has this name in the plugin of this process."""
        host = _host_for(self.recipe, self.revision)
        try:
            function = host.plugins[self.plugin].get(self.symbol)
        except (StateError, UnknownName) as error:
            raise JobError(_why_not(host, self.plugin)) from error
        return function(*args, **kwargs)


def named(rooms: Rooms, function: Any, plugin: str) -> Any:
    """What is to be sent for a function that a plugin submits; what has no name there stays as it is."""
    if type(function) is not FunctionType or "<" in function.__qualname__ or Wants().context(function):
        return function
    spec = function.__globals__.get("__spec__")
    is_generation = spec is not None and "#" in spec.name
    return NamedFunction(rooms, function, plugin) if is_generation else function


def elsewhere(call: HookCall, plugins: tuple[str, ...]) -> ElsewhereCall:
    """A call of a hook, to be sent. Raises `UsageError` if a process could not build what answers it."""
    own = [name for name in plugins if name not in call.host.plugins]
    if own:
        raise UsageError(
            f"hook {call.hook!r} cannot be called in other processes: {own[0]!r} is an object of this host; "
            "name a plugin that implements it"
        )
    return ElsewhereCall(call, plugins)


def _recipe(rooms: Rooms, what: str) -> Recipe:
    setup, refusal = rooms.setup, f"{what} cannot be called in other processes"
    if setup.config_file is None:
        raise UsageError(
            f"{refusal}: they build the host from its config file, and this host was made without one; "
            'use Host.from_config("config.yaml")'
        )
    if rooms.has_own_contracts:
        raise UsageError(
            f"{refusal}: they do not know the contracts that were given to Host(…); name them in "
            f"{setup.config_file}, under contracts"
        )
    return Recipe(
        str(setup.config_file.absolute()),
        tuple(map(str, setup.plugins_dirs)),
        setup.entry_point_group,
        str(setup.state_dir),
    )


def _revision(rooms: Rooms) -> Any:
    plugins = rooms.lifecycle.plugins.values()
    return tuple((one.name, one.generation) for one in plugins if one.state.is_live)


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
