"""How the watcher does, as a value that `info` and `doctor` show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherHealth:
    """The state of one host's watcher at one moment.

    - `is_running`: whether changes are acted on. `backend`: inotify, fsevents, …, or polling.
    - `directories`: what is watched; `trouble`: why it is not watched as it should be, in words.
    - `changes`, `looks`: how many changes of files, and looks at plugins because of them, there were.
    - `last_change` and `last_file`: when the newest came, in seconds since the epoch, and what it was.
    - `waiting_for`: who is not done yet: git, or pip.
    - `restart_needed`: libraries that were upgraded while this process has the old version imported.
    """

    is_running: bool
    backend: str
    directories: tuple[str, ...] = ()
    trouble: str | None = None
    changes: int = 0
    looks: int = 0
    last_change: float | None = None
    last_file: str | None = None
    waiting_for: str | None = None
    restart_needed: tuple[str, ...] = ()
