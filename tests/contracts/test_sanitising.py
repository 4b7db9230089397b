"""SE09: text made harmless, and cut at a character's border."""

from __future__ import annotations

import re
import tracemalloc
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pluginkit import InvalidValue, Text, UsageError, sanitise
from pluginkit.contracts.characters import CONTROLS, border

FAMILY = "👩‍👩‍👧‍👦"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "remains"),
    [
        ("a\0b", "ab"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("two\r\nlines\tand more\x7f\x85\x9b", "twolinesand more"),
        ("user\u202etxt.exe\u2066\u2069", "usertxt.exe"),
        ("\u2028next\u2029", "next"),
        ("half \ud83d and \udc00", "half  and "),
        ("\ud83d\ude00", ""),
        ("", ""),
    ],
)
def test_se09_control_characters_are_taken_out(text: str, remains: str) -> None:
    assert sanitise(text) == remains


@pytest.mark.parametrize(
    "text", ["Zoë", "日本語", FAMILY, "\u200f\u05e2\u05d1\u05e8", "می‌خواهم", "a\u00a0b", "\ufeff", "☃\ufe0f"]
)
def test_se09_what_writing_needs_stays(text: str) -> None:
    assert sanitise(text) == text


def test_se09_newline_and_tab_stay_on_request() -> None:
    assert sanitise("a\r\n\tb\0", keep="\n\t") == "a\n\tb"


def test_se09_only_what_is_allowed_remains() -> None:
    assert sanitise("Zoë-1\n", allow="Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}") == "Zoë"
    assert sanitise("Zoë-1\n!", allow=re.compile(r"\w"), keep="\n") == "Zoë1\n"


# Each is one character to a reader, however many code points it has.
WHOLE = {
    "accent": "e\u0301",
    "many accents": "e\u0301\u0302\u0303",
    "enclosing": "1\u20e3",
    "spacing mark": "\u0ba8\u0bbf",
    "variation": "☃\ufe0f",
    "ideographic variation": "葛\U000e0100",
    "family": FAMILY,
    "skin": "👍🏽",
    "skin and joiner": "👩🏽‍🚀",
    "flag": "🇩🇪",
    "region": SCOTLAND,
    "hangul jamo": "\u1112\u1161\u11ab",
    "hangul two leads": "\u1100\u1100\u1161",
    "hangul syllable and tail": "\uac00\u11a8",
    "hangul full syllable and tail": "\uac01\u11a8",
    "old hangul": "\ua960\ud7b0\ud7cb",
    "conjunct": "\u0915\u094d\u0937",
    "conjunct with a nukta": "\u0915\u094d\u093c\u0937",
    "thai vowel": "\u0e01\u0e33",
    "arabic number": "\u0600\u0661",
    "halfwidth": "\uff76\uff9e",
}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_se09_nothing_is_cut_in_the_midst_of_what_readers_see_as_one(whole: str) -> None:
    text = f"a{whole}b"
    for limit in range(1, len(text)):
        complete = f"a{whole}" if limit > len(whole) else "a"
        assert sanitise(text, max_characters=limit) == complete
    for limit in range(1, len(text.encode())):
        complete = f"a{whole}" if limit > len(whole.encode()) else "a"
        assert sanitise(text, max_bytes=limit) == complete


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("ab", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫🇷🇮🇹", 4),
        ("a🇩🇪", 1),
        ("\uac00\uac00", 1),
        ("\u11a8\u1100", 1),
        ("日本", 1),
        ("\n\u0301", 1),
        ("\u200d\n", 1),
        ("\n\r", 1),
    ],
)
def test_se09_two_characters_can_be_parted(text: str, index: int) -> None:
    assert border(text, index) == index


def test_se09_a_line_end_of_two_characters_is_not_parted() -> None:
    assert sanitise("a\r\nb", keep="\r\n", max_characters=2) == "a"
    assert sanitise("a\r\nb", keep="\r\n", max_characters=3) == "a\r\n"


def test_se09_a_row_of_flags_is_cut_between_two() -> None:
    flags = "🇩🇪🇫🇷🇮🇹"
    assert [len(sanitise(flags, max_characters=limit)) for limit in range(1, 7)] == [0, 2, 2, 4, 4, 6]


