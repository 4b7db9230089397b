"""Changes that wait until the files are at rest: a burst of them is looked at once.

All owners wait for each other, since one action often touches several: a renamed plugin is one
that goes and one that comes, a `git checkout` changes many. But an owner whose files never rest
keeps the others, and in the end itself, no longer than `max_wait`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pluginkit.watch.changes import Change

MANY = 1000
"""Changes in one burst from which on single ones are not kept: then everybody is looked at."""


@dataclass(slots=True)
class Burst:
    """What happened to the files of one owner since they were last looked at; times are monotonic."""

    first: float
    newest: float
    changes: dict[str, Change] = field(default_factory=dict)
    count: int = 0

    def add(self, change: Change, now: float) -> None:
        self.newest = now
        self.count += 1
        before = self.changes.get(change.path)
        if before is not None:
            self.changes[change.path] = before.then(change)
        elif len(self.changes) < MANY:
            self.changes[change.path] = change

    def merge(self, other: Burst) -> None:
        """Add what another burst has."""
        for change in other.changes.values():
            self.add(change, other.newest)
        self.count += other.count - len(other.changes)


class Pending:
    """The bursts by owner. Any thread adds, one waits."""

    def __init__(self, *, quiet: float, max_wait: float) -> None:
        self.quiet = quiet
        self.max_wait = max_wait
        self._condition = threading.Condition()
        self._bursts: dict[str, Burst] = {}
        self._is_closed = False

    def add(self, owner: str, *changes: Change) -> None:
        """Note changes; without any, that an owner is to be looked at all the same."""
        now = time.monotonic()
        with self._condition:
            is_first = not self._bursts
            burst = self._bursts.setdefault(owner, Burst(now, now))
            burst.newest = now
            for change in changes:
                burst.add(change, now)
            if is_first:
                self._condition.notify_all()

    def put_back(self, bursts: Mapping[str, Burst], *, rested: float) -> None:
        """Have these wait again, until nothing has changed for `rested` seconds (at least `quiet`) from now on."""
        later = time.monotonic() + max(0.0, rested - self.quiet)
        with self._condition:
            for owner, burst in bursts.items():
                added = self._bursts.get(owner)
                kept = Burst(later, later, burst.changes, burst.count)
                for change in () if added is None else added.changes.values():
                    kept.add(change, later)
                self._bursts[owner] = kept

    def close(self) -> None:
        """End all waiting."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    def take(self, idle: float | None = None) -> dict[str, Burst] | None:
        """Wait until some are due, and take them out; None once it is closed.

        Gives none after `idle` seconds in which nothing has happened.
        """
        with self._condition:
            while not self._is_closed:
                now = time.monotonic()
                due = self._due(now)
                if due:
                    return {owner: self._bursts.pop(owner) for owner in due}
                is_told = self._condition.wait(self._until_due(now) if self._bursts else idle)
                if not (is_told or self._bursts or self._is_closed):
                    return {}
            return None

    def _due(self, now: float) -> list[str]:
        rested = [owner for owner, burst in self._bursts.items() if now - burst.newest >= self.quiet]
        if len(rested) == len(self._bursts):
            return rested
        overdue = {o for o, burst in self._bursts.items() if now - burst.first >= self.max_wait}
        return [owner for owner in self._bursts if owner in rested or owner in overdue] if overdue else []

    def _until_due(self, now: float) -> float:
        rest = max(burst.newest for burst in self._bursts.values()) + self.quiet
        limit = min(burst.first for burst in self._bursts.values()) + self.max_wait
        return max(0.001, min(rest, limit if limit > now else rest) - now)
