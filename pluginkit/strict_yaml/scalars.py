"""What a plain (unquoted) scalar of YAML means, where all versions of YAML agree on it."""

from __future__ import annotations

import re

WORDS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
# Booleans to YAML 1.1 only.
_OLD_WORDS = frozenset(["yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"])

_NUMBER_START = frozenset("0123456789+-.")
# A plain scalar that begins with anything else is text in every version of YAML. "" is there
# for the empty scalar, which is null.
MAYBE_NOT_TEXT = frozenset(["", "~", *"nNtTfFyYoO", *_NUMBER_START])

_INTEGER = re.compile(r"(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?\Z")
_NO_NUMBER = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_LONGEST_NUMBER = 40

# Tried after the patterns above: what YAML 1.1 (as PyYAML implements it) or the core schema of
# YAML 1.2 takes for something else than text, but not both, or not for the same.
_AMBIGUOUS = (
    (
        re.compile(
            r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
            r"(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\Z"
        ),
        "a date in one, text in the other",
        '"{}"',
    ),
    (
        re.compile(r"[-+]?(?:[1-9][0-9_]*(?::[0-5]?[0-9])+|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)\Z"),
        "a number to base 60 in one, text in the other",
        '"{}"',
    ),
    (
        re.compile(
            # YAML 1.1, then YAML 1.2.
            r"(?:[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)"
            r"|(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?"
            r"|0o[0-7]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)\Z"
        ),
        "different numbers, or a number in one and text in the other",
        'the plain decimal number, or "{}" if it is text',
    ),
)


def number(text: str) -> int | float | None:
    """The number that both YAML 1.1 and YAML 1.2 read here, None if it is none to both.

    One that no program could agree on with another (too long, infinite, `.nan`) comes back as
    infinity.
    """
    if text[:1] not in _NUMBER_START:
        return None
    if _INTEGER.match(text):
        if len(text) > _LONGEST_NUMBER:
            return float("inf")
        return int(text, 16) if text.startswith("0x") else int(text)
    if _FLOAT.match(text):
        return float(text)
    return float("inf") if _NO_NUMBER.match(text) else None


def ambiguity(text: str) -> tuple[str, str] | None:
    """How versions of YAML disagree about this scalar, and what to write instead."""
    if text in _OLD_WORDS:
        return "a boolean in one, text in the other", 'true or false, or "{}" if it is text'
    if text[:1] in _NUMBER_START:
        for pattern, meaning, example in _AMBIGUOUS:
            if pattern.match(text):
                return meaning, example
    return None


def is_text(text: str) -> bool:
    """Whether a plain scalar is text to every version of YAML."""
    if text[:1] not in MAYBE_NOT_TEXT:
        return True
    return text not in WORDS and number(text) is None and ambiguity(text) is None
