"""What has changed since each plugin was last tried, by content; and, on request, doing what follows.

A plugin's `Sight` is what a version of it is known by: the hash of its files (manifest and code
by content), its manifest and its settings. It is remembered whenever the plugin is loaded, reloaded or given
new settings, whether that worked or not: what has failed is tried again when something of it
changes, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit import snapshot
from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.discovery import Found
from pluginkit.errors import LoadError, Reason, StateError
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.report import ReconfigureReport, ReloadOptions, ReloadReport, UnloadReport
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.lifecycle.assess import Assessment
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.manifest import Manifest
    from pluginkit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Sight:
    """What one version of a plugin is known by.

    The manifest of a single file lies beside it, and that of an installed distribution has the
    version of its metadata: the hash of the plugin's own files says nothing of either.
    """

    files: str
    settings: str
    manifest: Manifest | None = None

    def only_settings(self, before: Sight) -> Sight:
        """These settings, with the files of an earlier sight."""
        return Sight(before.files, self.settings, before.manifest)

    @classmethod
    def of(cls, verdict: Assessment, files: Snapshot | None = None) -> Sight:
        """The sight of a plugin as it has been judged; its files are read unless they are given."""
        if not isinstance(verdict.source, Found):
            return cls(f"broken: {verdict.reason}", "")
        try:
            files = files or snapshot.take(verdict.source.root)
        except snapshot.SnapshotError as error:
            return cls(f"unreadable: {error}", "")
        return cls(files.identity, _settings(verdict), verdict.source.manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class RescanReport:
    """How the plugins that are there now differ from what was tried last, by name.

    - `new`: not known before. `gone`: known, and not there any more.
    - `changed`: other files, or another verdict on them. `reconfigured`: other settings only.
    - `unchanged`: the rest, and those whose files were not looked at.
    - `reloads`, `unloads`, `settings`, `loaded`, `failed`: what was done about it, if that was asked for.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reconfigured: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    reloads: tuple[ReloadReport, ...] = ()
    unloads: tuple[UnloadReport, ...] = ()
    settings: tuple[ReconfigureReport, ...] = ()
    failed: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all that was done worked."""
        refused = [report for report in self.reloads if not report.ok]
        return not (self.failed or refused) and all(report.ok for report in self.settings)

    def __str__(self) -> str:
        groups = ("new", "changed", "reconfigured", "gone")
        parts = [f"{group}: {', '.join(names)}" for group in groups if (names := getattr(self, group))]
        lines = [f"{'; '.join(parts) or 'nothing has changed'} ({len(self.unchanged)} unchanged)"]
        lines += [f"{name}: loaded" for name in self.loaded]
        lines += map(str, (*self.reloads, *self.settings, *self.unloads, *self.failed))
        return "\n  ".join(lines)


class Rescan:
    """One look at all plugins."""

    def __init__(self, lifecycle: Lifecycle, only: Iterable[str] | None = None) -> None:
        self._lifecycle = lifecycle
        self._only = None if only is None else frozenset(only)
        self._loaded: list[str] = []
        self._reloads: list[ReloadReport] = []
        self._unloads: list[UnloadReport] = []
        self._settings: list[ReconfigureReport] = []
        self._failed: list[Failure] = []

    def run(self, *, apply: bool, quiet: float) -> RescanReport:
        """Look, and with `apply` load, reload, unload and reconfigure what has changed."""
        lifecycle = self._lifecycle
        before = dict(lifecycle.judged)
        lifecycle.refresh()
        plan = lifecycle.plan
        groups: dict[str, list[str]] = {
            name: [] for name in ("new", "changed", "reconfigured", "unchanged", "gone")
        }
        for name, verdict in plan.assessments.items():
            groups[self._group(name, verdict, before.get(name))].append(name)
        groups["gone"] = sorted(before.keys() - plan.assessments.keys())
        if apply:
            lifecycle.keep_verdicts(plan)
            for name in groups["unchanged"]:
                # What nobody has tried yet is measured by this from now on.
                if name not in lifecycle.seen:
                    lifecycle.seen[name] = Sight.of(plan.assessments[name])
            self._apply(groups, quiet)
        return RescanReport(
            **{group: tuple(names) for group, names in groups.items()},
            loaded=tuple(self._loaded),
            reloads=tuple(self._reloads),
            unloads=tuple(self._unloads),
            settings=tuple(self._settings),
            failed=tuple(self._failed),
        )

    def _group(self, name: str, verdict: Assessment, before: str | None) -> str:
        seen = self._lifecycle.seen.get(name)
        if seen is None and before is None:
            return "new"
        if seen is None:
            return "unchanged" if before == verdict.summary else "changed"
        if self._is_passed_by(name, verdict):
            now = Sight(seen.files, _settings(verdict), seen.manifest)
        else:
            now = Sight.of(verdict)
        if (seen.files, seen.manifest) != (now.files, now.manifest):
            return "changed"
        return "unchanged" if seen.settings == now.settings else "reconfigured"

    def _is_passed_by(self, name: str, verdict: Assessment) -> bool:
        """Whether the files of a plugin are not to be read: it serves, from where it was loaded, and nobody asked."""
        if self._only is None or name in self._only or verdict.state is not PluginState.DISCOVERED:
            return False
        plugin = self._lifecycle.plugins.get(name)
        if plugin is None or not plugin.state.is_live:
            return False
        now, before = verdict.source, plugin.source
        return isinstance(now, Found) and isinstance(before, Found) and now.root == before.root

    def _apply(self, groups: dict[str, list[str]], quiet: float) -> None:
        for name in groups["gone"]:
            self._unload(name)
            self._lifecycle.seen.pop(name, None)
        touched = {*groups["new"], *groups["changed"], *groups["reconfigured"]}
        # Those that others require come first; the unfit ones have no place in that order.
        in_order = [name for name in self._lifecycle.plan.order if name in touched]
        for name in (*in_order, *sorted(touched.difference(in_order))):
            self._bring_up_to_date(name, quiet, settings_only=name in groups["reconfigured"])
        # What was unloaded with another is judged by what is there now.
        self._lifecycle.refresh()

    def _bring_up_to_date(self, name: str, quiet: float, *, settings_only: bool) -> None:
        lifecycle = self._lifecycle
        plugin, verdict = lifecycle.plugins.get(name), lifecycle.plan.assessments.get(name)
        if plugin is None or verdict is None:
            return
        lifecycle.seen[name] = Sight.of(verdict)
        if not plugin.state.is_live:
            if verdict.state is PluginState.DISCOVERED:
                self._load(name)
        elif verdict.state is PluginState.DISABLED:
            self._unload(name)
        elif settings_only and verdict.state is PluginState.DISCOVERED:
            self._attempt(name, lambda: self._settings.append(lifecycle.reconfigure(name)))
        else:
            self._attempt(name, lambda: self._reload(name, quiet))

    def _reload(self, name: str, quiet: float) -> None:
        # Perhaps it has moved already, together with one that it requires.
        report = self._lifecycle.reload(name, ReloadOptions(timeout=CLOSE_TIMEOUT, quiet=quiet))
        if not report.is_unchanged:
            self._reloads.append(report)

    def _load(self, name: str) -> None:
        def load() -> None:
            self._lifecycle.load(name)
            self._loaded.append(name)

        self._attempt(name, load)

    def _unload(self, name: str) -> None:
        if name in self._lifecycle.plugins and self._lifecycle.plugins[name].state.is_live:
            self._attempt(name, lambda: self._unloads.append(self._lifecycle.unload(name, cascade=True)))

    def _attempt(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except LoadError as error:
            plugin: Plugin | None = self._lifecycle.plugins.get(name)
            known = plugin.failure if plugin is not None else None
            self._failed.append(known or Failure(name, error.step or "load", error.reason))
        except StateError as error:
            self._failed.append(Failure(name, "rescan", Reason("busy", str(error)), str(error)))


def _settings(verdict: Assessment) -> str:
    if verdict.settings is None:
        return verdict.summary
    return f"{verdict.priority} {verdict.settings.as_dict(redact=False)!r}"
