"""What is said of a host's watcher."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pluginkit.cli.paths import shown_path

if TYPE_CHECKING:
    from pluginkit.watch.health import WatcherHealth


def watched(health: WatcherHealth | None) -> str:
    """The sentence with which `run` begins to serve."""
    if health is None:
        return "Nothing is watched (file_watcher in the configuration); `pluginkit reload NAME` reloads."
    if not health.is_running:
        return f"Nothing is watched: {health.trouble}; `pluginkit reload NAME` reloads."
    return f"Watching the plugins ({health.backend}): save a file, and its plugin is reloaded."


def watched_how(health: dict[str, Any]) -> str:
    """Whether changes are seen, how, and what is the matter."""
    if not health["is_running"]:
        return f"no: {health['trouble']}"
    count = len(health["directories"])
    how = f"by {health['backend']}, {count} director{'y' if count == 1 else 'ies'}"
    if health["trouble"]:
        how += f"; {health['trouble']}"
    return f"{how}; waiting: {health['waiting_for']}" if health["waiting_for"] else how


def last_change(health: dict[str, Any]) -> str:
    """When the newest change came and of which file; empty if there was none."""
    if health["last_change"] is None:
        return ""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(health["last_change"]))
    return f"{moment}  {shown_path(health['last_file'])}"
