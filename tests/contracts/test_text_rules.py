"""SE08: what a rule for text or bytes lets through, and what it says of the rest."""

from __future__ import annotations

import pickle
import re
import string
from enum import StrEnum
from typing import Any

import pytest

import pluginkit
from pluginkit import Bytes, InvalidValue, PluginkitError, Text, UsageError


def problem_of(rule: Text | Bytes, value: object) -> str:
    with pytest.raises(InvalidValue) as caught:
        rule.check(value)
    assert str(caught.value) == caught.value.problem
    assert (caught.value.hook, caught.value.argument) == (None, None)
    return caught.value.problem


@pytest.mark.parametrize("text", ["", "Minka", "Zoë", "日本語", "👩‍👩‍👧", "a b", "शक्ति", "x" * 10_000])
def test_se08_ordinary_text_passes_as_it_is(text: str) -> None:
    assert Text().check(text) is text


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("\0", "NUL (U+0000)"),
        ("\n", "control character U+000A"),
        ("\t", "control character U+0009"),
        ("\x1b", "control character U+001B"),
        ("\x7f", "control character U+007F"),
        ("\x85", "control character U+0085"),
        ("\x9b", "control character U+009B"),
        ("\u2028", "control character U+2028"),
        ("\u202e", "bidirectional control U+202E"),
        ("\u2066", "bidirectional control U+2066"),
        ("\ud83d", "lone surrogate U+D83D"),
    ],
)
def test_se08_controls_are_refused_and_named_with_their_place(character: str, named: str) -> None:
    problem = problem_of(Text(), f"Min{character}ka")
    assert problem.startswith(f"{named} at index 3 of 6 characters is not allowed: ")
    assert character not in problem


def test_se08_the_first_refused_character_is_the_one_that_is_told() -> None:
    assert problem_of(Text(allow=re.compile("[a-z]")), "abc!\n") == (
        "character U+0021 at index 3 of 5 characters is not allowed: 'abc!\\n'"
    )
    assert "U+000A at index 3" in problem_of(Text(allow=re.compile("[a-z]")), "abc\n!")


def test_se08_what_the_host_keeps_passes() -> None:
    rule = Text(keep="\n\t")
    assert rule.check("a\n\tb") == "a\n\tb"
    assert "U+000D" in problem_of(rule, "a\r\n")
    assert Text(keep="\0").check("\0") == "\0"
    assert Text(keep="\n", allow="ab").check("a\nb") == "a\nb"
    assert Text(keep="\n", allow=re.compile("[ab]")).check("a\nb") == "a\nb"


@pytest.mark.parametrize(
    "allow",
    [string.ascii_lowercase + "-]^\\", {*string.ascii_lowercase, *"-]^\\"}, re.compile(r"[a-z\-\]^\\]")],
    ids=["text", "set", "pattern"],
)
def test_se08_only_what_the_host_allows_passes(allow: Any) -> None:
    rule = Text(allow=allow)
    assert rule.check("my-name]^\\") == "my-name]^\\"
    assert problem_of(rule, "my name") == (
        "character U+0020 at index 2 of 7 characters is not allowed: 'my name'"
    )
    assert "U+00EB" in problem_of(rule, "zoë")
    assert "NUL" in problem_of(rule, "zo\0")


def test_se08_a_pattern_does_not_let_controls_through() -> None:
    assert "U+000A" in problem_of(Text(allow=re.compile(r"[\w\s]")), "two\nlines")
    assert "lone surrogate U+D800" in problem_of(Text(allow=re.compile(".")), "\ud800")


def test_se08_a_pattern_is_asked_about_each_character_alone() -> None:
    assert Text(allow=re.compile("(?i)[a-z]+")).check("aBc") == "aBc"
    assert "U+0062" in problem_of(Text(allow=re.compile("ab|a")), "ab")


def test_se08_size_in_characters() -> None:
    rule = Text(max_characters=3)
    assert rule.check("äöü") == "äöü"
    assert problem_of(rule, "äöüß") == (
        "4 characters are more than the 3 characters allowed: '\\xe4\\xf6\\xfc\\xdf'"
    )


def test_se08_size_in_bytes() -> None:
    rule = Text(max_bytes=4)
    assert rule.check("äö") == "äö"
    assert rule.check("abcd") == "abcd"
    assert problem_of(rule, "äö!").startswith("5 bytes are more than the 4 bytes allowed: ")
    assert problem_of(rule, "abcde").startswith("at least 5 bytes are more than the 4 bytes allowed: ")


def test_se08_a_surrogate_is_found_before_bytes_are_counted() -> None:
    assert "lone surrogate" in problem_of(Text(max_bytes=10), "\udc80")


def test_se08_messages_show_little_of_what_is_wrong_and_escape_it() -> None:
    hostile = "\x1b]0;owned\x07" * 1000 + "\u202e<script>"
    for rule in (Text(), Text(max_characters=5), Text(max_bytes=5), Text(allow="x")):
        problem = problem_of(rule, hostile)
        assert len(problem) < 200
        assert problem.replace("…", "").isascii()
        assert problem.isprintable()
    assert problem_of(Text(), "a" * 50 + "\0" + "b" * 50) == (
        "NUL (U+0000) at index 50 of 101 characters is not allowed: …'aaaaaaaaaaaa\\x00bbbbbbbbbbb'…"
    )