def test_se09_of_a_first_character_that_is_too_long_nothing_remains() -> None:
    assert sanitise("e" + "\u0301" * 500, max_characters=80) == ""


def test_se09_both_limits_hold() -> None:
    assert sanitise("ääää", max_characters=3, max_bytes=5) == "ää"
    assert sanitise("ääää", max_characters=1, max_bytes=5) == "ä"


def test_se09_the_limit_is_for_what_remains() -> None:
    assert sanitise("\0" * 1000 + "abc", max_characters=3) == "abc"


def test_se09_of_a_huge_text_only_as_much_is_cleaned_as_can_remain() -> None:
    huge = "ab\0c" * 5_000_000
    tracemalloc.start()
    remains = sanitise(huge, max_characters=70_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert remains == ("abc" * 30_000)[:70_000]
    assert peak < 2_000_000
    assert sanitise("\0" * 200_000 + "end", max_bytes=80) == "end"
    assert sanitise("a\0" * 100_000) == "a" * 100_000


def test_se09_a_cut_knows_what_would_have_come_next() -> None:
    # The mark stands just behind what can remain, and in another piece than its letter.
    text = "\0" + "x" * 65_534 + "e" + "\u0301" + "x" * 10
    assert sanitise(text, max_characters=65_535) == "x" * 65_534


def test_se09_only_text_can_be_sanitised_and_limits_are_limits() -> None:
    with pytest.raises(InvalidValue, match="it has to be str, not bytes"):
        sanitise(b"abc")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(UsageError, match="max_characters=0 is no limit"):
        sanitise("abc", max_characters=0)


# Whatever the text

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from([*CONTROLS, "\ud800", "\udfff", "\u200d", "\ufe0f", "\u0301", "\u0327", "\u094d"]),
        st.sampled_from("🇩🇪🏽👩ᄀ가각ᆨ\U000e0067é"),
    ),
    max_size=40,
)
RULES = st.builds(
    Text,
    max_characters=st.none() | st.integers(1, 20),
    max_bytes=st.none() | st.integers(1, 40),
    allow=st.none() | st.sampled_from(["abc é", re.compile(r"[\w\s]"), frozenset("🇩🇪e\u0301")]),
    keep=st.sampled_from(["", "\n\t", "\r\n", "\0\u202e"]),
    sanitise=st.just(True),
)


def is_subsequence(part: str, whole: str) -> bool:
    remaining = iter(whole)
    return all(character in remaining for character in part)


@given(HOSTILE, RULES)
@example("e\u0301x", Text(max_characters=1, sanitise=True))
@example("🇩🇪🇩", Text(max_bytes=10, sanitise=True))
def test_se09_whatever_comes_what_remains_keeps_to_the_rule(text: str, rule: Text) -> None:
    remains = rule.check(text)
    assert rule.check(remains) == remains, "idempotent"
    assert is_subsequence(remains, text)
    encoded = remains.encode("utf-8")
    assert encoded.decode("utf-8") == remains
    assert rule.max_characters is None or len(remains) <= rule.max_characters
    assert rule.max_bytes is None or len(encoded) <= rule.max_bytes
    assert not {*remains} & {*CONTROLS} - {*rule.keep}
    strict = Text(**{**options_of(rule), "sanitise": False})
    assert strict.check(remains) == remains


@given(HOSTILE, RULES)
def test_se09_what_is_cut_off_begins_a_character_of_its_own(text: str, rule: Text) -> None:
    whole = Text(allow=rule.allow, keep=rule.keep, sanitise=True).check(text)
    remains = rule.check(text)
    assert whole.startswith(remains)
    rest = whole[len(remains) :]
    if remains and rest:
        assert border(whole, len(remains)) == len(remains)
        assert not remains.endswith("\u200d") or rest[0] in CONTROLS
        assert remains[-1] in CONTROLS or not unicodedata.combining(rest[0])


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30))
def test_se09_clean_text_that_is_short_is_left_alone(text: str) -> None:
    assert sanitise(text, max_characters=30, max_bytes=120) is text


def options_of(rule: Text) -> dict[str, Any]:
    names = ("max_characters", "max_bytes", "allow", "keep", "sanitise")
    return {name: getattr(rule, name) for name in names}
