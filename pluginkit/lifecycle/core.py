"""What all operations on a host's plugins share: the table of plugins, the lock, the events.

Every operation runs under the host's lock, does all that can fail first, and then commits by
assignments. Events go out after the lock is released, so that a callback may call the host back
from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pluginkit.errors import StateError
from pluginkit.lifecycle.assess import Assessment, Circumstances, Plan, make_plan
from pluginkit.lifecycle.plugin import Plugin
from pluginkit.lifecycle.plugins import Plugins
from pluginkit.lifecycle.states import PluginState
from pluginkit.manifest import Capabilities, normalise_name

if TYPE_CHECKING:
    from pluginkit.discovery import Catalogue
    from pluginkit.events import EventBus
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.rescan import Sight

# A judgement from outside does not wash these away; loading the plugin again does.
_KEPT = frozenset({PluginState.UNLOADED, PluginState.FAILED, PluginState.CONFLICT})


class Core:
    """The plugins of one host, found and judged; what changes them goes through `operation`.

    `look` discovers, `circumstances` gives what plugins are judged against at that moment;
    both are asked anew whenever the catalogue is refreshed.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Catalogue],
        circumstances: Callable[[], Circumstances],
        events: EventBus,
    ) -> None:
        self.plugins = Plugins()
        self.plan = Plan({}, (), ())
        self.circumstances = circumstances
        # Names in order of loading, and live plugins by the name of their package.
        self.loaded: list[str] = []
        self.packages: dict[str, Plugin] = {}
        # Plugins that an operation is about to change: their own code may call the host back.
        self.busy: set[str] = set()
        # What each plugin was like when it was last tried.
        self.seen: dict[str, Sight] = {}
        # What each plugin was found to be when plugins were last loaded or compared. One that only `list`
        # has seen since is new: nobody has decided about it yet.
        self.judged: dict[str, str] = {}
        self._lock = threading.RLock()
        self._look = look
        self._events = events
        self._depth = 0
        self._pending: list[tuple[str, str | None, dict[str, Any]]] = []

    # Finding and judging

    def refresh(self) -> None:
        """Look again, and judge all plugins that are not live by what is there now."""
        catalogue = self._look()
        plan = make_plan(catalogue, self.circumstances())
        with self.operation():
            self.plan = plan
            table = {plugin.name: plugin for plugin in self.plugins.values() if self._is_held(plugin)}
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
                    self.publish(
                        "conflict", plugin.name, reason=str(plugin.reason), origin=str(plugin.origin)
                    )

    def keep_verdicts(self, plan: Plan) -> None:
        """Remember what there is: what comes later is new, what is not there later is gone."""
        self.judged = {name: verdict.summary for name, verdict in plan.assessments.items()}

    def _is_held(self, plugin: Plugin) -> bool:
        """Whether a look from outside has nothing to say about the plugin."""
        return plugin.state.is_live or plugin.name in self.busy

    def _judged(self, name: str, verdict: Assessment) -> Plugin:
        plugin = self.plugins.get(name)
        before = None if plugin is None else (plugin.state, plugin.reason)
        if plugin is None:
            plugin = Plugin(name, verdict.source, verdict.state, verdict.reason)
            self.publish("discovered", name, origin=str(plugin.origin), state=str(plugin.state))
        elif verdict.state is not PluginState.DISCOVERED or plugin.state not in _KEPT:
            plugin._reassess(verdict.source, verdict.state, verdict.reason)
        plugin.priority = verdict.priority
        if (plugin.state, plugin.reason) != before:
            self._tell_unfit(plugin)
        return plugin

    def _tell_unfit(self, plugin: Plugin) -> None:
        """Have it told that a plugin waits for a decision, or that what is known of it already rules it out."""
        if plugin.state is PluginState.HELD:
            self.publish_held(plugin)
        elif plugin.state is PluginState.FAILED:
            self.publish("failed", plugin.name, step="assess", reason=str(plugin.reason))

    def is_fit(self, plugin: Plugin) -> bool:
        """Whether nothing that is known without importing it speaks against loading the plugin."""
        verdict = self.plan.assessments.get(plugin.name)
        is_free = not self._is_held(plugin)
        return verdict is not None and verdict.state is PluginState.DISCOVERED and is_free

    def known(self, name: str) -> Plugin:
        """The plugin of that name, looked for anew if need be; raises `UnknownName`."""
        if name not in self.plugins:
            self.refresh()
        return self.plugins[name]

    def in_load_order(self) -> list[Plugin]:
        """The live plugins, first loaded first."""
        return [self.plugins[name] for name in self.loaded]

    def in_state(self, state: PluginState) -> Iterator[Plugin]:
        """The plugins that are in a state."""
        return (plugin for plugin in self.plugins.values() if plugin.state is state)

    # Changing

    @contextmanager
    def operation(self, *, blocking: bool = True) -> Iterator[bool]:
        """Hold the host's lock for a block that changes something; its events go out after it.

        Gives whether the lock is held, which without `blocking` it may not be.
        """
        if not self._lock.acquire(blocking=blocking):
            yield False
            return
        events: list[tuple[str, str | None, dict[str, Any]]] = []
        self._depth += 1
        try:
            yield True
        finally:
            self._depth -= 1
            if self._depth == 0:
                events, self._pending = self._pending, []
            self._lock.release()
            # Also when the block has raised: what had happened by then has happened.
            for kind, plugin, data in events:
                self._events.publish(kind, plugin, **data)

    @contextmanager
    def occupied(self, *names: str) -> Iterator[None]:
        """Mark plugins as being changed; raises `StateError` if one is so already."""
        taken = [name for name in names if name in self.busy]
        if taken:
            raise StateError(f"plugin {taken[0]!r} is being loaded, reloaded or unloaded at this moment")
        self.busy.update(names)
        try:
            yield
        finally:
            self.busy.difference_update(names)

    def publish(self, kind: str, plugin: str | None, **data: Any) -> None:
        """Have an event told when the present operation is over."""
        self._pending.append((kind, plugin, data))

    def publish_held(self, plugin: Plugin) -> None:
        """Have it told that somebody has to decide about a plugin before it is loaded."""
        if plugin.reason is not None:
            self.publish("held", plugin.name, code=plugin.reason.code, reason=str(plugin.reason))

    def publish_grants(self, plugin: Plugin, live: Live) -> None:
        """Have it told what a plugin that has just come into service is granted, if it asks for anything."""
        manifest = plugin.manifest
        if manifest is not None and manifest.capabilities != Capabilities():
            granted = live.context.grants.as_dict()
            self.publish("capability_granted", plugin.name, generation=plugin.generation, **granted)

    def announce(self, kind: str, plugin: str) -> None:
        """Tell an event as an operation of its own, or with the present one."""
        with self.operation():
            self.publish(kind, plugin)
