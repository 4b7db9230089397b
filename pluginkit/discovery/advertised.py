"""Which installed distributions have plugins: importlib-metadata is asked what there is.

That is distributions in directories, in archives, in eggs, and whatever finders of others on
sys.meta_path add. The library would wait for a FIFO, and raises for damaged metadata: both become
problems here. And of two distributions of one name in one directory, as a broken upgrade leaves
them, it takes whichever the file system lists first: here it is the newest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit.discovery import reasons
from pluginkit.discovery.files import is_readable
from pluginkit.errors import Problem, describe_exception
from pluginkit.manifest import normalise_name
from pluginkit.versions import Version

if TYPE_CHECKING:
    from importlib_metadata import IDistribution

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
    def is_dist_info(self) -> bool:
        return self.info.endswith(".dist-info")

    def name(self) -> str:
        """The normalised name, off the metadata's place where that has it: all the rest is parsing."""
        stem, suffix = os.path.splitext(os.path.basename(self.info))
        name = stem.partition("-")[0] if suffix in _INFO_SUFFIXES else self.distribution.name
        return normalise_name(name)

    def entry_points(self, group: str) -> tuple[tuple[str, str], ...]:
        """Names and values of its entry points in the group."""
        if self.is_unpacked:
            # Most distributions have no plugins, so look before the text is taken apart.
            has_any = is_readable(os.path.join(self.info, "entry_points.txt"))
            if not has_any or group not in (self.distribution.read_text("entry_points.txt") or ""):
                return ()
        points = self.distribution.entry_points.select(group=group)
        return tuple(dict.fromkeys((point.name, point.value) for point in points))


@dataclass(frozen=True, slots=True)
class Advertisements:
    """The distributions with entry points in the group, what could not be read, and what is hidden by others.

    `places` are the directories and archives where imports look.
    """

    places: Sequence[str]
    distributions: tuple[tuple[Listed, tuple[tuple[str, str], ...]], ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]


def advertised(group: str, search_path: Iterable[object]) -> Advertisements:
    """The distributions with entry points in `group`, in the order in which imports would find them.

    Of several distributions of one name the first on the path is meant, as an import would mean it.
    """
    places = _places(search_path)
    problems: list[Problem] = []
    notices: list[str] = []
    found = []
    for rivals in _by_name(places, problems):
        for listed in rivals:
            try:
                points = listed.entry_points(group)
            except Exception as error:
                problems.append(_unreadable(listed, error))
                continue
            if points and listed is rivals[0]:
                found.append((listed, points))
            elif points and listed.is_dist_info and rivals[0].is_dist_info:
                # An .egg-info beside the source is what every editable installation leaves: no surprise.
                hides = f"{listed.info} is hidden by {rivals[0].info}, which comes first on sys.path"
                notices.append(f"{hides}; remove one of them")
    # What one directory holds comes in the order of the file system.
    rank = {place: number for number, place in enumerate(places)}
    found.sort(key=lambda one: (rank.get(os.path.dirname(one[0].info), -1), one[0].info))
    return Advertisements(places, tuple(found), tuple(sorted(problems, key=str)), tuple(sorted(notices)))


def _places(search_path: Iterable[object]) -> tuple[str, ...]:
    """The directories and archives of the path that are there.

    Imports, too, pass by what stands on sys.path and is no path. Of what does not exist the library
    would ask whether it is an archive, and import zipfile for that.
    """
    paths = (os.path.abspath(str(place)) for place in search_path if isinstance(place, str | os.PathLike))
    return tuple(place for place in dict.fromkeys(paths) if os.path.exists(place))


def _by_name(places: Sequence[str], problems: list[Problem]) -> Iterator[Sequence[Listed]]:
    """All distributions, each place of metadata once, those of one name together: the one that is meant first."""
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
            found.setdefault(listed.name(), {}).setdefault(info, listed)
        except Exception as error:
            problems.append(_unreadable(listed, error))
    return (_ranked(list(rivals.values())) for rivals in found.values())


def _all(places: Sequence[str], problems: list[Problem]) -> Iterator[IDistribution]:
    import importlib_metadata

    finder: Any = importlib_metadata.MetadataPathFinder
    path = list(places)
    # Listings are cached by the directories' mtime, which an upgrade within one tick of a coarse clock keeps.
    finder.invalidate_caches()
    try:
        yield from importlib_metadata.distributions(path=path)
    except Exception as error:
        who = "a finder of distributions on sys.meta_path"
        what = f"{who} raised {describe_exception(error)}; only those in files of their own are seen"
        problems.append(Problem(what))
        yield from finder.find_distributions(finder.Context(path=path))


def _ranked(rivals: Sequence[Listed]) -> Sequence[Listed]:
    """Those of the first directory before others, there the newest first."""
    if len(rivals) == 1:
        return rivals
    first = os.path.dirname(rivals[0].info)
    return sorted(rivals, key=lambda one: (os.path.dirname(one.info) == first, _version(one)), reverse=True)


def _version(listed: Listed) -> tuple[bool, Version | None]:
    stem = os.path.splitext(os.path.basename(listed.info))[0]
    try:
        return True, Version.parse_pep440(stem.partition("-")[2])
    except ValueError:
        return False, None


def _unreadable(listed: Listed, error: Exception) -> Problem:
    file = os.path.join(listed.info or repr(listed.distribution), "entry_points.txt")
    example = None if isinstance(error, OSError | UnicodeDecodeError) else "name = package.module:attribute"
    return Problem(f"the entry points cannot be read: {reasons.why(error)}", example=example, file=file)
