"""The five levels, their numbers, and the names that other loggers have for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

NUMBERS: Mapping[str, int] = MappingProxyType({"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40})
"""Level → number, as loguru and the standard library count."""

LEVELS = tuple(NUMBERS)

_OTHER_NAMES = {
    "warning": "warn",
    "critical": "error",
    "fatal": "error",
    "success": "info",
    "notset": "trace",
}
_NAMES_OF_NUMBERS = {5: "trace", 10: "debug", 20: "info", 25: "info", 30: "warn", 40: "error", 50: "error"}
_warned: set[str] = set()


def level_named(name: str) -> str:
    """The level that a text means, in any case; an unknown one is `info`, with one warning for each.

    >>> level_named("WARNING"), level_named("Trace")
    ('warn', 'trace')
    """
    folded = name.strip().casefold()
    folded = _OTHER_NAMES.get(folded, folded)
    if folded in NUMBERS:
        return folded
    if folded not in _warned:
        _warned.add(folded)
        logging.getLogger("pluginkit").warning(
            "unknown log level %r: info is used; known: %s", name, ", ".join(LEVELS)
        )
    return "info"


def level_of(number: int) -> str:
    """The level of a number that another logger gave: the last one that is not above it."""
    known = _NAMES_OF_NUMBERS.get(number)
    if known is not None:
        return known
    return next((name for name in reversed(LEVELS) if NUMBERS[name] <= number), "trace")


class LevelRules:
    """From which level on records are kept: one for all, and others for names of plugins and loggers.

    A rule for `cat` holds for the plugin `cat` and for the logger or module `cat` with all below
    it; the longest name that fits decides, and a plugin's own rule before its modules'.
    """

    def __init__(self, level: str) -> None:
        self._all = NUMBERS[level_named(level)]
        self._named: dict[str, int] = {}
        self.lowest = self._all

    def set(self, name: str, level: str | None) -> None:
        """Have a level for a name, or for all (`""`); None takes the name's own away."""
        if name == "":
            self._all = NUMBERS[level_named(level or "info")]
        elif level is None:
            self._named = {known: number for known, number in self._named.items() if known != name}
        else:
            self._named = {**self._named, name: NUMBERS[level_named(level)]}
        self.lowest = min(self._all, *self._named.values()) if self._named else self._all

    def keeps(self, number: int, module: str, plugin: str | None) -> bool:
        """Whether a record of this level, module and plugin is kept."""
        named = self._named
        if not named:
            return number >= self._all
        if plugin is not None and plugin in named:
            return number >= named[plugin]
        while module:
            if module in named:
                return number >= named[module]
            module = module.rpartition(".")[0]
        return number >= self._all

    def as_mapping(self) -> dict[str, str]:
        """Name → level; the one for all names has the name `""`."""
        return {"": level_of(self._all), **{name: level_of(no) for name, no in sorted(self._named.items())}}