@pytest.mark.parametrize("value", [None, 3, b"abc", ["a"], object()])
def test_se08_text_has_to_be_text(value: object) -> None:
    expected = f"it has to be str, not {type(value).__name__}"
    assert problem_of(Text(), value) == expected
    assert problem_of(Text(sanitise=True), value) == expected


def test_se08_the_name_of_a_wrong_type_is_shown_escaped_and_cropped() -> None:
    problem = problem_of(Text(), type("\x1b[31m" + "é" * 500, (), {})())
    assert problem.startswith("it has to be str, not \\x1b[31m")
    assert len(problem) < 300
    assert problem.isascii()


class Liar(str):
    """Answers whatever a check wants to hear."""

    __slots__ = ()

    def __len__(self) -> int:
        return 0

    def isprintable(self) -> bool:
        return True

    def __str__(self) -> str:
        return "harmless"

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b""


def test_se08_a_subclass_is_taken_for_the_text_that_it_holds() -> None:
    class Mood(StrEnum):
        GOOD = "good"

    assert type(Text().check(Mood.GOOD)) is str
    assert Text().check(Mood.GOOD) == "good"
    assert "5 characters" in problem_of(Text(max_characters=4), Liar("abcde"))
    assert "NUL" in problem_of(Text(), Liar("\0"))
    assert type(Text().check(Liar("abc"))) is str


def test_se08_what_only_claims_to_be_text_is_not() -> None:
    class Impostor:
        @property
        def __class__(self) -> Any:
            return str

        @__class__.setter
        def __class__(self, value: Any) -> None:
            raise NotImplementedError

    assert isinstance(Impostor(), str)
    assert problem_of(Text(), Impostor()) == "it has to be str, not Impostor"


def test_se08_bytes_have_a_size() -> None:
    rule = Bytes(max_bytes=3)
    assert rule.check(b"\0\xff!") == b"\0\xff!"
    assert problem_of(rule, b"1234") == "4 bytes are more than the 3 bytes allowed"
    assert problem_of(rule, "123") == "it has to be bytes, not str"
    assert problem_of(rule, bytearray(b"1")) == "it has to be bytes, not bytearray"


def test_se08_a_subclass_of_bytes_is_taken_for_the_bytes_that_it_holds() -> None:
    class Short(bytes):
        def __len__(self) -> int:
            return 0

        def __bytes__(self) -> bytes:
            return b""

    assert problem_of(Bytes(max_bytes=3), Short(b"1234")).startswith("4 bytes")
    assert type(Bytes(max_bytes=4).check(Short(b"1234"))) is bytes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_characters": 0}, "max_characters=0 is no limit; it is a whole number from 1"),
        ({"max_bytes": -1}, "max_bytes=-1 is no limit"),
        ({"max_bytes": True}, "max_bytes=True is no limit"),
        ({"max_characters": "80"}, "max_characters='80' is no limit"),
        ({"allow": ""}, "allow is empty, so no text could pass; leave it out"),
        ({"allow": frozenset()}, "allow is empty"),
        (
            {"allow": {"ab"}},
            "lists no characters; it is a string or a set of single characters, or a pattern",
        ),
        ({"allow": {1}}, "lists no characters"),
        ({"allow": ["a"]}, "lists no characters"),
        ({"allow": re.compile(b"a")}, "is a pattern for bytes; write one for text"),
        ({"allow": "a\n"}, "allow has the control character U+000A; to let it through write keep='\\n'"),
        (
            {"allow": "\ud800"},
            "allow has the lone surrogate U+D800, which has no form in UTF-8; leave it out",
        ),
        ({"keep": "\udfff"}, "keep has the lone surrogate U+DFFF"),
        ({"keep": "a"}, "keep has the character U+0061, which is no control character; leave it out"),
        ({"keep": 3}, "keep=3 lists no characters; it is a string or a set of single characters"),
    ],
)
def test_se08_a_wrong_rule_is_the_hosts_mistake(options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        Text(**options)


def test_se08_bytes_without_a_sensible_limit_are_the_hosts_mistake() -> None:
    with pytest.raises(UsageError, match="max_bytes=0 is no limit"):
        Bytes(max_bytes=0)


def test_se08_rules_are_values_and_show_what_was_asked() -> None:
    assert Text(allow="ba", max_characters=3) == Text(allow={"a", "b"}, max_characters=3)
    assert hash(Text(allow="ba")) == hash(Text(allow={"a", "b"}))
    assert Text() != Text(sanitise=True)
    assert repr(Text(allow={"b", "a"}, max_characters=3)) == "Text(max_characters=3, allow='ab')"
    assert (repr(Text()), repr(Bytes(max_bytes=2))) == ("Text()", "Bytes(max_bytes=2)")
    again = pickle.loads(pickle.dumps(Text(keep="\n", sanitise=True)))
    assert again.check("a\0\n") == "a\n"


def test_se08_the_error_says_whose_value_it_was_and_travels_between_processes() -> None:
    error = pluginkit.InvalidArgument("it is wrong", "greet", "name")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "hook 'greet', argument 'name': it is wrong"
    assert (again.problem, again.hook, again.argument) == ("it is wrong", "greet", "name")
    assert isinstance(error, InvalidValue)
    assert isinstance(error, UsageError)
    of_plugin = InvalidValue("it is wrong", "greet")
    assert str(of_plugin) == "hook 'greet', result: it is wrong"
    assert isinstance(of_plugin, ValueError)
    assert isinstance(of_plugin, PluginkitError)
    assert not isinstance(of_plugin, UsageError)
