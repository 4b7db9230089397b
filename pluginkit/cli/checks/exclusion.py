"""Whether two ranges of versions exclude each other.

Every range of PEP 440 changes only at the versions that it names. So it is enough to try those,
and versions close to them on both sides: if none is in both ranges, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

_FAR = 10**6


def exclude_each_other(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether no version can be in both.

    >>> from packaging.specifiers import SpecifierSet
    >>> exclude_each_other(SpecifierSet("<2"), SpecifierSet(">=2"))
    True
    >>> exclude_each_other(SpecifierSet("~=1.4"), SpecifierSet("!=1.4,<1.5"))
    False
    """
    return not any(
        one.contains(version, prereleases=True) and other.contains(version, prereleases=True)
        for specifiers in (one, other)
        for version in _telling(specifiers)
    )


def _telling(specifiers: SpecifierSet) -> Iterator[str]:
    """The versions on and around each border of a range."""
    from packaging.version import InvalidVersion, Version

    yield from ("0", str(_FAR))
    for specifier in specifiers:
        text = specifier.version.removesuffix(".*")
        yield text
        try:
            yield from _around(Version(text))
        except InvalidVersion:
            continue  # `===` compares any text, and only with itself


def _around(version: Version) -> Iterator[str]:
    epoch, release = f"{version.epoch}!", version.release
    for part in range(len(release)):
        yield epoch + _dotted((*release[:part], release[part] + 1))
        if release[part]:
            yield epoch + _dotted((*release[:part], release[part] - 1, _FAR))
    for beyond in ((1,), (0, 1), (0, 0, 0, 1)):
        yield epoch + _dotted((*release, *beyond))
    for suffix in (".dev0", "a0", "rc999999", "", ".post0", ".post999999"):
        yield epoch + _dotted(release) + suffix
    yield from _within_suffixes(version)


def _within_suffixes(version: Version) -> Iterator[str]:
    """Versions between a pre-, post- or development release and its neighbours."""
    public = version.public
    if version.dev is not None:
        before_dev = public.rpartition(".dev")[0]
        yield f"{before_dev}.dev{version.dev + 1}"
        if version.dev:
            yield f"{before_dev}.dev{version.dev - 1}"
    else:
        yield f"{public}.dev0"
        yield f"{public}.dev{_FAR}"
        if version.post is None and version.pre is not None:
            yield f"{public}.post0"
    if version.pre is not None:
        kind, number = version.pre
        base = f"{version.epoch}!{_dotted(version.release)}"
        yield f"{base}{kind}{number + 1}"
        if number:
            yield f"{base}{kind}{number - 1}.post{_FAR}"
    if version.post is not None:
        head = public.rpartition(".post")[0]
        yield f"{head}.post{version.post + 1}"
        if version.post:
            yield f"{head}.post{version.post - 1}"


def _dotted(release: tuple[int, ...]) -> str:
    return ".".join(map(str, release))
