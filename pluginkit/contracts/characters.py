"""Characters that text from outside should not have, and the places where text may be cut.

Refused unless they are kept on request:

- the control characters C0 (NUL, newline and tab among them), DEL and C1;
- U+2028 and U+2029, which end a line for many programs;
- the embeddings, overrides and isolates of bidirectional text, U+202A to U+202E and U+2066 to
  U+2069, with which text can be made to look like another;
- surrogates, which are halves of a character and have no form in UTF-8. They cannot be kept.

Other invisible characters are let through, because writing needs them: the joiners of emoji
and of Indic and Persian script, variation selectors, the marks U+200E, U+200F and U+061C of
Arabic and Hebrew text.

`border` finds where one character, as a reader counts, ends and the next begins. It follows the
extended grapheme clusters of Unicode's annex 29: combining and enclosing marks, variation
selectors, joiners, skin tones, tags, flags, Hangul, the consonants that an Indic virama joins, and
number signs that belong to what comes next. Some of its tables Python does not have: which
characters are pictures, which scripts join consonants, which spacing marks stand for themselves.
There a border too few is found, and never one too many. Characters newer than the `unicodedata` of
the running Python count as letters.
"""

from __future__ import annotations

import re
import unicodedata

_RANGES = ((0x00, 0x1F), (0x7F, 0x9F), (0x2028, 0x202E), (0x2066, 0x2069))
CONTROLS = "".join(chr(code) for first, last in _RANGES for code in range(first, last + 1))
_SURROGATES = "\ud800-\udfff"

is_surrogate = re.compile(f"[{_SURROGATES}]").search
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINER, _VIRAMA = "\u200d", 9
# What belongs to the character before it, beside the marks: joiner and non-joiner, skin tones,
# the halfwidth voicing marks, a Thai and a Lao vowel, and the tags that name flags of regions.
_EXTENDING = re.compile(
    "[\u200c\u200d\uff9e\uff9f\u0e33\u0eb3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
).match
# What belongs to the character after it.
_PREPENDED = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a3a\U00011a84-\U00011a89\U00011d46\U00011f02]"
).match


class Refused:
    """The characters that a rule does not let through.

    Args:
        keep: characters that are let through although they are control characters.
        allow: all other characters that are let through, each listed in the text or matched by
            the pattern; None for any.
    """

    def __init__(self, keep: str, allow: str | re.Pattern[str] | None) -> None:
        self._allowed = allow if isinstance(allow, re.Pattern) else None
        self._refuses_controls_only = allow is None
        if isinstance(allow, str):
            refused = f"[^{re.escape(allow + keep)}]"
        else:
            controls = "".join(one for one in CONTROLS if one not in keep)
            refused = f"[{re.escape(controls)}{_SURROGATES}]"
        self._refused = re.compile(refused)
        self._keep = keep

    def first_in(self, text: str) -> int | None:
        """Where the first refused character stands, counted from 0."""
        if self._refuses_controls_only and text.isprintable():
            # Everything refused is unprintable, and this is told many times faster.
            return None
        match = self._refused.search(text)
        places = [text.index(character) for character in self._strange_in(text)]
        if match is not None:
            places.append(match.start())
        return min(places, default=None)

    def taken_out(self, text: str) -> str:
        """The text without refused characters."""
        text = self._refused.sub("", text)
        return text.translate(dict.fromkeys(map(ord, self._strange_in(text))))

    def _strange_in(self, text: str) -> list[str]:
        """Each character that the pattern does not match, once."""
        allowed = self._allowed
        if allowed is None:
            return []
        return [one for one in set(text) if one not in self._keep and not allowed.fullmatch(one)]


def kind(character: str) -> str:
    r"""What to call a character in a message, with its code point; nothing of it is printed as it is.

    >>> kind("\x00"), kind("\x1b"), kind("\u202e"), kind("é")
    ('NUL (U+0000)', 'control character U+001B', 'bidirectional control U+202E', 'character U+00E9')
    """
    point = f"U+{ord(character):04X}"
    if character == "\0":
        return f"NUL ({point})"
    if character in _BIDIRECTIONAL:
        return f"bidirectional control {point}"
    if character in CONTROLS:
        return f"control character {point}"
    return f"lone surrogate {point}" if is_surrogate(character) else f"character {point}"


def border(text: str, index: int) -> int:
    r"""The last place up to `index` where `text` can be cut without cutting into a character.

    >>> border("cafe\u0301", 4), border("cafe\u0301", 5)
    (3, 5)
    """
    while 0 < index < len(text) and _belong_together(text, index):
        index -= 1
    return index


def prefix_within(text: str, max_bytes: int) -> int:
    """How many whole characters from the beginning take at most `max_bytes` in UTF-8."""
    # None takes less than one byte, and what lies behind need not be encoded.
    encoded = text[:max_bytes].encode()
    return len(encoded[:max_bytes].decode(errors="ignore"))


def _belong_together(text: str, index: int) -> bool:
    """Whether what stands before and after `index` is one character to a reader."""
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return True
    if before in CONTROLS or after in CONTROLS:
        return False
    if _extends(after) or before == _JOINER or _PREPENDED(before):
        return True
    if after.isalpha() and _ends_in_virama(text, index):
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, index) % 2 == 1
    return (_hangul(before), _hangul(after)) in _HANGUL_TOGETHER


def _extends(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or _EXTENDING(character) is not None


def _ends_in_virama(text: str, index: int) -> bool:
    """Whether a virama stands before `index`, with no more than other marks between."""
    while index and _extends(text[index - 1]):
        index -= 1
        if unicodedata.combining(text[index]) == _VIRAMA:
            return True
    return False


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, index: int) -> int:
    """How many stand in a row: two make one flag."""
    start = index
    while start and _is_flag_letter(text[start - 1]):
        start -= 1
    return index - start


def _hangul(character: str) -> str:
    """The part of a Korean syllable that a character is: L, V, T, LV, LVT; or nothing."""
    if "\uac00" <= character <= "\ud7a3":
        return "LVT" if (ord(character) - 0xAC00) % 28 else "LV"
    for part, ranges in _JAMO.items():
        if any(first <= character <= last for first, last in ranges):
            return part
    return ""


_JAMO = {
    "L": (("\u1100", "\u115f"), ("\ua960", "\ua97c")),
    "V": (("\u1160", "\u11a7"), ("\ud7b0", "\ud7c6")),
    "T": (("\u11a8", "\u11ff"), ("\ud7cb", "\ud7fb")),
}
_HANGUL_TOGETHER = frozenset(
    {
        *(("L", part) for part in ("L", "V", "LV", "LVT")),
        *((first, second) for first in ("LV", "V") for second in ("V", "T")),
        *((first, "T") for first in ("LVT", "T")),
    }
)
