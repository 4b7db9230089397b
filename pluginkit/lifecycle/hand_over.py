"""What a new version has to show before it serves, and the state that it gets from the old one.

`export_state()` is called on the old version, which goes on serving with its own objects if
anything fails afterwards, so it must not change them. Its answer goes to `import_state(data)` of
the new one, or `import_state(data, version)`, where `version` is the old one's `STATE_VERSION`
(1 if it has none). State of another version than its own is given only to a plugin that asks for
the version: whoever does not ask could not know what it gets.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.lifecycle.bringup import step
from pluginkit.lifecycle.live import settled

if TYPE_CHECKING:
    from pluginkit.discovery import Found
    from pluginkit.lifecycle.live import Live


@dataclass(frozen=True, slots=True)
class State:
    """What the old version gave, and the version that it is of."""

    data: Any
    version: int


def check_health(found: Found, live: Live) -> None:
    """Ask the plugin's `health()`, if it has one. Raises `BringUpFailed` if it raises or says False."""
    with step(found, "health", "unhealthy"):
        health = getattr(live.target, "health", None)
        if not callable(health):
            return
        with live.instance.entered():
            if settled("health", health()) is False:
                raise RuntimeError("health() says False")


def export_state(found: Found, live: Live) -> State | None:
    """Ask for the state of a version; None if it has none to give. Raises `BringUpFailed`."""
    with step(found, "export_state", "hand-over-failed"):
        give = getattr(live.target, "export_state", None)
        if not callable(give):
            return None
        with live.instance.entered():
            return State(settled("export_state", give()), state_version(live))


def import_state(found: Found, live: Live, state: State | None) -> None:
    """Give a version the state of the one before, if it takes any. Raises `BringUpFailed`."""
    if state is None:
        return
    with step(found, "import_state", "hand-over-failed"), live.instance.entered():
        take = getattr(live.target, "import_state", None)
        if not callable(take):
            return
        own = state_version(live)
        if _asks_for_version(take):
            settled("import_state", take(state.data, version=state.version))
        elif state.version == own:
            settled("import_state", take(state.data))
        else:
            raise ValueError(
                f"the old version's state is of STATE_VERSION {state.version}, this one's of {own}; "
                "write `def import_state(self, data, version)` to read both"
            )


def state_version(live: Live) -> int:
    """The plugin's `STATE_VERSION`, which is 1 if it says nothing. Raises TypeError if it is no number."""
    version = getattr(live.target, "STATE_VERSION", 1)
    if not isinstance(version, int) or isinstance(version, bool):
        raise TypeError(f"STATE_VERSION must be a whole number, not {version!r}")
    return version


def _asks_for_version(take: Any) -> bool:
    try:
        return "version" in inspect.signature(take).parameters
    except (TypeError, ValueError):
        return False
