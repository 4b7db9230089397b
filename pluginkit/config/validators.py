"""A plugin's own checks of its settings, kept so that they run again when those change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from pluginkit.errors import Problem, describe_exception, passes_through

if TYPE_CHECKING:
    from pluginkit.config.settings import Settings

Check: TypeAlias = Callable[[Any], object]
_Rule: TypeAlias = tuple[str, "Check | None", bool]


class Validators:
    """Rules of the form: this key must be there; this key's value must pass that check."""

    def __init__(self, rules: Iterable[_Rule] = ()) -> None:
        self._rules: list[_Rule] = list(rules)

    def __len__(self) -> int:
        return len(self._rules)

    def extend(self, others: Validators) -> None:
        """Take over the rules of `others`."""
        self._rules += others._rules

    def problems(self, settings: Settings) -> tuple[Problem, ...]:
        """What `settings` break of the rules, all of it, each with its key.

        A refused new configuration is told from a good one by this alone, before anything of
        it is in force.
        """
        found = (_problem(settings, *rule) for rule in tuple(self._rules))
        return tuple(problem for problem in found if problem is not None)


def _problem(settings: Settings, key: str, check: Check | None, required: bool) -> Problem | None:
    value = settings.find(key)
    if value is None:
        return Problem("is required", path=key) if required else None
    if check is None:
        return None
    try:
        accepted = check(value) is not False
        message = "is refused by its validator"
    except BaseException as error:
        if passes_through(error):
            raise
        accepted, message = False, settings.conceal(_sentence(error))
    return None if accepted else Problem(message, path=key, found=settings.describe(key))


def _sentence(error: BaseException) -> str:
    text = str(error) if type(error) is ValueError else describe_exception(error)
    return text or "is refused by its validator"
