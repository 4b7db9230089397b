"""Taking plugins out of one host: out of the hooks first, then their end, then the proof that they are gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.discovery import Found
from pluginkit.errors import Reason, StateError
from pluginkit.lifecycle.connections import dependents
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.report import CloseErrors, StepFailed, UnloadReport
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.lifecycle.retire import Ending


def unload(
    lifecycle: Lifecycle, name: str, *, cascade: bool = False, timeout: float = CLOSE_TIMEOUT
) -> UnloadReport:
    """Take one plugin out. Others that need it are unloaded first with `cascade`, else it is refused."""
    with lifecycle.operation():
        plugin = lifecycle.plugins[name]
        lifecycle.require_idle(plugin)
        if not plugin.state.is_live:
            raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
        for other in dependents(lifecycle, name) if cascade else lifecycle.require_unneeded(plugin):
            unload_one(lifecycle, other, timeout)
        return unload_one(lifecycle, plugin, timeout)


def unload_one(lifecycle: Lifecycle, plugin: Plugin, timeout: float) -> UnloadReport:
    """Take one plugin out, and prove that it is gone."""
    began = time.perf_counter()
    generation = plugin.generation
    ending = take_out(lifecycle, plugin, timeout)
    plugin._move(PluginState.UNLOADED)
    # Modules and functions refer to each other in circles; only a collection can prove that
    # nobody else refers to them.
    lifecycle.retiring.collector.collect()
    lifecycle.retiring.collector.rest()
    report = UnloadReport(
        plugin.name,
        generation,
        tuple(ending.failures),
        ending.running,
        ending.alive(),
        ending.holders() if ending.alive() else (),
        time.perf_counter() - began,
    )
    lifecycle.publish("unloaded", plugin.name, generation=generation, is_gone=report.is_gone)
    if ending.passing is not None:
        raise ending.passing
    return report


def take_out(lifecycle: Lifecycle, plugin: Plugin, timeout: float) -> Ending:
    """Out of the hooks first, so that no new call begins; then wait, stop, unload, undo."""
    with lifecycle.occupied(plugin.name):
        return end(lifecycle, plugin, timeout)


def end(lifecycle: Lifecycle, plugin: Plugin, timeout: float) -> Ending:
    """As `take_out`, for a plugin that is marked as occupied already."""
    live, found = plugin._live, plugin.source
    if live is None or not isinstance(found, Found):
        raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
    unhook(lifecycle, live)
    plugin._live = None
    lifecycle.loaded.remove(plugin.name)
    lifecycle.packages.pop(found.package, None)
    was_started = live.started
    if live.context._jobs is not None:
        live.context._jobs.cancel("is unloaded")
    ending = lifecycle.retiring.retire(found, live, live.retirement, timeout)
    plugin._move(PluginState.STOPPED)
    if was_started:
        lifecycle.publish("stopped", plugin.name)
    return ending


def unhook(lifecycle: Lifecycle, live: Live) -> None:
    """Let no new call of the plugin begin; `live.retirement` knows when the last one has ended."""
    if live.is_hooked:
        table = lifecycle.workshop.table
        staged = table.stage(remove=[live.provider])
        table.commit(staged)
        live.is_hooked, live.retirement = False, staged.retired[0]


def drop(lifecycle: Lifecycle, plugin: Plugin, failure: Failure) -> list[Failure]:
    """A live plugin has turned out to be broken for good: take it out, and all that need it."""
    failures = []
    for other in dependents(lifecycle, plugin.name):
        end(lifecycle, other, 0.0)
        text = f"requires the plugin {plugin.name}, which has failed: {failure.reason}"
        failures.append(
            lifecycle.failed(other, Failure(other.name, "requirements", Reason("requirement-failed", text)))
        )
    end(lifecycle, plugin, 0.0)
    return [lifecycle.failed(plugin, failure), *failures]


def close_all(lifecycle: Lifecycle, timeout: float) -> CloseErrors | None:
    """Unload everything in reverse order; errors come together, none stops the rest."""
    errors: list[Exception] = []
    passing: list[BaseException] = []
    deadline = time.monotonic() + timeout
    with lifecycle.operation():
        lifecycle.retiring.collector.close()
        lifecycle.is_started, lifecycle.is_closed = False, True
        for plugin in reversed(lifecycle.in_load_order()):
            # The code of a busy one has called this: whoever is changing it takes it out.
            if plugin._live is None or plugin.name in lifecycle.busy:
                continue
            generation = plugin.generation
            ending = take_out(lifecycle, plugin, max(0.0, deadline - time.monotonic()))
            plugin._move(PluginState.UNLOADED)
            lifecycle.publish("unloaded", plugin.name, generation=generation)
            errors += [StepFailed(failure) for failure in ending.failures]
            passing += [ending.passing] if ending.passing is not None else []
    if passing:
        raise passing[0]
    return CloseErrors("closing the host's plugins", errors) if errors else None
