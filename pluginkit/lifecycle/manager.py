"""The plugins of one host: found, judged, loaded, started, stopped, unloaded.

Every operation runs under the host's lock, does all that can fail first, and then commits by
assignments. Events go out after the lock is released, so that a callback may call the host back
from any thread.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.discovery import Found
from pluginkit.errors import LoadError, PluginkitError, Reason, StateError
from pluginkit.lifecycle.assess import (
    Assessment,
    Circumstances,
    Plan,
    disabled_by_file,
    make_plan,
    read_configs,
)
from pluginkit.lifecycle.bringup import BringUpFailed, Workshop, bring_up, hooks_failure, start, take_down
from pluginkit.lifecycle.failure import Failure, failure_of
from pluginkit.lifecycle.plugin import Plugin
from pluginkit.lifecycle.plugins import Plugins
from pluginkit.lifecycle.providers import Providers
from pluginkit.lifecycle.quarantine import Quarantine, QuarantineRule
from pluginkit.lifecycle.report import CloseErrors, LoadReport, Skipped, StepFailed, UnloadReport
from pluginkit.lifecycle.states import PluginState
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pluginkit.discovery import Catalogue
    from pluginkit.events import EventBus
    from pluginkit.hooks import CallFailure
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.store import StateFile
    from pluginkit.runtimes import Instance, Leftover

_log = logging.getLogger("pluginkit")


class Lifecycle:
    """Runs the life of every plugin of one host.

    `look` discovers, `circumstances` gives what plugins are judged against at that moment;
    both are asked anew whenever the catalogue is refreshed.
    """

    def __init__(
        self,
        workshop: Callable[[Callable[[Found, str], Instance | None]], Workshop],
        *,
        look: Callable[[], Catalogue],
        circumstances: Callable[[], Circumstances],
        events: EventBus,
        store: StateFile,
        providers: Providers,
        quarantine: QuarantineRule,
    ) -> None:
        self.plugins = Plugins()
        self.plan = Plan({}, (), ())
        self.is_started = False
        self.workshop = workshop(self._wire)
        self._look = look
        self._circumstances = circumstances
        self._events = events
        self._store = store
        self.providers = providers
        self.quarantine = Quarantine(quarantine)
        self._loaded: list[str] = []
        self._packages: dict[str, Plugin] = {}
        self._lock = threading.RLock()
        self._depth = 0
        self._pending: list[tuple[str, str | None, dict[str, Any]]] = []

    # Finding and judging

    def refresh(self) -> None:
        """Look again, and judge all plugins that are not live by what is there now."""
        catalogue = self._look()
        plan = make_plan(catalogue, self._circumstances())
        with self.operation():
            self.plan = plan
            table = {plugin.name: plugin for plugin in self.plugins.values() if plugin.state.is_live}
            held = {normalise_name(name) for name in table}
            for name, verdict in plan.assessments.items():
                if normalise_name(name) not in held:
                    table[name] = self._judged(name, verdict)
            conflicts = tuple(
                Plugin(conflict.name, conflict.loser, PluginState.CONFLICT, conflict.reason)
                for conflict in catalogue.conflicts
            )
            known = {str(plugin.origin) for plugin in self.plugins.conflicts}
            self.plugins._replace(table, conflicts)
            for plugin in conflicts:
                if str(plugin.origin) not in known:
                    self._publish(
                        "conflict", plugin.name, reason=str(plugin.reason), origin=str(plugin.origin)
                    )

    def _judged(self, name: str, verdict: Assessment) -> Plugin:
        plugin = self.plugins.get(name)
        if plugin is None:
            plugin = Plugin(name, verdict.source, verdict.state, verdict.reason)
            self._publish("discovered", name, origin=str(plugin.origin), state=str(plugin.state))
        elif verdict.state is not PluginState.DISCOVERED or plugin.state not in _KEPT:
            plugin._reassess(verdict.source, verdict.state, verdict.reason)
        plugin.priority = verdict.priority
        return plugin

    def _is_fit(self, plugin: Plugin) -> bool:
        """Whether nothing that is known without importing it speaks against loading the plugin."""
        verdict = self.plan.assessments.get(plugin.name)
        return verdict is not None and verdict.state is PluginState.DISCOVERED and not plugin.state.is_live

    # Loading

    def load_all(self) -> LoadReport:
        """Load every plugin that is fit, requirements first; one that fails stops no other."""
        began = time.perf_counter()
        self.refresh()
        loaded, failed, warnings = [], [], list(self.plan.notices)
        for name in self.plan.order:
            plugin = self.plugins[name]
            if not self._is_fit(plugin) or plugin.state is PluginState.UNLOADED:
                continue
            failure = self._load_one(plugin)
            if failure is not None:
                failed.append(failure)
            elif plugin.state.is_live:
                loaded.append(name)
                warnings += plugin.notices
        failed += [self._standing_failure(p) for p in self._in_state(PluginState.FAILED) if p.failure is None]
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
            for other in self._requirements(plugin):
                if self._is_fit(other):
                    self._load_one(other)
            failure = self._load_one(plugin) if self._is_fit(plugin) else None
        if not plugin.state.is_live:
            reason = plugin.reason or Reason("not-loadable", f"is {plugin.state}")
            raise LoadError(plugin.name, reason, step="assess" if failure is None else failure.step)
        return plugin

    def _load_one(self, plugin: Plugin) -> Failure | None:
        """Bring one plugin up and commit it; whatever fails becomes its state and its reason."""
        with self.operation():
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
                self._publish("conflict", plugin.name, reason=str(exclusive), origin=str(plugin.origin))
                return None
            try:
                self._require_live_requirements(plugin, found)
                live = bring_up(self.workshop, found, verdict.settings, verdict.priority)
                self._commit(plugin, found, live)
            except BringUpFailed as error:
                return self._failed(plugin, error.failure)
        return None

    def _commit(self, plugin: Plugin, found: Found, live: Live) -> None:
        table = self.workshop.table
        try:
            if self.is_started:
                start(found, live)
            # Staged last: on_start may have changed the hooks by calling the host.
            staged = table.stage(add=[live.provider])
        except BaseException as error:
            take_down(found, live, timeout=0.0)
            if isinstance(error, PluginkitError):
                raise BringUpFailed(hooks_failure(plugin.name, error), error) from error
            raise
        # From here on nothing fails.
        table.commit(staged)
        live.is_hooked = True
        live.instance.commit()
        plugin._live = live
        plugin.notices = (*found.notices, *staged.warnings)
        plugin._move(PluginState.LOADED)
        self._loaded.append(plugin.name)
        self._packages[found.package] = plugin
        self._publish("loaded", plugin.name, version=plugin.version, generation=plugin.generation)
        if live.started:
            plugin._move(PluginState.RUNNING)
            self._publish("started", plugin.name)

    def _failed(self, plugin: Plugin, failure: Failure) -> Failure:
        plugin.failure = failure
        plugin._move(PluginState.FAILED, failure.reason)
        self._publish("failed", plugin.name, step=failure.step, reason=str(failure.reason))
        return failure

    def _standing_failure(self, plugin: Plugin) -> Failure:
        return Failure(plugin.name, "assess", plugin.reason or Reason("failed", "failed"))

    # Requirements and wiring

    def _requirements(self, plugin: Plugin) -> list[Plugin]:
        """All that `plugin` requires, directly or not, in loading order."""
        wanted: set[str] = set()
        pending = [plugin.name]
        while pending:
            manifest = self.plugins[pending.pop()].manifest
            for requirement in manifest.requires.plugins if manifest is not None else ():
                if requirement.name in self.plugins and requirement.name not in wanted:
                    wanted.add(self.plugins[requirement.name].name)
                    pending.append(requirement.name)
        return [self.plugins[name] for name in self.plan.order if name in wanted]

    def _require_live_requirements(self, plugin: Plugin, found: Found) -> None:
        for requirement in found.manifest.requires.plugins:
            other = self.plugins[requirement.name]
            if not other.state.is_live:
                text = f"requires the plugin {other.name}, which is {other.state}: {other.reason}"
                failure = Failure(plugin.name, "requirements", Reason("requirement-failed", text))
                raise BringUpFailed(failure, StateError(text))

    def _wire(self, found: Found, head: str) -> Instance | None:
        """Which instance `import head` means inside the plugin `found`; None = the host's business.

        A declared requirement is always meant; another plugin only where the host itself could
        not import anything else of that name.
        """
        plugin = self._packages.get(head)
        live = plugin._live if plugin is not None else None
        if plugin is None or live is None:
            return None
        required = {normalise_name(requirement.name) for requirement in found.manifest.requires.plugins}
        is_meant = normalise_name(plugin.name) in required or live.instance.public_name == head
        return live.instance if is_meant else None

    def dependents(self, name: str) -> list[Plugin]:
        """The live plugins that require `name` or import it, directly or not, last loaded first."""
        found: set[str] = set()
        pending = [self.plugins[name].name]
        while pending:
            needed = pending.pop()
            for other in self._in_load_order():
                if other.name not in found and self._needs(other, needed):
                    found.add(other.name)
                    pending.append(other.name)
        return [plugin for plugin in reversed(self._in_load_order()) if plugin.name in found]

    def _needs(self, plugin: Plugin, name: str) -> bool:
        manifest, live = plugin.manifest, plugin._live
        if manifest is None or live is None:
            return False
        if any(normalise_name(r.name) == normalise_name(name) for r in manifest.requires.plugins):
            return True
        needed = self.plugins[name]._live
        return needed is not None and live.instance.imports(needed.instance)

    # Starting, stopping, unloading

    def start_all(self) -> tuple[Failure, ...]:
        """Run `on_start` of every loaded plugin; one that fails is undone and taken out."""
        failures = []
        with self.operation():
            self.is_started = True
            for plugin in self._in_load_order():
                live = plugin._live
                if live is None or live.started or not isinstance(plugin.source, Found):
                    continue
                try:
                    start(plugin.source, live)
                except BringUpFailed as error:
                    self._take_out(plugin, CLOSE_TIMEOUT)
                    failures.append(self._failed(plugin, error.failure))
                else:
                    plugin._move(PluginState.RUNNING)
                    self._publish("started", plugin.name)
        return tuple(failures)

    def unload(self, name: str, *, cascade: bool = False, timeout: float = CLOSE_TIMEOUT) -> UnloadReport:
        """Take one plugin out. Others that need it are unloaded first with `cascade`, else it is refused."""
        with self.operation():
            plugin = self.plugins[name]
            if not plugin.state.is_live:
                raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
            needing = self.dependents(name)
            if needing and not cascade:
                names = ", ".join(repr(other.name) for other in needing)
                raise StateError(
                    f"plugin {plugin.name!r} is needed by {names}; unload them first, or all together with cascade"
                )
            for other in needing:
                self._unload_one(other, timeout)
            return self._unload_one(plugin, timeout)

    def _unload_one(self, plugin: Plugin, timeout: float) -> UnloadReport:
        began = time.perf_counter()
        generation = plugin.generation
        live = plugin._live
        alive = live.instance.alive if live is not None else tuple
        del live
        failures, running = self._take_out(plugin, timeout)
        plugin._move(PluginState.UNLOADED)
        # Modules and functions refer to each other in circles; only a collection can prove that
        # nobody else refers to them.
        gc.collect()
        report = UnloadReport(
            plugin.name, generation, tuple(failures), running, alive(), time.perf_counter() - began
        )
        self._publish("unloaded", plugin.name, generation=generation, is_gone=report.is_gone)
        return report

    def _take_out(self, plugin: Plugin, timeout: float) -> tuple[list[Failure], tuple[Leftover, ...]]:
        """Out of the hooks first, so that no new call begins; then stop, unload, undo."""
        live, found = plugin._live, plugin.source
        if live is None or not isinstance(found, Found):
            raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
        self._unhook(live)
        plugin._live = None
        self.quarantine.forget(plugin.name)
        self._loaded.remove(plugin.name)
        self._packages.pop(found.package, None)
        was_started = live.started
        result = take_down(found, live, timeout)
        plugin._move(PluginState.STOPPED)
        if was_started:
            self._publish("stopped", plugin.name)
        return result

    def _unhook(self, live: Live) -> None:
        """Let no new call of the plugin begin."""
        if live.is_hooked:
            table = self.workshop.table
            table.commit(table.stage(remove=[live.provider]))
            live.is_hooked = False

    def close_all(self, timeout: float) -> CloseErrors | None:
        """Unload everything in reverse order; errors come together, none stops the rest."""
        errors: list[Exception] = []
        deadline = time.monotonic() + timeout
        with self.operation():
            self.is_started = False
            for plugin in reversed(self._in_load_order()):
                generation = plugin.generation
                failures, _ = self._take_out(plugin, max(0.0, deadline - time.monotonic()))
                plugin._move(PluginState.UNLOADED)
                self._publish("unloaded", plugin.name, generation=generation)
                errors += [StepFailed(failure) for failure in failures]
        return CloseErrors("closing the host's plugins", errors) if errors else None

    # The user's choices

    def enable(self, name: str, *, load: bool) -> Plugin:
        """Undo `disable`. Raises `StateError`, naming the file, if the plugin's config file forbids it."""
        plugin = self._known(name)
        if plugin.state is PluginState.QUARANTINED:
            return self._lift(plugin)
        if isinstance(plugin.source, Found):
            config = read_configs(self._circumstances().plugin_configs_dir).get(plugin.name)
            if not config.enabled:
                raise StateError(
                    f"plugin {plugin.name!r} stays disabled: {disabled_by_file(config)}; edit that file"
                )
        self._store.set_enabled(normalise_name(plugin.name), True)
        self.refresh()
        plugin = self.plugins[name]
        if plugin.state is PluginState.DISABLED:
            raise StateError(f"plugin {plugin.name!r} stays disabled: {plugin.reason}")
        self.announce("enabled", plugin.name)
        return self.load(name) if load and plugin.state is PluginState.DISCOVERED else plugin

    def disable(self, name: str, *, cascade: bool = False) -> Plugin:
        """Switch a plugin off, now and for later runs; it is unloaded if it is loaded."""
        plugin = self._known(name)
        if plugin.state.is_live:
            self.unload(name, cascade=cascade)
        self._store.set_enabled(normalise_name(plugin.name), False)
        self.refresh()
        self.announce("disabled", plugin.name)
        return self.plugins[name]

    # What calls report

    def record_failure(self, failure: CallFailure) -> None:
        """Keep an error of a hook implementation with its plugin, and log it."""
        plugin = self.plugins.get(failure.plugin)
        root = plugin.source.root if plugin is not None and isinstance(plugin.source, Found) else None
        kept = failure_of(failure.plugin, f"hook {failure.hook}", "call-failed", failure.error, root)
        if plugin is not None:
            plugin._keep_error(kept)
            if self.quarantine.note(plugin.name):
                self._quarantine(plugin, kept)
        # As text: handlers keep records, and a record with the exception would keep the plugin alive.
        _log.error("%s\n%s", str(failure), kept.traceback.rstrip())

    def _quarantine(self, plugin: Plugin, last: Failure) -> None:
        """Take a plugin that fails too often out of the hooks; `enable` puts it back.

        This runs in the thread of the failing call, which must not wait: whoever holds the lock
        may be waiting for that very call. Then the next error tries again.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            with self.operation():
                live = plugin._live
                if live is None or not live.is_hooked:
                    return
                rule = self.quarantine.rule
                text = (
                    f"failed {rule.errors} times within {rule.window:g} s, the last time in {last.step}: "
                    f"{last.error}; `pluginkit enable {plugin.name}` tries it again"
                )
                self._unhook(live)
                plugin._move(PluginState.QUARANTINED, Reason("quarantined", text))
                self._publish("failed", plugin.name, step=last.step, reason=text)
        finally:
            self._lock.release()

    def _lift(self, plugin: Plugin) -> Plugin:
        """Put a quarantined plugin back into the hooks."""
        with self.operation():
            live = plugin._live
            if live is not None and not live.is_hooked:
                table = self.workshop.table
                table.commit(table.stage(add=[live.provider]))
                live.is_hooked = True
                self.quarantine.forget(plugin.name)
                plugin._move(PluginState.RUNNING if live.started else PluginState.LOADED)
                self.announce("enabled", plugin.name)
        return plugin

    # Inside

    def _known(self, name: str) -> Plugin:
        """The plugin of that name, looked for anew if need be; raises `UnknownName`."""
        if name not in self.plugins:
            self.refresh()
        return self.plugins[name]

    def _in_load_order(self) -> list[Plugin]:
        return [self.plugins[name] for name in self._loaded]

    def _in_state(self, state: PluginState) -> Iterator[Plugin]:
        return (plugin for plugin in self.plugins.values() if plugin.state is state)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Hold the host's lock for a block that changes something; its events go out after it."""
        with self._lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                events = []
                if self._depth == 0:
                    events, self._pending = self._pending, []
        for kind, plugin, data in events:
            self._events.publish(kind, plugin, **data)

    def _publish(self, kind: str, plugin: str | None, **data: Any) -> None:
        self._pending.append((kind, plugin, data))

    def announce(self, kind: str, plugin: str) -> None:
        """Publish an event when the present operation, if there is one, is over."""
        with self.operation():
            self._publish(kind, plugin)


# A judgement from outside does not wash these away; loading the plugin again does.
_KEPT = frozenset({PluginState.UNLOADED, PluginState.FAILED, PluginState.CONFLICT})
_SKIPPED = frozenset({PluginState.DISABLED, PluginState.INCOMPATIBLE, PluginState.CONFLICT, PluginState.HELD})
