"""One order for the two kinds of versions that plugins have.

A manifest writes semantic versions, an installed distribution PEP 440 ones, and a plugin may
be known by both. All are brought into one total order in which `1.2.0-rc.1` is `1.2rc1` and
`1.0` is `1.0.0`; within each kind it is exactly the order of that kind's specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import total_ordering

_LONGEST = 128

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"(?P<release>{_NUMBER}\.{_NUMBER}\.{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)
_PLAIN_RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")

# A version's suffix is a sequence of marks (rank, number, text) that compare left to right.
# The ranks make a development release come before its pre-releases, those before the release,
# and that before its post-releases, at each place where one may stand.
_DEV, _END, _NUMERIC, _WORD, _FINAL, _POST = range(6)
_Mark = tuple[int, int, str]
_MARK_END: _Mark = (_END, 0, "")
_MARK_FINAL: _Mark = (_FINAL, 0, "")
_WORDS_OF_PEP440 = {"a": "alpha", "b": "beta", "rc": "rc"}


@total_ordering
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Version:
    """A version of a plugin, a host or a distribution; made by `parse` or `parse_pep440`.

    `str()` gives the text as it was written. Equal means of the same precedence: the build
    part of a semantic version (`+…`) does not count, as semver 2 says, while the local part of
    a PEP 440 version does.

    >>> Version.parse("1.2.3-rc.1") < Version.parse("1.2.3") < Version.parse("1.10.0+build")
    True
    """

    text: str
    epoch: int
    release: tuple[int, ...]
    suffix: tuple[_Mark, ...]
    local: tuple[_Mark, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a semantic version: three numbers, and maybe `-pre.release` and `+build`.

        Raises ValueError with a sentence that says what is wrong.

        >>> Version.parse("1.2")
        Traceback (most recent call last):
        ...
        ValueError: '1.2' is not a semantic version: it has 2 numbers where three are needed, as in '1.2.0'
        """
        match = _SEMVER.match(text) if len(text) <= _LONGEST else None
        if match is None:
            raise ValueError(f"{text[:_LONGEST]!r} is not a semantic version: {_why_no_semver(text)}")
        release = tuple(map(int, match["release"].split(".")))
        if match["pre"] is None:
            return cls(text, 0, release, (_MARK_FINAL, _MARK_END))
        return cls(text, 0, release, (*map(_identifier, match["pre"].split(".")), _MARK_END))

    @classmethod
    def parse_pep440(cls, text: str) -> Version:
        """Read the version of an installed distribution, as PEP 440 defines it.

        Raises ValueError if it is none.

        >>> Version.parse_pep440("1.0.post1") > Version.parse_pep440("1.0") == Version.parse("1.0.0")
        True
        """
        if len(text) > _LONGEST:
            raise ValueError(f"{text[:_LONGEST]!r} is no version: it is longer than {_LONGEST} characters")
        if _PLAIN_RELEASE.match(text):
            return cls(text, 0, tuple(map(int, text.split("."))), (_MARK_FINAL, _MARK_END))
        return _from_packaging(text)

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before a release of its own: alpha, rc, dev and the like."""
        return self.suffix[0][0] != _FINAL or any(rank == _DEV for rank, _, _ in self.suffix)

    @property
    def is_plain(self) -> bool:
        """Whether it is made of numbers only, without a suffix or a local part."""
        return self.suffix == (_MARK_FINAL, _MARK_END) and not self.local

    def is_postrelease_of(self, release: Version) -> bool:
        """Whether it corrects `release` itself: 1.2.post1 does so for 1.2, but not for 1.2rc1."""
        length = len(release.suffix) - 1
        is_same = self.base == release.base and self.suffix[:length] == release.suffix[:length]
        return (
            is_same and self.suffix[length][0] == _POST and release.suffix[length - 1][0] not in (_DEV, _POST)
        )

    def earliest_prerelease(self) -> Version:
        """The first version that could ever be a pre-release of this one: its `.dev0`."""
        marks = tuple(mark for mark in self.suffix[:-1] if mark != _MARK_FINAL or len(self.suffix) > 2)
        return replace(self, suffix=(*marks, (_DEV, 0, ""), _MARK_END), local=())

    @property
    def base(self) -> tuple[int, tuple[int, ...]]:
        """Epoch and release numbers, without the zeros at the end: 1.2 and 1.2.0 have one base."""
        return (self.epoch, _without_zeros(self.release))

    @property
    def _order(self) -> tuple[object, ...]:
        return (self.base, self.suffix, self.local)

    def __eq__(self, other: object) -> bool:
        return self._order == other._order if isinstance(other, Version) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._order < other._order if isinstance(other, Version) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._order)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Version {self.text}>"


def _from_packaging(text: str) -> Version:
    from packaging.version import InvalidVersion
    from packaging.version import Version as Pep440

    try:
        parsed = Pep440(text)
    except InvalidVersion:
        raise ValueError(
            f"{text!r} is not a version in the sense of PEP 440, as '1.2.3' or '1.2rc1' are"
        ) from None
    suffix: list[_Mark] = []
    pre, post, dev = parsed.pre, parsed.post, parsed.dev
    if pre is not None:
        suffix += [(_WORD, 0, _WORDS_OF_PEP440[pre[0]]), (_NUMERIC, pre[1], "")]
    elif post is not None or dev is None:
        suffix.append(_MARK_FINAL)
    if post is not None:
        suffix.append((_POST, post, ""))
    if dev is not None:
        suffix.append((_DEV, dev, ""))
    local = () if parsed.local is None else tuple(map(_local_part, parsed.local.split(".")))
    return Version(text, parsed.epoch, parsed.release, (*suffix, _MARK_END), local)


def _identifier(text: str) -> _Mark:
    return (_NUMERIC, int(text), "") if text.isdigit() else (_WORD, 0, text)


def _local_part(text: str) -> _Mark:
    return (_WORD, int(text), "") if text.isdigit() else (_NUMERIC, 0, text)


def _without_zeros(release: tuple[int, ...]) -> tuple[int, ...]:
    length = len(release)
    while length and release[length - 1] == 0:
        length -= 1
    return release[:length]


def _why_no_semver(text: str) -> str:
    if len(text) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    if text[:1] in ("v", "V") and _SEMVER.match(text[1:]):
        return f"write it without the {text[0]!r}, as in {text[1:]!r}"
    core, _, _ = text.partition("+")
    core, _, _ = core.partition("-")
    numbers = core.split(".")
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"
    if len(numbers) != 3:
        right = ".".join([*numbers, "0", "0"][:3])
        return (
            f"it has {len(numbers)} number{'s' * (len(numbers) > 1)} where three are needed, as in {right!r}"
        )
    if any(len(number) > 1 and number.startswith("0") for number in numbers):
        right = ".".join(str(int(number)) for number in numbers)
        return f"its numbers must not begin with a zero, as in {right!r}"
    return "after the three numbers come only '-' or '+' and words of letters, digits and '-' joined by dots"
