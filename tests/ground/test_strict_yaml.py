"""YAML is read strictly: what it gives, what it refuses, with which line, and how fast."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pluginkit.strict_yaml import Document, YamlError, dotted, load, load_json

# Each with the line of the problem and a part of its message.
REFUSED = {
    "an anchor": ("a: 1\nb: &x 2", 2, "anchors"),
    "an anchor on a mapping": ("a: &x {b: 1}", 1, "anchors"),
    "an anchor on a list": ("a: &x [1]", 1, "anchors"),
    "an anchor on a key": ("&x a: 1", 1, "anchors"),
    "an alias": ("a: 1\nb: *x", 2, "aliases"),
    "an alias as a key": ("a: 1\n*x : 2", 2, "aliases"),
    "a tag": ("a: 1\nb: !!python/object/apply:os.system [true]", 2, "tags"),
    "a standard tag": ("a: !!int 3", 1, "tags"),
    "a tag of one's own": ("a: !mine {b: 1}", 1, "tags"),
    "a tag directive": ("%TAG ! tag:example.com,2000:\n---\na: 1", 1, "%TAG"),
    "a merge key": ("a: {b: 1}\nc:\n  <<: {d: 1}", 3, "merge keys"),
    "a key given twice": ("a: 1\nb: 2\na: 3", 3, "given twice, first on line 1"),
    "a key given twice, nested": ("a:\n  b: 1\n  b: 2", 3, "a.b: is given twice, first on line 2"),
    "two documents": ("a: 1\n---\nb: 2", 2, "more than one YAML document"),
    "a list as key": ("? [a, b]\n: 1", 1, "cannot be a key"),
    "a mapping as key": ("{a: 1}: 1", 1, "cannot be a key"),
    "a number as key": ("a: 1\n443: 2", 2, "a key must be text"),
    "a boolean as key": ("true: 2", 1, "a key must be text"),
    "a null as key": ("? \n: 1", 1, "a key must be text"),
    "a key that only YAML 1.1 takes for true": ("on: 1", 1, "a key must be text"),
    "no": ("a: no", 1, "a boolean in one, text in the other"),
    "an octal number": ("a: 0\nb: 010", 2, "different numbers"),
    "an octal number of YAML 1.2": ("a: 0o14", 1, "a number in one and text in the other"),
    "a binary number": ("a: 0b11", 1, "a number in one and text in the other"),
    "a number with underscores": ("a: 1_000", 1, "a number in one and text in the other"),
    "an exponent without a point": ("a: 1e3", 1, "a number in one and text in the other"),
    "a sexagesimal number": ("a: 12:30", 1, "to base 60"),
    "a date": ("a: 2024-01-31", 1, "a date in one"),
    "a date and time": ("a: 2024-01-31T10:00:00Z", 1, "a date in one"),
    "infinity": ("a: -.inf", 1, "finite"),
    "not a number": ("a: .nan", 1, "finite"),
    "an integer beyond 64 bits": ("a: 18446744073709551616", 1, "64 bits"),
    "a number of 5,000 digits": ("a: " + "1" * 5000, 1, "64 bits"),
    "a float beyond all": ("a: 1.0e+999", 1, "finite"),
    "NUL": ("a: 1\nb: \0", 2, "NUL"),
    "NUL by escape": ('a: "\\0"', 1, "NUL"),
    "NUL by escape in a key": ('"\\0": 1', 1, "NUL"),
    "a control character": ("a: 1\nb: \x07", 2, "control characters"),
    "indentation by tabs": ("a:\n\tb: 1", 2, "never with tabs"),
    "a colon in plain text": ("a: b: c", 1, "must be quoted"),
    "an open bracket": ("a: [1,\nb: 2", 3, "flow sequence that begins on line 1"),
    "half a surrogate pair": ("a: \ud800", 1, "surrogate"),
    "too much": ("a: " + "x" * 65536, None, "larger than 65536 bytes"),
    "too deep, in brackets": ("[" * 25 + "]" * 25, 1, "deeper than 24"),
    "too deep, by lines": ("\n".join("  " * n + "a:" for n in range(30)), 25, "deeper than 24"),
    "too many values": ("\n".join(f"- {n}" for n in range(5001)), 5000 - 2, "more than 5000"),
}

ATTACKS = {
    "a billion laughs": "a: &a [x, x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a, *a]" for n in range(900)),
    "60,000 sexagesimal groups": "a: 1" + ":1" * 30000,
    "60,000 opening brackets": "[" * 60000,
    "60,000 opening braces": "{" * 60000,
    "60,000 nested lists by dashes": "- " * 30000,
    "60,000 question marks": "? " * 30000,
    "60,000 digits": "a: " + "9" * 60000,
    "60,000 quotes": "a: " + "'" * 60001,
    "60,000 anchors": "&a " * 20000,
    "60,000 tags": "!a " * 20000,
    "60,000 equal keys": "a: 1\n" * 12000,
    "60,000 documents": "---\n" * 15000,
    "a long key": "a" * 60000 + ": 1: 2",
    "60,000 colons": ":" * 60000,
    "60,000 commas": "[" + "," * 60000,
    "60,000 pipes": "|" * 60000,
    "60,000 percent signs": "%" * 60000,
    "60,000 spaces, then a tab": " " * 60000 + "\t: 1",
    "60,000 comments that end in rubbish": "#\n" * 30000 + "]",
    "a date that goes on": "a: 2024-01-01 10:00:00" + "." + "0" * 50000 + "x",
    "an exponent that goes on": "a: 1" + "_" * 60000 + "e",
    "60,000 escapes": 'a: "' + "\\x41" * 15000,
    "60,000 opening braces over lines": "{\n" * 30000,
    "60,000 flow pairs": "[" + "a: 1, " * 10000,
    "60,000 complex keys": "[" + "? a : b, " * 6600,
}


def problems_of(text: str | bytes, read: Callable[..., Document] = load, **limits: int) -> tuple[Any, ...]:
    with pytest.raises(YamlError) as caught:
        read(text, file="manifest.yaml", **limits)
    return caught.value.problems


@pytest.mark.parametrize("name", REFUSED)
def test_dm11_what_surprises_is_refused_with_its_line(name: str) -> None:
    text, line, message = REFUSED[name]
    problem = problems_of(text)[0]
    assert message in f"{problem.path}: {problem.message}"
    assert (problem.line, problem.file) == (line, "manifest.yaml")


def test_dm11_no_text_takes_more_than_50_ms_to_be_judged(child: Callable[..., Any]) -> None:
    """In a process of its own, because what measures coverage slows it down; in time of the processor."""
    script = (
        "import json, sys, time\n"
        "from pluginkit.strict_yaml import YamlError, load\n"
        "def seconds(text):\n"
        "    begin = time.process_time()\n"
        "    try:\n"
        "        load(text)\n"
        "    except YamlError:\n"
        "        pass\n"
        "    return time.process_time() - begin\n"
        "texts = json.load(sys.stdin)\n"
        "slow = {name: min(seconds(text) for _ in range(3)) for name, text in texts.items()}\n"
        "print(json.dumps({name: time for name, time in slow.items() if time >= 0.05}))\n"
    )
    texts = {**ATTACKS, **{name: text for name, (text, _, _) in REFUSED.items()}}
    assert json.loads(child(script, stdin=json.dumps(texts)).stdout) == {}


def test_dm11_a_refusal_needs_no_recursion() -> None:
    deepest = sys.getrecursionlimit() * 5
    assert "deeper than" in problems_of("[" * deepest)[0].message
    assert "deeper than" in problems_of("{a: " * deepest)[0].message


def test_dm11_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    (problem,) = problems_of(b"a: 1\nb: \xff\n")
    assert (problem.line, problem.found) == (2, "byte 0xff")
    (problem,) = problems_of("a: 1".encode("utf-16"))
    assert "is not UTF-8 text" in problem.message


def test_dm04_everything_wrong_in_a_document_is_listed_at_once() -> None:
    problems = problems_of("a: no\nb: &x 010\nc: *x\na: 1\n12: !!int 3\n")
    assert [problem.line for problem in problems] == [1, 2, 2, 3, 4, 5, 5]
    by_path = {problem.path: problem for problem in problems if problem.path}
    assert by_path["b"].found == "010"
    assert by_path["['12']"].example == '"12":'


def test_dm04_what_could_be_read_comes_with_the_error() -> None:
    with pytest.raises(YamlError) as caught:
        load("name: cat\nname: dog\nspeaks: yes\nsub: {a: 1}\nsub: {a: 2, b: 3}")
    assert caught.value.document is not None
    assert caught.value.document.data == {"name": "cat", "speaks": "yes", "sub": {"a": 1}}
    assert [problem.path for problem in caught.value.problems] == ["name", "speaks", "sub"]
    with pytest.raises(YamlError) as caught:
        load("a: [")
    assert caught.value.document is None


def test_dm11_no_more_than_fifty_problems_are_listed() -> None:
    assert len(problems_of("- no\n" * 1000)) == 50


def test_dm04_the_example_is_what_to_write_instead() -> None:
    (problem,) = problems_of("version: 1e3")
    assert str(problem) == (
        "manifest.yaml:1: version: reads differently in YAML 1.1 and YAML 1.2 (different numbers, or a number in "
        'one and text in the other) (found 1e3; right would be the plain decimal number, or "1e3" if it is text)'
    )


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# nothing but a comment\n", None),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ("[~, null, '', \"\", true, False, 0, -7, +7, 0x1F, 1.5, .5, 2.]", [None, None, "", "", True, False, 0, -7, 7, 31, 1.5, 0.5, 2.0]),
        ("[1.2.3, 1.0.0-rc.1, 192.168.1.100, localhost:80, y, n, N/A, -, <, =, nobody]", ["1.2.3", "1.0.0-rc.1", "192.168.1.100", "localhost:80", "y", "n", "N/A", "-", "<", "=", "nobody"]),
        ("['no', \"010\", '12:30']", ["no", "010", "12:30"]),
        ("a: |\n  one\n  two\nb: >\n  three\n  four\n", {"a": "one\ntwo\n", "b": "three four\n"}),
        ('"<<": 1', {"<<": 1}),
        ("a: {}\nb: []", {"a": {}, "b": []}),
        ("a:\nb: ", {"a": None, "b": None}),
        ("é: 'ü'", {"é": "ü"}),
        ("18446744073709551615", 2**64 - 1),
    ],
)  # fmt: skip
def test_dm03_what_all_versions_of_yaml_agree_on_is_read(text: str, data: object) -> None:
    assert load(text).data == data
    assert load(text.encode()).data == data


def test_dm04_each_value_has_its_place() -> None:
    document = load("plugin:\n  name: cat\n  tags: [a,\n    b]\nlist:\n  - x: 1\n  - 2\n")
    assert document.lines == {
        (): (1, 1),
        ("plugin",): (1, 1),
        ("plugin", "name"): (2, 3),
        ("plugin", "tags"): (3, 3),
        ("plugin", "tags", 0): (3, 10),
        ("plugin", "tags", 1): (4, 5),
        ("list",): (5, 1),
        ("list", 0): (6, 5),
        ("list", 0, "x"): (6, 5),
        ("list", 1): (7, 5),
    }
    assert document.position(("plugin", "absent", "deeper")) == (1, 1)
    assert load("").position(("plugin",)) is None


def test_dm04_a_scalar_that_is_no_text_keeps_its_spelling() -> None:
    document = load("version: 1.10\nname: cat\nempty:\n")
    assert document.data["version"] == 1.1
    assert document.spelling(("version",), 1.1) == "1.10"
    assert document.spelling(("name",), "cat") == "'cat'"
    assert document.spelling(("empty",), None) == "null"


def test_dm04_places_are_written_as_people_write_them() -> None:
    assert dotted(()) == ""
    assert dotted(("a", 0, "b-c", "d.e", "\x1b[31m")) == "a[0].b-c['d.e']['\\x1b[31m']"
    assert len(dotted(("x " * 5000,))) < 130


def core_schema(text: str) -> str:
    """The kind that YAML 1.2 gives a plain scalar (chapter 10.3.2)."""
    if re.fullmatch(r"null|Null|NULL|~|", text):
        return "null"
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", text):
        return "bool"
    if re.fullmatch(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", text):
        return "int"
    if re.fullmatch(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text
    ):
        return "float"
    return "str"


def pyyaml_schema(text: str) -> str:
    """The kind that PyYAML, which follows YAML 1.1, gives a plain scalar."""
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(text[:1], []):
        if pattern.match(text):
            return str(tag.rpartition(":")[2])
    return "str"


scalars_likely_to_surprise = st.one_of(
    st.text(alphabet="0123456789+-._:eExob afTZyn", min_size=1, max_size=10).map(str.strip),
    st.sampled_from(
        ["yes", "No", "on", "OFF", "y", "N", "null", "~", "True", ".inf", "-.INF", ".nan", "+.5", "0o7"]
    ),
    st.dates().map(str),
    st.floats().map(str),
    st.integers().map(str),
)


@settings(max_examples=1500)
@given(scalars_likely_to_surprise)
def test_dm03_a_plain_scalar_means_what_both_yaml_versions_say_or_is_refused(text: str) -> None:
    try:
        scalars = [event for event in yaml.parse(f"- {text}") if isinstance(event, yaml.ScalarEvent)]
        (old,) = yaml.load(f"- {text}", yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return
    if len(scalars) != 1 or isinstance(old, dict | list):
        return
    spelling = scalars[0].value
    kinds = {pyyaml_schema(spelling), core_schema(spelling)}
    is_octal = kinds == {"int"} and spelling.lstrip("+-").startswith("0") and spelling.lstrip("+-") != "0"
    is_hexadecimal = spelling.startswith("0x")
    is_unbounded = isinstance(old, float) and not abs(old) < float("inf")
    is_large = isinstance(old, int) and not -(2**63) <= old < 2**64
    if len(kinds) == 2 or (is_octal and not is_hexadecimal) or is_unbounded or is_large:
        with pytest.raises(YamlError):
            load(f"- {text}")
    else:
        value = load(f"- {text}").data[0]
        assert (type(value), value) == (type(old), old)


plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(plain_data, st.booleans())
def test_dm03_what_a_dumper_quotes_is_read_back(data: Any, flow: bool) -> None:
    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')

    class Dumper(yaml.SafeDumper):
        """Quotes every text, and never writes an anchor."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def represent_float(self, data: float) -> yaml.ScalarNode:
            return self.represent_scalar("tag:yaml.org,2002:float", f"{data:.17e}")

    Dumper.add_representer(str, quoted)
    Dumper.add_representer(float, Dumper.represent_float)
    assert load(yaml.dump(data, Dumper=Dumper, default_flow_style=flow, allow_unicode=True)).data == data


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=200), st.binary(max_size=200), st.text("{}[]:,-&*!|>'\"#%?\n ab1", max_size=60)
    )
)
def test_dm11_any_input_gives_a_document_or_a_yaml_error(text: str | bytes) -> None:
    for read in (load, load_json):
        with contextlib.suppress(YamlError):
            assert isinstance(read(text), Document)


def test_dm03_without_libyaml_the_pure_parser_gives_the_same(child: Callable[..., Any]) -> None:
    """A build of PyYAML without its C part, as on a platform without a wheel."""
    child(
        "import sys\n"
        "sys.modules['yaml._yaml'] = None\n"
        "import yaml\n"
        "assert not yaml.__with_libyaml__\n"
        "from pluginkit.strict_yaml import load, YamlError\n"
        "document = load('plugin:\\n  name: cat\\n  ports: [443, \"80\"]\\n')\n"
        "assert document.data == {'plugin': {'name': 'cat', 'ports': [443, '80']}}\n"
        "assert document.lines[('plugin', 'ports', 1)] == (3, 16)\n"
        "for text in ['a: &x 1', 'a: no', 'a: 1\\n---\\nb: 1', 'a: [', '[' * 60, 'a: \\x07', 'a: !!int 1', 'a:\\n\\tb: 1']:\n"
        "    try:\n"
        "        load(text)\n"
        "    except YamlError as error:\n"
        "        assert error.problems[0].line, text\n"
        "    else:\n"
        "        raise SystemExit(text)\n"
    )
