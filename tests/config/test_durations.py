"""Durations as people write them (PG06, file_watcher, quarantine)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.config import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("100ms", 0.1),
        ("2s", 2.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1d", 86400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5h", 5400.0),
        (" 2s ", 2.0),
        ("0", 0.0),
        ("7", 7.0),
        ("0.25", 0.25),
        (7, 7.0),
        (0.5, 0.5),
        (0, 0.0),
    ],
)
def test_pg06_durations_are_read_as_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "m", "ms", "5x", "5 m", "5M", "-5s", "+5s", "1m1h", "5m5m", "1h30", "1e3", "٣s", "5mss"),
        *(None, True, False, -1, -0.5, math.nan, math.inf, 10**400, "9" * 400, [], {}, b"5s"),
    ],
)
def test_pg06_anything_else_is_no_duration(written: object) -> None:
    with pytest.raises(ValueError, match="must be a duration such as 100ms, 2s, 5m or 1h30m"):
        parse_duration(written)


_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


@given(st.dictionaries(st.sampled_from(list(_UNITS)), st.integers(0, 9999), min_size=1))
def test_pg06_a_duration_is_the_sum_of_its_parts_from_large_to_small(parts: dict[str, int]) -> None:
    written = "".join(f"{parts[unit]}{unit}" for unit in _UNITS if unit in parts)
    milliseconds = sum(parts[unit] * size for unit, size in _UNITS.items() if unit in parts)
    assert parse_duration(written) == pytest.approx(milliseconds / 1000, rel=1e-12)


@given(st.text(max_size=40) | st.floats() | st.integers() | st.none() | st.booleans())
def test_pg06_a_duration_is_never_negative_infinite_or_not_a_number(written: object) -> None:
    try:
        seconds = parse_duration(written)
    except ValueError:
        return
    assert math.isfinite(seconds)
    assert seconds >= 0
