"""How the watcher of the running host does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pluginkit.cli.checks.finding import Finding


def watching_findings(health: dict[str, Any] | None) -> Iterator[Finding]:
    """What is wrong with a watcher, or with what it has seen; nothing for a host that does not watch."""
    if health is None:
        return
    if not health["is_running"]:
        yield Finding(
            check="watching",
            text=f"changes are not seen: {health['trouble']}",
            advice="mend that and restart the host; until then `pluginkit reload NAME` reloads",
        )
    elif health["trouble"]:
        yield Finding(
            check="watching",
            text=health["trouble"],
            advice="raise the limit of inotify (sysctl fs.inotify.max_user_watches) and restart the host",
            severity="notice",
        )
    if health["waiting_for"]:
        yield Finding(
            check="watching",
            text=f"changes wait because {health['waiting_for']}",
            advice="wait for it to end; if nothing runs, remove what it has left",
            severity="notice",
        )
    for library in health["restart_needed"]:
        yield Finding(
            check="watching",
            text=f"a library was upgraded under the running host: {library}",
            advice="restart the host",
        )
