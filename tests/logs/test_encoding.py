"""LG09: whatever is logged becomes text, bounded, and never raises."""

from __future__ import annotations

import json
import pathlib
import uuid
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.logs import DecodeError, Entry, LoggerJob
from pluginkit.logs.encoding import MAX_TEXT, value_json
from pluginkit.logs.entry import exception_text


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


class Colour(IntEnum):
    RED = 1


class BrokenDict(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no")


def _decoded(value: object) -> Any:
    return json.loads(value_json(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(message=st.text(st.characters()), fields=st.dictionaries(st.text(), JSON, max_size=4))
def test_lg09_a_record_comes_back_as_it_was(message: str, fields: dict[str, Any]) -> None:
    entry = Entry.made("warn", message, fields)
    text = entry.json()
    back = Entry.from_json(text.encode("ascii"))
    assert (back.message, back.level, back.time, back.caller) == (message, "warn", entry.time, entry.caller)
    own = {
        "@timestamp",
        "@level",
        "@message",
        "@module",
        "@caller",
        "@function",
        "@thread",
        "@process",
        "@exception",
        "@sink",
    }
    assert back.fields == {"_" + name if name in own else name: value for name, value in fields.items()}
    assert "\n" not in text


def test_lg09_lone_surrogates_survive() -> None:
    assert Entry.from_json(Entry.made("info", "\ud800").json()).message == "\ud800"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Hostile(), "<Hostile whose repr() raises RuntimeError>"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**30, hex(10**30)),
        (Colour.RED, 1),
        (b"bytes", "b'bytes'"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        (ValueError("x"), "x"),
        ((1, {2}), [1, [2]]),
        ({1: None, Hostile(): True}, {"1": None, "<Hostile whose str() raises RuntimeError>": True}),
        (BrokenDict(a=1), "<BrokenDict that cannot be read: RuntimeError>"),
    ],
)
def test_lg09_what_is_no_json_becomes_text(value: object, text: object) -> None:
    assert _decoded(value) == text


def test_lg09_cycles_depth_size_and_number_are_bounded() -> None:
    cycle: dict[str, Any] = {}
    cycle["me"] = cycle
    assert _decoded(cycle) == {"me": "<cycle>"}
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    assert "<list of 1>" in value_json(deep)
    assert len(_decoded(list(range(10_000)))) <= 1_000
    huge = value_json("x" * 10_000_000)
    assert len(huge) < MAX_TEXT + 100
    assert "(10,000,000 characters)" in json.loads(huge)
    assert len(value_json(["x" * 60_000] * 100)) < 5 * MAX_TEXT


def test_lg09_the_same_object_twice_is_no_cycle() -> None:
    shared = [1]
    assert _decoded([shared, shared]) == [[1], [1]]


def test_lg11_a_field_cannot_stand_in_for_the_records_own() -> None:
    back = Entry.from_json(Entry.made("info", "x", {"@level": "error", "plugin": "cat"}).json())
    assert (back.level, back.fields, back.plugin) == ("info", {"_@level": "error", "plugin": "cat"}, "cat")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"@level": 1}',
        '{"@message": "x"}',
        "3",
        "[" * 100_000,
        '{"@level":"info","@process":"x"}',
    ],
)
def test_mq06_what_is_no_record_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError):
        Entry.from_json(text)


def test_an_exception_that_cannot_be_shown_is_named() -> None:
    class Bad(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert "Bad" in exception_text(Bad())


def test_mq02_a_logger_job_names_its_maker_and_takes_pairs_and_keywords() -> None:
    job = LoggerJob("warning", "fed", "cat", 1, dog=2)
    data = json.loads(job.queued())
    assert (data["@level"], data["cat"], data["dog"]) == ("warn", 1, 2)
    assert data["@caller"].startswith("test_encoding.py:")
    assert data["@function"] == "test_mq02_a_logger_job_names_its_maker_and_takes_pairs_and_keywords"
    assert repr(job) == "LoggerJob('warn', 'fed')"
    with pytest.raises(TypeError, match="'cat' has no value"):
        LoggerJob("info", "fed", "cat")


def test_lg11_the_names_of_fields_are_one_list() -> None:
    from pluginkit import field_names
    from pluginkit.jobs import keys
    from pluginkit.logs import fields

    own = {name: value for name, value in vars(field_names).items() if name.isupper()}
    assert {name: value for name, value in vars(fields).items() if name.isupper()} == own
    assert {name: value for name, value in vars(keys).items() if name.isupper()}.items() <= {
        **own, "TYPE_CHECKING": False,
    }.items()  # fmt: skip
    assert len(set(own.values())) == len(own)
