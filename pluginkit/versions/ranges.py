"""Sets of versions, in the notation and with the meaning of PEP 440's specifiers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .version import Version

_LONGEST = 256
_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|>|<)\s*([^\s=<>~^][^\s=<>~^]*)\Z")


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A set of versions: `>=1.2,<2`, `~=1.4.2`, `==1.2.*`, `!=1.3`.

    The empty range holds every version. A pre-release is inside only if a bound names a
    pre-release, or if the caller of `contains` asks for them.

    >>> Version.parse("1.9.0") in VersionRange.parse(">=1.2,<2")
    True
    >>> Version.parse("1.9.0-rc.1") in VersionRange.parse(">=1.2,<2")
    False
    """

    text: str = ""
    _clauses: tuple[_Clause, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.strip())
        object.__setattr__(self, "_clauses", tuple(map(_Clause.parse, _parts(self.text))))

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read a range; raises ValueError with a sentence that says what is wrong."""
        return cls(text)

    def contains(self, version: Version, *, prereleases: bool = False) -> bool:
        """Whether `version` is inside; with `prereleases`, pre-releases count like any other."""
        if version.is_prerelease and not prereleases and not any(c.names_prerelease for c in self._clauses):
            return False
        return all(clause.holds(version) for clause in self._clauses)

    def __contains__(self, version: Version) -> bool:
        return self.contains(version)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Clause:
    operator: str
    bound: Version
    is_prefix: bool = False

    @classmethod
    def parse(cls, text: str) -> _Clause:
        match = _CLAUSE.match(text)
        if match is None:
            raise _not_a_range(text, _why_no_clause(text))
        operator, bound = match.groups()
        is_prefix = bound.endswith(".*")
        if is_prefix and operator not in ("==", "!="):
            raise _not_a_range(text, "'.*' goes only with == and !=")
        version = _bound(bound.removesuffix(".*"), text)
        if is_prefix and not version.is_plain:
            raise _not_a_range(text, "'.*' comes after numbers only")
        if operator == "~=" and len(version.release) < 2:
            raise _not_a_range(text, f"~= needs two numbers, as in '~={bound}.0'")
        if version.local and operator not in ("==", "!="):
            raise _not_a_range(text, "a local part ('+…') goes only with == and !=")
        return cls(operator, version, is_prefix)

    @property
    def names_prerelease(self) -> bool:
        return self.operator != "!=" and self.bound.is_prerelease

    def holds(self, version: Version) -> bool:
        if self.is_prefix:
            return _has_prefix(version, self.bound, self.bound.release) == (self.operator == "==")
        return _OPERATORS[self.operator](version, self.bound)


def _parts(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise ValueError(f"a version range must not be longer than {_LONGEST} characters")
    return [part.strip() for part in text.split(",")] if text else []


def _equal(version: Version, bound: Version) -> bool:
    return (version if bound.local else _public(version)) == bound


def _above(version: Version, bound: Version) -> bool:
    # 1.7.post1 is not above 1.7 for a range, as PEP 440 says: it is the same release.
    return _public(version) > bound and not version.is_postrelease_of(bound)


def _below(version: Version, bound: Version) -> bool:
    # 2.0rc1 is not below 2.0 for a range: who excludes 2.0 means its pre-releases too.
    return version < (bound if bound.is_prerelease else bound.earliest_prerelease())


def _compatible(version: Version, bound: Version) -> bool:
    return _public(version) >= bound and _has_prefix(version, bound, bound.release[:-1])


_OPERATORS: dict[str, Callable[[Version, Version], bool]] = {
    "==": _equal,
    "!=": lambda version, bound: not _equal(version, bound),
    ">=": lambda version, bound: _public(version) >= bound,
    "<=": lambda version, bound: _public(version) <= bound,
    ">": _above,
    "<": _below,
    "~=": _compatible,
}


def _has_prefix(version: Version, bound: Version, prefix: tuple[int, ...]) -> bool:
    padded = version.release + (0,) * (len(prefix) - len(version.release))
    return version.epoch == bound.epoch and padded[: len(prefix)] == prefix


def _public(version: Version) -> Version:
    return replace(version, local=()) if version.local else version


def _bound(text: str, clause: str) -> Version:
    try:
        return Version.parse_pep440(text)
    except ValueError as not_pep440:
        try:
            return Version.parse(text)
        except ValueError:
            raise _not_a_range(clause, str(not_pep440)) from None


def _not_a_range(text: str, why: str) -> ValueError:
    return ValueError(f"{text!r} is not a version range: {why}")


def _why_no_clause(text: str) -> str:
    if not text:
        return "there is nothing between two commas, or after the last"
    if text[0] == "^" or text[0].isdigit():
        base = text.lstrip("^")
        return f"begin it with an operator, as in '>={base}' or '=={base}'"
    if text.startswith("==="):
        return "=== is not supported, write =="
    if len(re.findall(r"[=<>!~]+", text)) > 1:
        return "put a comma between two bounds, as in '>=1.2,<2'"
    return "it must be one of ==, !=, >=, <=, >, <, ~= and a version, as in '>=1.2'"
