"""Being told, implementation by implementation, how one call goes."""

from __future__ import annotations

import time
from typing import Any

from pluginkit.hooks.values import Implementation, Outcome


class Abandoned(BaseException):
    """Ends a call that nobody waits for, before its next implementation; never reaches a caller."""


class Observer:
    """What the observed form of a body reports to: one for each call.

    `outcomes` lists what has ended so far, `current` is what was begun last.
    """

    __slots__ = ("_began", "_is_abandoned", "current", "outcomes")

    def __init__(self) -> None:
        self.outcomes: list[Outcome[Any]] = []
        self.current: Implementation | None = None
        self._began = 0.0
        self._is_abandoned = False

    def taken(self) -> tuple[Outcome[Any], ...]:
        """The outcomes, which the observer then no longer has.

        The frames in an error's traceback know the observer; if it knew the error, they would
        hold each other.
        """
        outcomes, self.outcomes = tuple(self.outcomes), []
        return outcomes

    def abandon(self) -> None:
        """Nobody waits any more: begin no further implementation."""
        self._is_abandoned = True

    def begins(self, implementation: Implementation) -> None:
        if self._is_abandoned:
            raise Abandoned
        self.current = implementation
        self._began = time.perf_counter()

    def answered(self, implementation: Implementation, result: Any) -> None:
        seconds = time.perf_counter() - self._began
        self.outcomes.append(Outcome(implementation.plugin, implementation.version, result, None, seconds))

    def raised(self, implementation: Implementation, error: BaseException) -> None:
        seconds = time.perf_counter() - self._began
        self.outcomes.append(Outcome(implementation.plugin, implementation.version, None, error, seconds))
