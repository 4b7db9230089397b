"""Loading and starting: what brings plugins of one host to life, one at a time, each under the host's lock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.discovery import Found
from pluginkit.errors import LoadError, PluginkitError, Reason, StateError
from pluginkit.lifecycle.bringup import BringUpFailed, bring_up, hooks_failure, read_files, start, take_down
from pluginkit.lifecycle.connections import requirements
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.report import LoadReport, Skipped
from pluginkit.lifecycle.rescan import Sight
from pluginkit.lifecycle.states import PluginState
from pluginkit.lifecycle.unloads import take_out, unload_one

if TYPE_CHECKING:
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin

_SKIPPED = frozenset({PluginState.DISABLED, PluginState.INCOMPATIBLE, PluginState.CONFLICT, PluginState.HELD})


def load_all(lifecycle: Lifecycle) -> LoadReport:
    """Load every plugin that is fit, requirements first; one that fails stops no other."""
    began = time.perf_counter()
    lifecycle.refresh()
    loaded, failed, warnings = [], [], list(lifecycle.plan.notices)
    lifecycle.keep_verdicts(lifecycle.plan)
    for name in lifecycle.plan.order:
        plugin = lifecycle.plugins.get(name)
        # Callbacks of plugins and events may have changed anything meanwhile.
        if plugin is None or plugin.state is PluginState.UNLOADED or plugin._live is not None:
            continue
        failure = load_one(lifecycle, plugin)
        if failure is not None:
            failed.append(failure)
        elif plugin.state.is_live:
            loaded.append(name)
            warnings += plugin.notices
    failed += [_standing_failure(p) for p in lifecycle.in_state(PluginState.FAILED) if p.failure is None]
    skipped = [
        Skipped(plugin.name, plugin.state, plugin.reason)
        for plugin in lifecycle.plugins.everything()
        if plugin.state in _SKIPPED
    ]
    seconds = time.perf_counter() - began
    return LoadReport(tuple(loaded), tuple(failed), tuple(skipped), tuple(warnings), seconds)


def load(lifecycle: Lifecycle, name: str) -> Plugin:
    """Load one plugin, and those that it requires; raises `LoadError` if it cannot be."""
    lifecycle.refresh()
    if not lifecycle.judged:
        lifecycle.keep_verdicts(lifecycle.plan)
    plugin = lifecycle.plugins[name]
    with lifecycle.operation():
        lifecycle.require_idle(plugin)
        for other in requirements(lifecycle, plugin):
            load_one(lifecycle, other)
        failure = load_one(lifecycle, plugin)
    if not plugin.state.is_live:
        reason = plugin.reason or Reason("not-loadable", f"is {plugin.state}")
        raise LoadError(plugin.name, reason, step="assess" if failure is None else failure.step)
    return plugin


def load_one(lifecycle: Lifecycle, plugin: Plugin) -> Failure | None:
    """Bring one plugin up and commit it, if it is fit; what fails becomes its state and reason."""
    with lifecycle.operation():
        # Asked under the lock: another thread, or a plugin's own code, may have been faster.
        if lifecycle.is_closed or not lifecycle.is_fit(plugin):
            return None
        verdict = lifecycle.plan.assessments[plugin.name]
        found = verdict.source
        if not isinstance(found, Found) or verdict.settings is None:
            raise StateError(f"plugin {plugin.name!r} is {plugin.state} and cannot be loaded")
        plugin._reassess(found, PluginState.DISCOVERED, None)
        plugin.failure = None
        exclusive = lifecycle.providers.check_exclusive(
            found.manifest.type, plugin.name, lifecycle.plugins.values()
        )
        if exclusive is not None:
            plugin._move(PluginState.CONFLICT, exclusive)
            lifecycle.publish("conflict", plugin.name, reason=str(exclusive), origin=str(plugin.origin))
            return None
        try:
            with lifecycle.occupied(plugin.name):
                _require_live_requirements(lifecycle, plugin.name, found)
                files = read_files(lifecycle.workshop, found)
                lifecycle.seen[plugin.name] = Sight.of(verdict, files)
                live = bring_up(lifecycle.workshop, found, verdict.settings, verdict.priority, files)
                _commit(lifecycle, plugin, found, live)
        except BringUpFailed as error:
            if error.failure.is_held:
                plugin._move(PluginState.HELD, error.failure.reason)
                lifecycle.publish_held(plugin)
                return None
            return lifecycle.failed(plugin, error.failure)
    return None


def _commit(lifecycle: Lifecycle, plugin: Plugin, found: Found, live: Live) -> None:
    table = lifecycle.workshop.table
    try:
        if lifecycle.is_started:
            start(found, live)
        if lifecycle.is_closed:
            raise StateError("the host was closed while the plugin was being loaded")
        # Staged last: on_start may have changed the hooks by calling the host.
        staged = table.stage(add=[live.provider])
    except BaseException as error:
        take_down(found, live, timeout=0.0)
        if isinstance(error, PluginkitError):
            raise BringUpFailed(hooks_failure(plugin.name, error), error) from error
        raise
    try:
        # From here on nothing fails; but a historic call that is made again for the plugin
        # may be interrupted by Ctrl-C.
        table.commit(staged)
    finally:
        live.is_hooked = True
        live.instance.commit()
        plugin._live = live
        plugin.notices = (*found.notices, *staged.warnings)
        plugin._move(PluginState.LOADED)
        lifecycle.loaded.append(plugin.name)
        lifecycle.packages[found.package] = plugin
        lifecycle.publish("loaded", plugin.name, version=plugin.version, generation=plugin.generation)
        lifecycle.publish_grants(plugin, live)
        if live.started:
            plugin._move(PluginState.RUNNING)
            lifecycle.publish("started", plugin.name)


def _standing_failure(plugin: Plugin) -> Failure:
    return Failure(plugin.name, "assess", plugin.reason or Reason("failed", "failed"))


def _require_live_requirements(lifecycle: Lifecycle, name: str, found: Found) -> None:
    for requirement in found.manifest.requires.plugins:
        other = lifecycle.plugins[requirement.name]
        if not other.state.is_live:
            text = f"requires the plugin {other.name}, which is {other.state}: {other.reason}"
            failure = Failure(name, "requirements", Reason("requirement-failed", text))
            raise BringUpFailed(failure, StateError(text))


def start_all(lifecycle: Lifecycle) -> tuple[Failure, ...]:
    """Run `on_start` of every loaded plugin; one that fails is undone and taken out, and who needs it."""
    failures = []
    with lifecycle.operation():
        lifecycle.is_started = True
        for plugin in lifecycle.in_load_order():
            live, found = plugin._live, plugin.source
            if live is None or live.started or plugin.name in lifecycle.busy or not isinstance(found, Found):
                continue
            failure = _start_one(lifecycle, plugin, found, live)
            if failure is not None:
                failures.append(failure)
    return tuple(failures)


def _start_one(lifecycle: Lifecycle, plugin: Plugin, found: Found, live: Live) -> Failure | None:
    try:
        with lifecycle.occupied(plugin.name):
            _require_live_requirements(lifecycle, plugin.name, found)
            start(found, live)
    except BringUpFailed as error:
        passing = take_out(lifecycle, plugin, CLOSE_TIMEOUT).passing
        failure = lifecycle.failed(plugin, error.failure)
        if passing is not None:
            raise passing from None
        return failure
    plugin._move(PluginState.RUNNING)
    lifecycle.publish("started", plugin.name)
    if lifecycle.is_closed:
        # on_start itlifecycle has closed the host, which left this plugin to us.
        unload_one(lifecycle, plugin, CLOSE_TIMEOUT)
    return None
