"""Being told, implementation by implementation, how one call goes."""

from __future__ import annotations

import time
from typing import Any

from pluginkit.hooks.values import Implementation, Outcome


class Abandoned(BaseException):
    """Ends a call that nobody waits for, before its next implementation; never reaches a caller."""


class Progress:
    """How far one call has come; the observed form of a body reports to it.

    `current` is the implementation that was begun last.
    """

    __slots__ = ("_began", "_is_abandoned", "current")

    def __init__(self) -> None:
        self.current: Implementation | None = None
        self._began = 0.0
        self._is_abandoned = False

    def abandon(self) -> None:
        """Nobody waits any more: begin no further implementation."""
        self._is_abandoned = True

    def begins(self, implementation: Implementation) -> None:
        if self._is_abandoned:
            raise Abandoned
        self.current = implementation
        self._began = time.perf_counter()

    def answered(self, implementation: Implementation, result: Any) -> None:
        """An implementation has answered, be it with None."""

    def raised(self, implementation: Implementation, error: BaseException) -> None:
        """An implementation has failed."""


class Observer(Progress):
    """Progress, and what each implementation made of the call."""

    __slots__ = ("_outcomes",)

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: list[Outcome[Any]] = []

    def taken(self) -> tuple[Outcome[Any], ...]:
        """The outcomes in call order, which the observer then no longer has.

        The frames in an error's traceback know the observer; if it knew the error, they would
        hold each other.
        """
        outcomes, self._outcomes = tuple(self._outcomes), []
        return outcomes

    def answered(self, implementation: Implementation, result: Any) -> None:
        self._add(Outcome(implementation.plugin, implementation.version, result, None, self._seconds()))

    def raised(self, implementation: Implementation, error: BaseException) -> None:
        self._add(Outcome(implementation.plugin, implementation.version, None, error, self._seconds()))

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _add(self, outcome: Outcome[Any]) -> None:
        if not self._is_abandoned:
            self._outcomes.append(outcome)
