"""What the user decides of a plugin, and what its own failures decide: on, off, quarantine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pluginkit.discovery import Found
from pluginkit.errors import Reason, StateError
from pluginkit.lifecycle.assess import disabled_by_file, read_configs
from pluginkit.lifecycle.failure import Failure, failure_of
from pluginkit.lifecycle.quarantine import Quarantine, QuarantineRule
from pluginkit.lifecycle.states import PluginState
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pluginkit.hooks import CallFailure
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.lifecycle.store import StateFile

_log = logging.getLogger("pluginkit")


class Choices:
    """Switches plugins on and off; the user's choices are kept in `store`."""

    def __init__(self, lifecycle: Lifecycle, store: StateFile, rule: QuarantineRule) -> None:
        self._lifecycle = lifecycle
        self._store = store
        self._quarantined = Quarantine(rule)

    def enable(self, name: str, *, load: bool) -> Plugin:
        """Undo `disable`. Raises `StateError`, naming the file, if the plugin's config file forbids it."""
        plugin = self._lifecycle.known(name)
        if plugin.state is PluginState.QUARANTINED:
            return self._lift(plugin)
        if isinstance(plugin.source, Found):
            config = read_configs(self._lifecycle.circumstances().plugin_configs_dir).get(plugin.name)
            if not config.enabled:
                raise StateError(
                    f"plugin {plugin.name!r} stays disabled: {disabled_by_file(config)}; edit that file"
                )
        self._store.set_enabled(normalise_name(plugin.name), True)
        self._lifecycle.refresh()
        plugin = self._lifecycle.plugins[name]
        if plugin.state is PluginState.DISABLED:
            raise StateError(f"plugin {plugin.name!r} stays disabled: {plugin.reason}")
        self._lifecycle.announce("enabled", plugin.name)
        return self._lifecycle.load(name) if load and plugin.state is PluginState.DISCOVERED else plugin

    def disable(self, name: str, *, cascade: bool = False) -> Plugin:
        """Switch a plugin off, now and for later runs; it is unloaded if it is loaded."""
        plugin = self._lifecycle.known(name)
        with self._lifecycle.operation():
            self._lifecycle.require_idle(plugin)
            if plugin.state.is_live and not cascade:
                self._lifecycle.require_unneeded(plugin)
            # First what can fail: the choice has to be on disk before the plugin goes.
            self._store.set_enabled(normalise_name(plugin.name), False)
            if plugin.state.is_live:
                self._lifecycle.unload(name, cascade=cascade)
        self._lifecycle.refresh()
        self._lifecycle.announce("disabled", plugin.name)
        return self._lifecycle.plugins[name]

    def record_failure(self, failure: CallFailure) -> None:
        """Keep an error of a hook implementation with its plugin, and log it."""
        plugin = self._lifecycle.plugins.get(failure.plugin)
        root = plugin.source.root if plugin is not None and isinstance(plugin.source, Found) else None
        kept = failure_of(failure.plugin, f"hook {failure.hook}", "call-failed", failure.error, root)
        if plugin is not None:
            plugin._keep_error(kept)
            live = plugin._live
            if live is not None and self._quarantined.note(live):
                self._quarantine(plugin, kept)
        # As text: handlers keep records, and a record with the exception would keep the plugin alive.
        _log.error("%s\n%s", str(failure), kept.traceback.rstrip())

    def _quarantine(self, plugin: Plugin, last: Failure) -> None:
        """Take a plugin that fails too often out of the hooks; `enable` puts it back.

        This runs in the thread of the failing call, which must not wait: whoever holds the lock
        may be waiting for that very call. Then the next error tries again.
        """
        with self._lifecycle.operation(blocking=False) as is_held:
            live = plugin._live
            if not is_held or live is None or not live.is_hooked or plugin.name in self._lifecycle.busy:
                return
            rule = self._quarantined.rule
            text = (
                f"failed {rule.errors} times within {rule.window:g} s, the last time in {last.step}: "
                f"{last.error}; reload or enable it to try again"
            )
            self._lifecycle.unhook(live)
            plugin._move(PluginState.QUARANTINED, Reason("quarantined", text))
            self._lifecycle.publish("failed", plugin.name, step=last.step, reason=text)

    def _lift(self, plugin: Plugin) -> Plugin:
        """Put a quarantined plugin back into the hooks."""
        with self._lifecycle.operation():
            live = plugin._live
            if live is not None and not live.is_hooked:
                table = self._lifecycle.workshop.table
                table.commit(table.stage(add=[live.provider]))
                live.is_hooked = True
                self._quarantined.forget(live)
                plugin._move(PluginState.RUNNING if live.started else PluginState.LOADED)
                self._lifecycle.announce("enabled", plugin.name)
        return plugin
