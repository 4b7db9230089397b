"""Rules for text and bytes from outside: checked, or made harmless.

A host writes them into its contract, `Annotated[str, Text(max_characters=80)]`, or uses them by
themselves. Which characters are refused unless a host keeps them, and where text can be cut, is
told in `characters.py`.

What passes a rule is always a plain `str` or `bytes`. An instance of a subclass is taken for the
text that it holds: its own methods could answer otherwise each time they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import ClassVar, cast

from pluginkit.contracts.characters import CONTROLS, Refused, border, is_surrogate, kind, prefix_within
from pluginkit.contracts.rule import Rule, wrong_type
from pluginkit.errors import InvalidValue, UsageError

# How much of a text a message shows to each side of what is wrong.
_SHOWN_CHARACTERS = 12
# Long texts are cleaned piece by piece, for as much of them as can remain.
_PIECE_CHARACTERS = 65_536


@dataclass(frozen=True, repr=False)
class Text(Rule):
    r"""What a host asks of a text that comes from outside: its size and its characters.

    Control characters are refused (NUL, newline and tab among them), and so is what reorders
    text that is read in both directions, and what is no character at all. Unless it is given
    here, everything else is let through, in any length.

    Args:
        max_characters: how long the text may be, in Unicode code points: in what `len` counts.
        max_bytes: how many bytes it may take in UTF-8.
        allow: which characters the text may consist of, beside those in `keep`: a string or a
            set that lists each of them, or a compiled pattern that matches any one of them.
        keep: control characters to let through all the same, such as `"\n\t"`.
        sanitise: take out what would be refused, and cut what is too long, instead of raising
            an error. It is cut between characters as readers count them, so what remains may
            be somewhat shorter than allowed; of a first one that is too long itself, nothing.

    Raises:
        UsageError: a limit is less than 1, `allow` and `keep` are not characters of this kind,
            or they have a surrogate, which no text may have.

    >>> name = Text(max_characters=20)
    >>> name.check("Minka")
    'Minka'
    >>> name.check("Min\x00ka")
    Traceback (most recent call last):
    ...
    pluginkit.errors.InvalidValue: NUL (U+0000) at index 3 of 6 characters is not allowed: 'Min\x00ka'
    >>> Text(max_characters=5, sanitise=True).check("Min\x1bka and Tom")
    'Minka'
    """

    python_type: ClassVar[type] = str

    _: KW_ONLY
    max_characters: int | None = None
    max_bytes: int | None = None
    allow: str | AbstractSet[str] | re.Pattern[str] | None = None
    keep: str = ""
    sanitise: bool = False

    def __post_init__(self) -> None:
        _require_limit("max_characters", self.max_characters)
        _require_limit("max_bytes", self.max_bytes)
        keep = _listed("keep", self.keep)
        wrong = next((one for one in keep if one not in CONTROLS), None)
        if wrong is not None:
            raise UsageError(f"keep has the {kind(wrong)}, which is no control character; leave it out")
        object.__setattr__(self, "keep", keep)
        if self.allow is not None:
            object.__setattr__(self, "allow", self._allowed(keep))

    def _allowed(self, keep: str) -> str | re.Pattern[str]:
        if isinstance(self.allow, re.Pattern):
            if not isinstance(self.allow.pattern, str):
                raise UsageError(f"allow={self.allow!r} is a pattern for bytes; write one for text")
            return self.allow
        allowed = _listed("allow", self.allow)
        if not allowed:
            raise UsageError("allow is empty, so no text could pass; leave it out to allow every character")
        wrong = next((one for one in allowed if one in CONTROLS and one not in keep), None)
        if wrong is not None:
            raise UsageError(f"allow has the {kind(wrong)}; to let it through write keep={wrong!r}")
        return allowed

    @cached_property
    def _refused(self) -> Refused:
        return Refused(self.keep, self.allow)  # type: ignore[arg-type]  # a set became text in __post_init__

    def check(self, value: object) -> str:
        """The text as it may be used: unchanged, or cleaned with `sanitise`.

        Raises:
            InvalidValue: it is no `str`, or, without `sanitise`, it breaks the rule. The message
                names limit and size, or the first refused character and where it stands.
        """
        text = value if type(value) is str else _plain_text(value)
        problem = self._problem_of(text)
        if problem is None:
            return text
        if self.sanitise:
            return self._sanitised(text)
        raise InvalidValue(problem)

    def _problem_of(self, text: str) -> str | None:
        """What breaks the rule. The sizes that cost nothing to know come first: they bound the rest."""
        if self.max_characters is not None and len(text) > self.max_characters:
            return _too_long(text, f"{len(text)} characters", self.max_characters, "characters")
        if self.max_bytes is not None and len(text) > self.max_bytes:
            return _too_long(text, f"at least {len(text)} bytes", self.max_bytes, "bytes")
        place = self._refused.first_in(text)
        if place is not None:
            where = f"at index {place} of {len(text)} characters"
            return f"{kind(text[place])} {where} is not allowed: {_excerpt(text, place)}"
        if self.max_bytes is not None and (size := _utf8_size(text)) > self.max_bytes:
            return _too_long(text, f"{size} bytes", self.max_bytes, "bytes")
        return None

    def _sanitised(self, text: str) -> str:
        limits = [limit for limit in (self.max_characters, self.max_bytes) if limit is not None]
        text = self._cleaned(text, min(limits, default=None))
        end = len(text)
        if self.max_characters is not None:
            end = min(end, self.max_characters)
        if self.max_bytes is not None:
            end = min(end, prefix_within(text, self.max_bytes))
        return text[: border(text, end)]

    def _cleaned(self, text: str, needed: int | None) -> str:
        """The text without refused characters; of a long one, more than the `needed` ones at least."""
        if needed is None or len(text) <= _PIECE_CHARACTERS:
            return self._refused.taken_out(text)
        pieces: list[str] = []
        remaining = 0
        for start in range(0, len(text), _PIECE_CHARACTERS):
            pieces.append(self._refused.taken_out(text[start : start + _PIECE_CHARACTERS]))
            remaining += len(pieces[-1])
            if remaining > needed:
                break
        return "".join(pieces)


@dataclass(frozen=True, repr=False)
class Bytes(Rule):
    """What a host asks of bytes that come from outside: how many there are.

    Args:
        max_bytes: the most that may come.

    Raises:
        UsageError: the limit is less than 1.

    >>> Bytes(max_bytes=4).check(b"GIF89a")
    Traceback (most recent call last):
    ...
    pluginkit.errors.InvalidValue: 6 bytes are more than the 4 bytes allowed
    """

    python_type: ClassVar[type] = bytes

    _: KW_ONLY
    max_bytes: int

    def __post_init__(self) -> None:
        _require_limit("max_bytes", self.max_bytes)

    def check(self, value: object) -> bytes:
        """The bytes, unchanged.

        Raises:
            InvalidValue: they are no `bytes`, or too many.
        """
        if not issubclass(type(value), bytes):
            raise InvalidValue(wrong_type("bytes", value))
        plain = bytes.__bytes__(cast("bytes", value))
        if len(plain) > self.max_bytes:
            raise InvalidValue(f"{len(plain)} bytes are more than the {self.max_bytes} bytes allowed")
        return plain


def sanitise(
    text: str,
    *,
    max_characters: int | None = None,
    max_bytes: int | None = None,
    allow: str | AbstractSet[str] | re.Pattern[str] | None = None,
    keep: str = "",
) -> str:
    r"""Make text from outside harmless to show and to store; give what remains of it.

    What `Text` would refuse is taken out, and what is too long is cut, never in the midst of a
    character: neither inside its UTF-8, nor between a letter and its accents, nor inside an
    emoji or a flag that is made of several code points. Sanitising again changes nothing.

    Args:
        text: the text.
        max_characters: the most code points that may remain.
        max_bytes: the most bytes of UTF-8 that may remain.
        allow: the only characters that may remain, beside `keep`; as for `Text`.
        keep: control characters that may remain, such as `"\n\t"`.

    Raises:
        InvalidValue: `text` is no `str`.
        UsageError: one of the others is wrong; see `Text`.

    >>> sanitise("\x1b[31mred\x1b[0m\n"), sanitise("two\nlines", keep="\n")
    ('[31mred[0m', 'two\nlines')
    >>> sanitise("Zoë", max_bytes=3), sanitise("e\u0301te\u0301", max_characters=4)
    ('Zo', 'e\u0301t')
    """
    rule = Text(max_characters=max_characters, max_bytes=max_bytes, allow=allow, keep=keep, sanitise=True)
    return rule.check(text)


def _plain_text(value: object) -> str:
    """The text that an instance of a subclass of str holds, whatever its methods say."""
    if not issubclass(type(value), str):
        raise InvalidValue(wrong_type("str", value))
    return str.__str__(cast("str", value))


def _utf8_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _too_long(text: str, size: str, limit: int, unit: str) -> str:
    return f"{size} are more than the {limit} {unit} allowed: {_excerpt(text, 0)}"


def _excerpt(text: str, place: int) -> str:
    """A few characters around a place, escaped, so that the message can be shown and logged anywhere."""
    start, end = max(0, place - _SHOWN_CHARACTERS), place + _SHOWN_CHARACTERS
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return f"{before}{text[start:end]!a}{after}"


def _require_limit(name: str, limit: object) -> None:
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise UsageError(f"{name}={limit!r} is no limit; it is a whole number from 1")


def _listed(name: str, characters: object) -> str:
    """Each of the characters once, in order, from a string or a set of them."""
    if isinstance(characters, str):
        found = sorted(set(characters))
    elif isinstance(characters, AbstractSet) and all(isinstance(o, str) and len(o) == 1 for o in characters):
        found = sorted(characters)
    else:
        what = "a string or a set of single characters" + (", or a pattern" if name == "allow" else "")
        raise UsageError(f"{name}={characters!r} lists no characters; it is {what}")
    listed = "".join(found)
    surrogate = is_surrogate(listed)
    if surrogate is not None:
        raise UsageError(f"{name} has the {kind(surrogate[0])}, which has no form in UTF-8; leave it out")
    return listed
