"""JSON gives the same `Document` as YAML, under the same limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.strict_yaml import YamlError, load, load_json

REFUSED = {
    "a key given twice": ('{"a": 1,\n "b": {"a": 1,\n "a": 2}}', 3, "b.a: is given twice, first on line 2"),
    "a trailing comma": ('{\n"a": 1,\n}', None, "not valid JSON"),
    "a comment": ('{"a": 1} // one', 1, "not valid JSON"),
    "single quotes": ("{'a': 1}", 1, "not valid JSON"),
    "two documents": ("{}\n{}", 2, "not valid JSON"),
    "an open brace": ('{"a": 1', 1, "not valid JSON"),
    "an open string": ('{"a', 1, "not valid JSON"),
    "a lone backslash": ('{"a": "\\x"}', 1, "not valid JSON"),
    "a bare word": ("[yes]", 1, "not valid JSON"),
    "NaN": ('{"a":\nNaN}', 2, "a: must be a finite number"),
    "infinity": ("[-Infinity]", 1, "[0]: must be a finite number"),
    "an integer beyond 64 bits": ("[18446744073709551616]", 1, "64 bits"),
    "a number of 5,000 digits": ("[" + "1" * 5000 + "]", 1, "64 bits"),
    "a float beyond all": ("[1e999]", 1, "finite"),
    "NUL by escape": ('["\\u0000"]', 1, "NUL"),
    "NUL by escape in a key": ('{"\\u0000": 1}', 1, "NUL"),
    "half a surrogate pair": ('["\\ud800"]', 1, "surrogate"),
    "too deep": ("[" * 25 + "]" * 25, 1, "deeper than 24"),
    "too many values": ("[" + "\n1," * 5000 + "1]", 5001, "more than 5000"),
    "too much": ('"' + "x" * 65536 + '"', None, "larger than 65536 bytes"),
}

ATTACKS = {
    "60,000 opening brackets": "[" * 60000,
    "60,000 opening braces": '{"a":' * 12000,
    "60,000 quotes": '"' * 60000,
    "60,000 backslashes": '"' + "\\" * 60000,
    "60,000 digits": "[" + "9" * 60000 + "]",
    "60,000 exponents": "[1e" + "9" * 60000 + "]",
    "60,000 equal keys": "{" + '"a":1,' * 9000 + '"a":1}',
    "60,000 spaces": " " * 60000 + "x",
    "60,000 newlines": "\n" * 60000 + "x",
    "60,000 commas": "[" + "," * 60000,
}


def problems_of(text: str | bytes) -> tuple[Any, ...]:
    with pytest.raises(YamlError) as caught:
        load_json(text, file="plugin.json")
    return caught.value.problems


@pytest.mark.parametrize("name", REFUSED)
def test_dm05_what_is_no_strict_json_is_refused_with_its_line(name: str) -> None:
    text, line, message = REFUSED[name]
    problem = problems_of(text)[0]
    assert message in f"{problem.path}: {problem.message}"
    # Where Python says that a trailing comma stands differs between its versions.
    assert problem.line == line or name == "a trailing comma"
    assert problem.file == "plugin.json"


def test_dm05_no_json_takes_more_than_50_ms_to_be_judged(child: Callable[..., Any]) -> None:
    """In a process of its own, because what measures coverage slows it down; in time of the processor."""
    script = (
        "import json, sys, time\n"
        "from pluginkit.strict_yaml import YamlError, load_json\n"
        "def seconds(text):\n"
        "    begin = time.process_time()\n"
        "    try:\n"
        "        load_json(text)\n"
        "    except YamlError:\n"
        "        return time.process_time() - begin\n"
        "    return 'not refused'\n"
        "texts = json.load(sys.stdin)\n"
        "slow = {name: min(seconds(text) for _ in range(3)) for name, text in texts.items()}\n"
        "print(json.dumps({name: time for name, time in slow.items() if time >= 0.05}))\n"
    )
    assert json.loads(child(script, stdin=json.dumps(ATTACKS)).stdout) == {}


def test_dm05_json_needs_no_recursion_to_be_refused() -> None:
    assert "deeper than" in problems_of("[" * sys.getrecursionlimit())[0].message


def test_dm05_everything_wrong_in_a_json_document_is_listed_at_once() -> None:
    with pytest.raises(YamlError) as caught:
        load_json('{"a": NaN, "a": 2, "b": {"c": 1, "c": [1e999]}}')
    assert [problem.path for problem in caught.value.problems] == ["a", "a", "b.c", "b['c (line 1)'][0]"]
    assert caught.value.document is not None
    assert caught.value.document.data == {"a": "NaN", "b": {"c": 1}}


def test_dm05_an_empty_file_is_an_empty_document() -> None:
    assert load_json(" \n").data is None
    assert load_json(b"\xef\xbb\xbf[1]").data == [1]


def test_dm05_each_json_value_has_its_place_and_spelling() -> None:
    document = load_json('{"name": "sample",\n "tags": [1.10,\n  {"x": null}]}')
    assert document.lines == {
        (): (1, 1),
        ("name",): (1, 2),
        ("tags",): (2, 2),
        ("tags", 0): (2, 11),
        ("tags", 1): (3, 3),
        ("tags", 1, "x"): (3, 4),
    }
    assert document.spelling(("tags", 0), 1.1) == "1.10"
    assert document.spelling(("tags", 1, "x"), None) == "null"


json_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(json_data, st.sampled_from([None, 1]), st.booleans())
def test_dm05_all_of_json_is_read(data: Any, indent: int | None, ascii_only: bool) -> None:
    document = load_json(json.dumps(data, indent=indent, ensure_ascii=ascii_only))
    assert document.data == data
    assert json.dumps(document.data) == json.dumps(data)


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.integers(0, 9) | st.text("xyz", min_size=1))))
def test_dm05_json_and_yaml_agree_on_data_and_places(data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=1)
    assert load_json(text).data == load(text).data
    assert load_json(text).lines == load(text).lines
