"""Lengths of time as people write them in files: `100ms`, `2s`, `5m`, `1h30m`."""

from __future__ import annotations

import math
import re

EXAMPLES = "100ms, 2s, 5m or 1h30m"

_UNITS = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)d)?"
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<m>\d+(?:\.\d+)?)m(?!s))?"
    r"(?:(?P<s>\d+(?:\.\d+)?)s)?"
    r"(?:(?P<ms>\d+(?:\.\d+)?)ms)?",
    re.ASCII,
)
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def parse_duration(value: object) -> float:
    """Return a duration in seconds.

    `value` is a number of seconds, or text: numbers with the units d, h, m, s, ms, from large
    to small, each at most once. Text without a unit is seconds too. Raises `ValueError` for
    anything else, and for what is negative or not finite.

    >>> parse_duration("1h30m"), parse_duration("100ms"), parse_duration(2)
    (5400.0, 0.1, 2.0)
    """
    seconds = _from_text(value.strip()) if isinstance(value, str) else _from_number(value)
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"must be a duration such as {EXAMPLES}, or a number of seconds")
    return seconds


def _from_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _from_text(text: str) -> float | None:
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    match = _UNITS.fullmatch(text)
    if match is None or not text:
        return None
    seconds = sum(
        float(number) * _SECONDS[unit] for unit, number in match.groupdict("0").items() if unit != "ms"
    )
    # Divided, not multiplied by 0.001: 100ms is exactly what a programmer's 0.1 is.
    return seconds + float(match["ms"] or "0") / 1000
