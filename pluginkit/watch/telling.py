"""What is said of changes and of what came of them: in the log, and as events of the host."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pluginkit.watch.owners import INSTALLED, SOMETHING, Owners
from pluginkit.watch.pending import Burst

if TYPE_CHECKING:
    from pluginkit.events import EventBus
    from pluginkit.lifecycle import RescanReport
    from pluginkit.watch.libraries import Upgraded

_log = logging.getLogger("pluginkit")

MOST_FILES = 20
"""Files of one plugin that are named in one burst; of the others it is said how many they are."""


def tell_changes(bursts: Mapping[str, Burst], owners: Owners, events: EventBus) -> None:
    """Log which files of which plugins have changed, and publish an event for each."""
    for owner, burst in bursts.items():
        directory = owners.directory_of(owner)
        plugin = None if directory is None else owner
        if directory is None and os.path.isabs(owner):
            owner = directory = os.path.dirname(owner)  # noqa: PLW2901  # of one that is not known yet
        whose = owner if plugin is None else f"plugin {owner!r}"
        changes = list(burst.changes.values())
        for change in changes[:MOST_FILES]:
            _log.info("%s: %s", whose, change.text(directory))
            events.publish(
                "file_changed", plugin, action=change.action, file=change.path, before=change.before
            )
        if len(changes) > MOST_FILES:
            _log.info("%s: and %d files more", whose, len(changes) - MOST_FILES)


def tell_report(report: RescanReport) -> None:
    """Log what was done because of changes: what worked for information, what did not as an error."""
    for name in report.loaded:
        _log.info("plugin %r: loaded", name)
    for reload in report.reloads:
        _log.log(logging.INFO if reload.ok else logging.ERROR, "%s", reload)
    for settings in report.settings:
        _log.log(logging.INFO if settings.ok else logging.ERROR, "%s", settings)
    for unload in report.unloads:
        _log.log(logging.INFO if unload.is_gone else logging.WARNING, "%s", unload)
    for failure in report.failed:
        _log.error("%s", failure)


def tell_upgraded(upgraded: tuple[Upgraded, ...], events: EventBus) -> None:
    """Warn of libraries that only a restart of the process brings up to date."""
    for one in upgraded:
        _log.warning("restart needed: %s; what runs goes on with %s until then", one, one.imported)
        events.publish("restart_needed", library=one.name, imported=one.imported, installed=one.installed)


def tell_own_output(plugin: str, files: list[str]) -> None:
    """Warn of a plugin that writes into its own directory."""
    _log.warning(
        "plugin %r was reloaded again and again because of %s alone, as if it wrote that itself; changes of it "
        "no longer count. A plugin's own files belong into `ctx.data_dir`.",
        plugin,
        ", ".join(files),
    )


def is_plugin(owner: str) -> bool:
    """Whether changes are somebody's, be it a plugin that is not known yet."""
    return owner not in (INSTALLED, SOMETHING)
