"""Which installed distributions have plugins: the one place that asks importlib-metadata what is there.

That is distributions in directories, in archives, in eggs, and whatever finders of others on
sys.meta_path add. The library leaves three things to its callers. It would wait for a FIFO, and it
raises for damaged metadata: both become problems here. And of two distributions of one name in one
directory, as a broken upgrade leaves them, it takes whichever the file system lists first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import reasons
from pluginkit.discovery.files import is_readable
from pluginkit.errors import Problem, describe_exception
from pluginkit.manifest import normalise_name
from pluginkit.versions import Version

if TYPE_CHECKING:
    from importlib_metadata import IDistribution

_ENTRY_POINTS = "entry_points.txt"
_INFO_SUFFIXES = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True)
class Listed:
    """A distribution of which nothing was read yet.

    `info` is the place of its metadata, or "" if a finder keeps that elsewhere than in files.
    `is_unpacked` means that the library will read plain files there, so that one can look first.
    """

    distribution: IDistribution
    info: str
    is_unpacked: bool

    @property
    def place(self) -> str:
        """What to call the metadata's place in a sentence."""
        return self.info or repr(self.distribution)


@dataclass(frozen=True, slots=True)
class Advertised:
    """A distribution, the names and values of its entry points in the group, and where imports look."""

    listed: Listed
    entry_points: tuple[tuple[str, str], ...]
    places: Sequence[str]


@dataclass(frozen=True, slots=True)
class Advertisements:
    """All that have entry points in the group, what could not be read, and what is hidden by others."""

    distributions: tuple[Advertised, ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]


def advertised(group: str, search_path: Iterable[object]) -> Advertisements:
    """The distributions with entry points in `group`, in the order in which imports would find them.

    Of several distributions of one name the first on the path is meant, as an import would mean it.
    """
    places = _places(search_path)
    kept: list[Advertised] = []
    problems: list[Problem] = []
    notices: list[str] = []
    for rivals in _by_name(places, problems):
        winner, *hidden = _ranked(rivals) if len(rivals) > 1 else rivals
        points = _entry_points(winner, group, problems)
        if points:
            kept.append(Advertised(winner, points, places))
        for other in hidden:
            # An .egg-info beside the source is what every editable installation leaves: no surprise.
            if _entry_points(other, group, problems) and _is_dist_info(winner) and _is_dist_info(other):
                hides = f"{other.info} is hidden by {winner.info}, which comes first on sys.path"
                notices.append(f"{hides}; remove one of them")
    rank = {place: number for number, place in enumerate(places)}
    kept.sort(key=lambda one: (rank.get(os.path.dirname(one.listed.info), -1), one.listed.info))
    return Advertisements(tuple(kept), tuple(sorted(problems, key=str)), tuple(sorted(notices)))


def _places(search_path: Iterable[object]) -> tuple[str, ...]:
    """The directories and archives of the path that are there.

    Imports, too, pass by what stands on sys.path and is no path. Of what does not exist the library
    would ask whether it is an archive, and import zipfile for that.
    """
    paths = (os.path.abspath(str(place)) for place in search_path if isinstance(place, str | os.PathLike))
    return tuple(place for place in dict.fromkeys(paths) if os.path.exists(place))


def _by_name(places: Sequence[str], problems: list[Problem]) -> Iterable[list[Listed]]:
    """All distributions, those of one name together, each place of metadata once."""
    import importlib_metadata

    plain = importlib_metadata.PathDistribution
    found: dict[str, dict[str, Listed]] = {}
    for distribution in _all(places, problems):
        # The library has no public name for the place of the metadata; pip reads this one as well.
        path = getattr(distribution, "_path", None)
        info = "" if path is None else str(path).rstrip("/")
        if os.path.basename(info).startswith("~"):
            continue  # left by pip when a removal failed
        listed = Listed(distribution, info, type(distribution) is plain and isinstance(path, Path))
        try:
            found.setdefault(_name(listed), {}).setdefault(info, listed)
        except Exception as error:
            problems.append(_problem(listed, error))
    return [list(rivals.values()) for rivals in found.values()]


def _all(places: Sequence[str], problems: list[Problem]) -> Iterator[IDistribution]:
    import importlib_metadata

    finder = importlib_metadata.MetadataPathFinder
    path = list(places)
    # Listings are cached by the directories' mtime: an upgrade within one tick of a coarse clock would be missed.
    finder.invalidate_caches()
    try:
        yield from importlib_metadata.distributions(path=path)
    except Exception as error:
        who = "a finder of distributions on sys.meta_path"
        problems.append(
            Problem(f"{who} raised {describe_exception(error)}; only those in files of their own are seen")
        )
        context = importlib_metadata.DistributionFinder.Context(path=path)  # type: ignore[no-untyped-call]  # the library's
        yield from finder.find_distributions(context)


def _name(listed: Listed) -> str:
    """The normalised name: from the metadata's own name where that has it, for all the rest is parsing."""
    stem, suffix = os.path.splitext(os.path.basename(listed.info))
    name = stem.partition("-")[0] if suffix in _INFO_SUFFIXES else listed.distribution.name
    return normalise_name(name)


def _ranked(rivals: Sequence[Listed]) -> list[Listed]:
    """The distribution that is meant, then those that it hides: the first directory's, there the newest."""
    first = os.path.dirname(rivals[0].info)
    return sorted(
        rivals, key=lambda rival: (os.path.dirname(rival.info) == first, _version(rival)), reverse=True
    )


def _version(listed: Listed) -> tuple[bool, Version | None]:
    stem = os.path.splitext(os.path.basename(listed.info))[0]
    try:
        return True, Version.parse_pep440(stem.partition("-")[2])
    except ValueError:
        return False, None


def _entry_points(listed: Listed, group: str, problems: list[Problem]) -> tuple[tuple[str, str], ...]:
    try:
        if listed.is_unpacked:
            # Most distributions have no plugins, so look before the text is taken apart.
            has_any = is_readable(os.path.join(listed.info, _ENTRY_POINTS))
            if not has_any or group not in (listed.distribution.read_text(_ENTRY_POINTS) or ""):
                return ()
        points = listed.distribution.entry_points.select(group=group)
        return tuple(dict.fromkeys((point.name, point.value) for point in points))
    except Exception as error:
        problems.append(_problem(listed, error))
        return ()


def _is_dist_info(listed: Listed) -> bool:
    return listed.info.endswith(".dist-info")


def _problem(listed: Listed, error: Exception) -> Problem:
    what = f"the entry points cannot be read: {reasons.why(error)}"
    is_about_file = isinstance(error, OSError | UnicodeDecodeError)
    example = None if is_about_file else "name = package.module:attribute"
    return Problem(what, example=example, file=os.path.join(listed.place, _ENTRY_POINTS))
