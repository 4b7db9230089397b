"""`Lifecycle`: all operations on the plugins of one host, each in a file of its own.

What loads, reloads and unloads is imported by the first operation that needs it: a command that only
looks at plugins (`list`, `info`, `doctor`) pays for none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.errors import StateError
from pluginkit.lifecycle.connections import dependents, wire
from pluginkit.lifecycle.core import Core
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.events import EventBus
    from pluginkit.lifecycle.assess import Circumstances
    from pluginkit.lifecycle.bringup import Workshop
    from pluginkit.lifecycle.collecting import Retired
    from pluginkit.lifecycle.failure import Failure
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.lifecycle.providers import Providers
    from pluginkit.lifecycle.report import (
        CloseErrors,
        LoadReport,
        ReconfigureReport,
        ReloadOptions,
        ReloadReport,
        UnloadReport,
    )
    from pluginkit.lifecycle.rescan import RescanReport
    from pluginkit.lifecycle.retire import Retiring
    from pluginkit.runtimes import Instance
    from pluginkit.services.jobs import PluginJobs


class Lifecycle(Core):
    """Runs the life of every plugin of one host.

    `workshop` and `providers` make what plugins are brought up with, when the first one is.
    """

    def __init__(
        self,
        workshop: Callable[[Callable[[Found, str], Instance | None]], Workshop],
        *,
        look: Callable[[], Catalogue],
        circumstances: Callable[[], Circumstances],
        events: EventBus,
        providers: Callable[[], Providers],
    ) -> None:
        super().__init__(look=look, circumstances=circumstances, events=events)
        self._make_workshop = workshop
        self._make_providers = providers
        self.is_started = False
        self.is_closed = False

    @cached_property
    def workshop(self) -> Workshop:
        """What plugins are brought up with."""
        return self._make_workshop(lambda found, head: wire(self, found, head))

    @cached_property
    def providers(self) -> Providers:
        """The host's own objects, and the look-up by type."""
        return self._make_providers()

    @cached_property
    def retiring(self) -> Retiring:
        """Generations on their way out."""
        from pluginkit.lifecycle.retire import Retiring

        return Retiring()

    # Operations

    def load_all(self) -> LoadReport:
        """Load every plugin that is fit, requirements first; one that fails stops no other."""
        from pluginkit.lifecycle import loads

        return loads.load_all(self)

    def load(self, name: str) -> Plugin:
        """Load one plugin, and those that it requires; raises `LoadError` if it cannot be."""
        from pluginkit.lifecycle import loads

        return loads.load(self, name)

    def start_all(self) -> tuple[Failure, ...]:
        """Run `on_start` of every loaded plugin; one that fails is undone and taken out, and who needs it."""
        from pluginkit.lifecycle import loads

        return loads.start_all(self)

    def unload(self, name: str, *, cascade: bool = False, timeout: float = CLOSE_TIMEOUT) -> UnloadReport:
        """Take one plugin out. Others that need it are unloaded first with `cascade`, else it is refused."""
        from pluginkit.lifecycle import unloads

        return unloads.unload(self, name, cascade=cascade, timeout=timeout)

    def rescan(
        self, *, apply: bool = False, quiet: float = 0.0, only: Iterable[str] | None = None
    ) -> RescanReport:
        """What has changed since each plugin was last tried; with `apply`, do what follows from it."""
        from pluginkit.lifecycle.rescan import Rescan

        return Rescan(self, only).run(apply=apply, quiet=quiet)

    def reconfigure(self, name: str) -> ReconfigureReport:
        """Give a live plugin the settings that its config file has now; see `reconfigure.py`."""
        from pluginkit.lifecycle.reconfigure import reconfigure
        from pluginkit.lifecycle.rescan import Sight

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
        from pluginkit.lifecycle.reload import Reload
        from pluginkit.lifecycle.unloads import unload_one

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
                    unload_one(self, other, options.timeout)
        self.retiring.collector.relieve()
        return report

    def close_all(self, timeout: float) -> CloseErrors | None:
        """Unload everything in reverse order; errors come together, none stops the rest."""
        if not self.loaded and not self.busy and "retiring" not in vars(self):
            # Nothing was ever loaded.
            self.is_closed = True
            return None
        from pluginkit.lifecycle import unloads

        return unloads.close_all(self, timeout)

    # What several operations need

    def unhook(self, live: Live) -> None:
        """Let no new call of the plugin begin; `live.retirement` knows when the last one has ended."""
        from pluginkit.lifecycle import unloads

        unloads.unhook(self, live)

    def failed(self, plugin: Plugin, failure: Failure) -> Failure:
        """Make a failure the state of its plugin, and tell it."""
        plugin.failure = failure
        plugin._move(PluginState.FAILED, failure.reason)
        self.publish("failed", plugin.name, step=failure.step, reason=str(failure.reason))
        return failure

    def lingering(self) -> tuple[Retired, ...]:
        """Old generations that are not gone."""
        return self.retiring.held() if "retiring" in vars(self) else ()

    def jobs(self) -> tuple[PluginJobs, ...]:
        """What the plugins that serve have given the host's pool."""
        lives = [plugin._live for plugin in self.plugins.values() if plugin._live is not None]
        return tuple(one.context._jobs for one in lives if one.context._jobs is not None)

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
