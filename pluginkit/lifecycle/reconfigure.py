"""New settings for a running plugin, without a reload: checked first, refused as a whole or taken as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.discovery import Found
from pluginkit.errors import ConfigError, Reason, StateError
from pluginkit.hooks import Provider
from pluginkit.lifecycle.bringup import BringUpFailed, step
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.live import settled
from pluginkit.lifecycle.report import ReconfigureReport
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.config import Settings
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin


def reconfigure(lifecycle: Lifecycle, plugin: Plugin) -> ReconfigureReport:
    """Give a live plugin the settings of its config file as it is now; under the host's lock.

    The plugin's `on_config(settings)` is called, and `ctx.settings` is what it was if that fails.
    """
    live, found = plugin._live, plugin.source
    if live is None or not isinstance(found, Found):
        raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded; load it instead")
    verdict = lifecycle.plan.assessments.get(plugin.name)
    if verdict is None or verdict.state is not PluginState.DISCOVERED or verdict.settings is None:
        reason = (verdict.reason if verdict else None) or Reason("gone", "its files are not there any more")
        return _report(plugin, Failure(plugin.name, "settings", reason))
    is_other = verdict.settings != live.context.settings
    if not is_other and verdict.priority == plugin.priority:
        return ReconfigureReport(plugin.name, ok=True, is_unchanged=True)
    try:
        with lifecycle.occupied(plugin.name):
            if is_other:
                _deliver(found, live, verdict.settings)
    except BringUpFailed as error:
        return _report(plugin, error.failure)
    if verdict.priority != plugin.priority:
        _reorder(live, verdict.priority)
        plugin.priority = verdict.priority
    lifecycle.publish("reconfigured", plugin.name)
    return _report(plugin, None)


def _deliver(found: Found, live: Live, settings: Settings) -> None:
    before = live.context.settings
    with step(found, "settings", "settings-invalid"):
        problems = before.validators.problems(settings)
        if problems:
            raise ConfigError("the settings cannot be used", problems)
    settings.validators.extend(before.validators)
    live.context.settings = settings
    try:
        with step(found, "on_config", "on-config-failed"), live.instance.entered():
            take = getattr(live.target, "on_config", None)
            if callable(take):
                settled("on_config", take(settings))
    except BaseException:
        live.context.settings = before
        raise


def _reorder(live: Live, priority: int) -> None:
    """The plugin's place among the others' implementations follows its priority."""
    old = live.provider
    new = Provider(
        old.name, old.target, version=old.version, priority=priority, lenient=old.lenient, host=old.host
    )
    if live.is_hooked:
        live.table.commit(live.table.stage(remove=[old], add=[new]))
    live.provider = new


def _report(plugin: Plugin, failure: Failure | None) -> ReconfigureReport:
    plugin.failure = failure
    return ReconfigureReport(plugin.name, ok=failure is None, failure=failure)
