"""The states of a plugin, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class PluginState(StrEnum):
    """Where a plugin is in its life; beside it stands a reason with a code and a sentence."""

    DISCOVERED = "discovered"
    """Found and fit to be loaded; nothing of it has been imported."""
    DISABLED = "disabled"
    """Switched off by the user, by its config file, or left out by the host's selection."""
    INCOMPATIBLE = "incompatible"
    """It asks for another version of the host, of Python or of pluginkit."""
    CONFLICT = "conflict"
    """Another plugin has its name, or the exclusive type that it provides."""
    HELD = "held"
    """It waits for somebody's decision, such as an approval."""
    LOADED = "loaded"
    """Imported, checked and in the hooks; the host has not been started."""
    RUNNING = "running"
    """Loaded and started."""
    STOPPED = "stopped"
    """Stopped, on its way to being unloaded."""
    UNLOADED = "unloaded"
    """Taken out on request; can be loaded again."""
    FAILED = "failed"
    """Its manifest, its code or its start is broken; the reason says where."""
    QUARANTINED = "quarantined"
    """It failed too often in calls and is not called until it is reloaded or enabled."""

    @property
    def is_live(self) -> bool:
        """Whether the plugin's code is in memory and its hooks may be called."""
        return self in _LIVE


_LIVE = frozenset({PluginState.LOADED, PluginState.RUNNING, PluginState.QUARANTINED})

_S = PluginState
# What can be said of a plugin without importing it. Any of these may follow any other, and
# any state that is not live: files and settings change while the host runs.
ASSESSED = frozenset({_S.DISCOVERED, _S.DISABLED, _S.INCOMPATIBLE, _S.CONFLICT, _S.HELD, _S.FAILED})

LEGAL: dict[PluginState, frozenset[PluginState]] = {
    **dict.fromkeys(ASSESSED, ASSESSED),
    _S.DISCOVERED: ASSESSED | {_S.LOADED},
    _S.LOADED: frozenset({_S.RUNNING, _S.STOPPED, _S.FAILED, _S.QUARANTINED}),
    _S.RUNNING: frozenset({_S.STOPPED, _S.FAILED, _S.QUARANTINED}),
    _S.QUARANTINED: frozenset({_S.LOADED, _S.RUNNING, _S.STOPPED, _S.FAILED}),
    _S.STOPPED: frozenset({_S.UNLOADED, _S.DISABLED, _S.FAILED}),
    _S.UNLOADED: ASSESSED,
}


def may_follow(before: PluginState, after: PluginState) -> bool:
    """Whether a plugin may go from `before` to `after` in one step."""
    return after in LEGAL[before]
