"""Loading, starting, stopping, unloading: what changes the plugins of one host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.discovery import Found
from pluginkit.errors import LoadError, PluginkitError, Reason, StateError
from pluginkit.lifecycle.assess import Circumstances
from pluginkit.lifecycle.bringup import (
    BringUpFailed,
    Workshop,
    bring_up,
    hooks_failure,
    read_files,
    start,
    take_down,
)
from pluginkit.lifecycle.connections import dependents, requirements, wire
from pluginkit.lifecycle.core import Core
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.plugin import Plugin
from pluginkit.lifecycle.providers import Providers
from pluginkit.lifecycle.reconfigure import reconfigure
from pluginkit.lifecycle.reload import Reload
from pluginkit.lifecycle.report import (
    CloseErrors,
    LoadReport,
    ReconfigureReport,
    ReloadOptions,
    ReloadReport,
    Skipped,
    StepFailed,
    UnloadReport,
)
from pluginkit.lifecycle.rescan import Rescan, RescanReport, Sight
from pluginkit.lifecycle.retire import Ending, Retiring
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.discovery import Catalogue
    from pluginkit.events import EventBus
    from pluginkit.lifecycle.live import Live
    from pluginkit.runtimes import Instance

_SKIPPED = frozenset({PluginState.DISABLED, PluginState.INCOMPATIBLE, PluginState.CONFLICT, PluginState.HELD})


class Lifecycle(Core):
    """Runs the life of every plugin of one host."""

    def __init__(
        self,
        workshop: Callable[[Callable[[Found, str], Instance | None]], Workshop],
        *,
        look: Callable[[], Catalogue],
        circumstances: Callable[[], Circumstances],
        events: EventBus,
        providers: Providers,
    ) -> None:
        super().__init__(look=look, circumstances=circumstances, events=events)
        self.workshop = workshop(lambda found, head: wire(self, found, head))
        self.providers = providers
        self.retiring = Retiring()
        self.is_started = False
        self.is_closed = False

    # Loading

    def load_all(self) -> LoadReport:
        """Load every plugin that is fit, requirements first; one that fails stops no other."""
        began = time.perf_counter()
        self.refresh()
        loaded, failed, warnings = [], [], list(self.plan.notices)
        for name in self.plan.order:
            plugin = self.plugins.get(name)
            # Callbacks of plugins and events may have changed anything meanwhile.
            if plugin is None or plugin.state is PluginState.UNLOADED or plugin._live is not None:
                continue
            failure = self._load_one(plugin)
            if failure is not None:
                failed.append(failure)
            elif plugin.state.is_live:
                loaded.append(name)
                warnings += plugin.notices
        failed += [self._standing_failure(p) for p in self.in_state(PluginState.FAILED) if p.failure is None]
        skipped = [
            Skipped(plugin.name, plugin.state, plugin.reason)
            for plugin in self.plugins.everything()
            if plugin.state in _SKIPPED
        ]
        seconds = time.perf_counter() - began
        return LoadReport(tuple(loaded), tuple(failed), tuple(skipped), tuple(warnings), seconds)

    def load(self, name: str) -> Plugin:
        """Load one plugin, and those that it requires; raises `LoadError` if it cannot be."""
        self.refresh()
        plugin = self.plugins[name]
        with self.operation():
            self.require_idle(plugin)
            for other in requirements(self, plugin):
                self._load_one(other)
            failure = self._load_one(plugin)
        if not plugin.state.is_live:
            reason = plugin.reason or Reason("not-loadable", f"is {plugin.state}")
            raise LoadError(plugin.name, reason, step="assess" if failure is None else failure.step)
        return plugin

    def _load_one(self, plugin: Plugin) -> Failure | None:
        """Bring one plugin up and commit it, if it is fit; what fails becomes its state and reason."""
        with self.operation():
            # Asked under the lock: another thread, or a plugin's own code, may have been faster.
            if self.is_closed or not self.is_fit(plugin):
                return None
            verdict = self.plan.assessments[plugin.name]
            found = verdict.source
            if not isinstance(found, Found) or verdict.settings is None:
                raise StateError(f"plugin {plugin.name!r} is {plugin.state} and cannot be loaded")
            plugin._reassess(found, PluginState.DISCOVERED, None)
            plugin.failure = None
            exclusive = self.providers.check_exclusive(
                found.manifest.type, plugin.name, self.plugins.values()
            )
            if exclusive is not None:
                plugin._move(PluginState.CONFLICT, exclusive)
                self.publish("conflict", plugin.name, reason=str(exclusive), origin=str(plugin.origin))
                return None
            try:
                with self.occupied(plugin.name):
                    self._require_live_requirements(plugin.name, found)
                    files = read_files(found)
                    self.seen[plugin.name] = Sight.of(verdict, files)
                    live = bring_up(self.workshop, found, verdict.settings, verdict.priority, files)
                    self._commit(plugin, found, live)
            except BringUpFailed as error:
                return self._failed(plugin, error.failure)
        return None

    def _commit(self, plugin: Plugin, found: Found, live: Live) -> None:
        table = self.workshop.table
        try:
            if self.is_started:
                start(found, live)
            if self.is_closed:
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
            self.loaded.append(plugin.name)
            self.packages[found.package] = plugin
            self.publish("loaded", plugin.name, version=plugin.version, generation=plugin.generation)
            if live.started:
                plugin._move(PluginState.RUNNING)
                self.publish("started", plugin.name)

    def _failed(self, plugin: Plugin, failure: Failure) -> Failure:
        plugin.failure = failure
        plugin._move(PluginState.FAILED, failure.reason)
        self.publish("failed", plugin.name, step=failure.step, reason=str(failure.reason))
        return failure

    def _standing_failure(self, plugin: Plugin) -> Failure:
        return Failure(plugin.name, "assess", plugin.reason or Reason("failed", "failed"))

    def _require_live_requirements(self, name: str, found: Found) -> None:
        for requirement in found.manifest.requires.plugins:
            other = self.plugins[requirement.name]
            if not other.state.is_live:
                text = f"requires the plugin {other.name}, which is {other.state}: {other.reason}"
                failure = Failure(name, "requirements", Reason("requirement-failed", text))
                raise BringUpFailed(failure, StateError(text))

    def require_idle(self, plugin: Plugin) -> None:
        """Raise `StateError` if an operation is changing the plugin, whose own code now asks for another."""
        with self.occupied(plugin.name):
            pass  # only to ask

    def require_unneeded(self, plugin: Plugin) -> list[Plugin]:
        """Raise `StateError` if live plugins need this one."""
        needing = dependents(self, plugin.name)
        if needing:
            names = ", ".join(repr(other.name) for other in needing)
            raise StateError(
                f"plugin {plugin.name!r} is needed by {names}; unload them first, or all together with cascade"
            )
        return needing

    # Starting, stopping, unloading

    def start_all(self) -> tuple[Failure, ...]:
        """Run `on_start` of every loaded plugin; one that fails is undone and taken out, and who needs it."""
        failures = []
        with self.operation():
            self.is_started = True
            for plugin in self.in_load_order():
                live, found = plugin._live, plugin.source
                if live is None or live.started or plugin.name in self.busy or not isinstance(found, Found):
                    continue
                failure = self._start_one(plugin, found, live)
                if failure is not None:
                    failures.append(failure)
        return tuple(failures)

    def _start_one(self, plugin: Plugin, found: Found, live: Live) -> Failure | None:
        try:
            with self.occupied(plugin.name):
                self._require_live_requirements(plugin.name, found)
                start(found, live)
        except BringUpFailed as error:
            passing = self._take_out(plugin, CLOSE_TIMEOUT).passing
            failure = self._failed(plugin, error.failure)
            if passing is not None:
                raise passing from None
            return failure
        plugin._move(PluginState.RUNNING)
        self.publish("started", plugin.name)
        if self.is_closed:
            # on_start itself has closed the host, which left this plugin to us.
            self._unload_one(plugin, CLOSE_TIMEOUT)
        return None

    def unload(self, name: str, *, cascade: bool = False, timeout: float = CLOSE_TIMEOUT) -> UnloadReport:
        """Take one plugin out. Others that need it are unloaded first with `cascade`, else it is refused."""
        with self.operation():
            plugin = self.plugins[name]
            self.require_idle(plugin)
            if not plugin.state.is_live:
                raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
            for other in dependents(self, name) if cascade else self.require_unneeded(plugin):
                self._unload_one(other, timeout)
            return self._unload_one(plugin, timeout)

    def rescan(self, *, apply: bool = False, quiet: float = 0.0) -> RescanReport:
        """What has changed since each plugin was last tried; with `apply`, do what follows from it."""
        return Rescan(self).run(apply=apply, quiet=quiet)

    def reconfigure(self, name: str) -> ReconfigureReport:
        """Give a live plugin the settings that its config file has now; see `reconfigure.py`."""
        self.refresh()
        with self.operation():
            plugin = self.plugins[name]
            self.require_idle(plugin)
            verdict = self.plan.assessments.get(plugin.name)
            if verdict is not None and plugin.name in self.seen:
                # Its files are another matter: only a reload tries those.
                self.seen[plugin.name] = Sight.of(verdict).only_settings(self.seen[plugin.name])
            return reconfigure(self, plugin)

    def reload(self, name: str, options: ReloadOptions) -> ReloadReport:
        """Swap in the code that is on disk now, with all plugins that need it; see `reload.py`."""
        self.refresh()
        with self.operation():
            plugin = self.plugins[name]
            self.require_idle(plugin)
            if not plugin.state.is_live:
                raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded; load it instead")
            report = Reload(self, plugin.name, options).run()
            if self.is_closed:
                # Code of a new version has closed the host, which left the old ones to us.
                for other in reversed(self.in_load_order()):
                    self._unload_one(other, options.timeout)
        self.retiring.collector.relieve()
        return report

    def drop(self, plugin: Plugin, failure: Failure) -> list[Failure]:
        """A live plugin has turned out to be broken for good: take it out, and all that need it."""
        failures = []
        for other in dependents(self, plugin.name):
            self._end(other, 0.0)
            text = f"requires the plugin {plugin.name}, which has failed: {failure.reason}"
            failures.append(
                self._failed(other, Failure(other.name, "requirements", Reason("requirement-failed", text)))
            )
        self._end(plugin, 0.0)
        return [self._failed(plugin, failure), *failures]

    def _unload_one(self, plugin: Plugin, timeout: float) -> UnloadReport:
        began = time.perf_counter()
        generation = plugin.generation
        ending = self._take_out(plugin, timeout)
        plugin._move(PluginState.UNLOADED)
        # Modules and functions refer to each other in circles; only a collection can prove that
        # nobody else refers to them.
        self.retiring.collector.collect()
        self.retiring.collector.rest()
        report = UnloadReport(
            plugin.name,
            generation,
            tuple(ending.failures),
            ending.running,
            ending.alive(),
            ending.holders() if ending.alive() else (),
            time.perf_counter() - began,
        )
        self.publish("unloaded", plugin.name, generation=generation, is_gone=report.is_gone)
        if ending.passing is not None:
            raise ending.passing
        return report

    def _take_out(self, plugin: Plugin, timeout: float) -> Ending:
        """Out of the hooks first, so that no new call begins; then wait, stop, unload, undo."""
        with self.occupied(plugin.name):
            return self._end(plugin, timeout)

    def _end(self, plugin: Plugin, timeout: float) -> Ending:
        live, found = plugin._live, plugin.source
        if live is None or not isinstance(found, Found):
            raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
        self.unhook(live)
        plugin._live = None
        self.loaded.remove(plugin.name)
        self.packages.pop(found.package, None)
        was_started = live.started
        ending = self.retiring.retire(found, live, live.retirement, timeout)
        plugin._move(PluginState.STOPPED)
        if was_started:
            self.publish("stopped", plugin.name)
        return ending

    def unhook(self, live: Live) -> None:
        """Let no new call of the plugin begin; `live.retirement` knows when the last one has ended."""
        if live.is_hooked:
            table = self.workshop.table
            staged = table.stage(remove=[live.provider])
            table.commit(staged)
            live.is_hooked, live.retirement = False, staged.retired[0]

    def close_all(self, timeout: float) -> CloseErrors | None:
        """Unload everything in reverse order; errors come together, none stops the rest."""
        errors: list[Exception] = []
        passing: list[BaseException] = []
        deadline = time.monotonic() + timeout
        self.retiring.collector.close()
        with self.operation():
            self.is_started, self.is_closed = False, True
            for plugin in reversed(self.in_load_order()):
                # The code of a busy one has called this: whoever is changing it takes it out.
                if plugin._live is None or plugin.name in self.busy:
                    continue
                generation = plugin.generation
                ending = self._take_out(plugin, max(0.0, deadline - time.monotonic()))
                plugin._move(PluginState.UNLOADED)
                self.publish("unloaded", plugin.name, generation=generation)
                errors += [StepFailed(failure) for failure in ending.failures]
                passing += [ending.passing] if ending.passing is not None else []
        if passing:
            raise passing[0]
        return CloseErrors("closing the host's plugins", errors) if errors else None
