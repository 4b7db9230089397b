"""Installed distributions, read from the metadata directories that pip leaves on sys.path.

The formats are those of the packaging specifications (entry_points.txt, METADATA, RECORD,
direct_url.json). They are read by hand because every start of a host pays for it: this takes
about 0.6 of the time of importlib-metadata's own scan (bench_discovery.py), which in turn would
first have to be imported together with the email package, for longer than the scan of 600
distributions lasts. Listings are never cached, so that an upgrade within one tick of a coarse
clock is seen, and nothing here waits for a FIFO. A test holds every distribution of its
environment against importlib-metadata.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pluginkit.discovery import reasons
from pluginkit.discovery.files import read_regular
from pluginkit.discovery.modules import module_stem
from pluginkit.errors import Problem, Reason
from pluginkit.manifest import normalise_name
from pluginkit.versions import Version

_MAX_BYTES = 64 * 1024 * 1024
"""No metadata file is larger; the largest RECORDs in the wild have some 10 MB."""

_INFO_SUFFIXES = (".dist-info", ".egg-info")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)")


class _Unusable(Exception):
    """The metadata cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Advertised:
    """A distribution that has entry points in the group, before anything else of it is read."""

    info: str
    entry_points: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Advertisements:
    """All that have entry points in the group, what could not be read, and what is hidden by others."""

    distributions: tuple[Advertised, ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed distribution.

    `info` is its metadata directory and `directory` the one that holds it, which the posix paths
    of `files` are relative to (None: it has no list); `top_level` are the packages and modules
    among them. `fields` are the METADATA headers by lower-case name. `project` is the source
    directory of an editable installation.
    """

    info: str
    version: Version
    fields: Mapping[str, Sequence[str]]
    files: frozenset[str] | None
    top_level: frozenset[str]
    editable: bool
    project: str | None

    @property
    def directory(self) -> str:
        return os.path.dirname(self.info)

    @property
    def name(self) -> str:
        return self.fields["name"][0]

    def field(self, *names: str) -> str:
        """The first of these headers that is there and says something, or ""."""
        for name in names:
            for value in self.fields.get(name, ()):
                if value and value != "UNKNOWN":
                    return value
        return ""


def advertised(group: str, search_path: Iterable[str]) -> Advertisements:
    """The distributions with entry points in `group`, in the order in which imports would find them.

    Of several distributions of one name the first on the path is meant, as an import would mean it.
    """
    first: dict[str, str] = {}
    distributions: list[Advertised] = []
    problems: list[Problem] = []
    notices: list[str] = []
    for distribution, info in _info_directories(search_path):
        winner = first.setdefault(distribution, info)
        points = _entry_points(info, group)
        if isinstance(points, Problem):
            problems.append(points)
        elif points and winner == info:
            distributions.append(Advertised(info, tuple(points)))
        elif points and winner.endswith(".dist-info") and info.endswith(".dist-info"):
            # An .egg-info beside the source is what every editable installation leaves: no surprise.
            notices.append(f"{info} is hidden by {winner}, which comes first on sys.path; remove one of them")
    return Advertisements(tuple(distributions), tuple(problems), tuple(notices))


def read(info: str) -> Installed | Reason:
    """Read the metadata directory `info`, or say why it cannot be used."""
    try:
        fields = headers(_text(info, "METADATA") or _text(info, "PKG-INFO") or "")
        missing = [name for name in ("Name", "Version") if not any(fields.get(name.lower(), ()))]
        if missing:
            raise _Unusable(f"METADATA is missing or does not give {' and '.join(missing)}")
        version = Version.parse_pep440(fields["version"][0])
        files = _files(info)
        project = _editable_project(_text(info, "direct_url.json"))
    except (_Unusable, ValueError) as error:
        return reasons.metadata_unreadable(info, str(error))
    editable = project is not None or _is_develop(info)
    return Installed(info, version, fields, files, frozenset(_top_level(files or ())), editable, project)


def headers(text: str) -> dict[str, list[str]]:
    r"""The headers of a METADATA file, by lower-case name; what follows the first empty line is prose.

    >>> headers("Name: cat\nLicense: MIT\n  or so\n\nNot-A: header")
    {'name': ['cat'], 'license': ['MIT\n  or so']}
    """
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.removeprefix("\ufeff").splitlines():
        if not line.strip():
            break
        match = _HEADER.match(line)
        if match is not None:
            current = fields.setdefault(match[1].lower(), [])
            current.append(match[2].strip())
        elif current is not None:
            current[-1] += f"\n{line}"
    return fields


def entry_points(text: str, group: str) -> list[tuple[str, str]]:
    r"""Names and values of one group in an entry_points.txt; a line without `=` has an empty value.

    >>> entry_points("[a]\nx = m:X\n[b]\ny = n", "a")
    [('x', 'm:X')]
    """
    found: dict[tuple[str, str], None] = {}
    section = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found[name.strip(), value.strip()] = None
    return list(found)


def _info_directories(search_path: Iterable[object]) -> Iterator[tuple[str, str]]:
    """Each metadata directory with its distribution's normalised name, in the order of the search."""
    # Imports, too, pass by what stands on sys.path and is no path.
    places = (os.path.abspath(str(place)) for place in search_path if isinstance(place, str | os.PathLike))
    for directory in dict.fromkeys(places):
        try:
            with os.scandir(directory) as listing:
                names = [e.name for e in listing if e.name.endswith(_INFO_SUFFIXES) and e.name[0] not in ".~"]
        except (OSError, ValueError):
            # Archives and directories that do not exist are normal on sys.path.
            continue
        for distribution, infos in _by_distribution(names).items():
            yield from ((distribution, os.path.join(directory, info)) for info in infos)


def _by_distribution(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of metadata directories by distribution; of several, as a broken upgrade leaves, the newest first."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        stem = name.rpartition(".")[0].partition("-")[0]
        found.setdefault(normalise_name(stem), []).append(name)
    for versions in found.values():
        if len(versions) > 1:
            versions.sort(key=_version_in, reverse=True)
    return found


def _version_in(name: str) -> tuple[bool, Version | None]:
    try:
        return True, Version.parse_pep440(os.path.splitext(name)[0].partition("-")[2])
    except ValueError:
        return False, None


def _entry_points(info: str, group: str) -> list[tuple[str, str]] | Problem:
    path = os.path.join(info, "entry_points.txt")
    try:
        data = read_regular(path, max_bytes=_MAX_BYTES)
        # Most distributions have no plugins, so look before taking the text apart.
        return entry_points(data.decode("utf-8-sig"), group) if group.encode() in data else []
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError) as error:
        return Problem(f"the entry points cannot be read: {_why(error)}", file=path)


def _text(info: str, filename: str) -> str | None:
    try:
        return read_regular(os.path.join(info, filename), max_bytes=_MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _Unusable(f"{filename}: {_why(error)}") from error


def _why(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)


def _files(info: str) -> frozenset[str] | None:
    """The distribution's files: from RECORD, or from what older pips wrote beside an .egg-info."""
    record = _text(info, "RECORD")
    if record is not None:
        return frozenset(map(_recorded, record.splitlines()))
    listed = _text(info, "installed-files.txt")
    if listed is None:
        return None
    base = os.path.basename(info)
    return frozenset(posixpath.normpath(posixpath.join(base, line)) for line in listed.splitlines())


def _top_level(files: Iterable[str]) -> Iterator[str]:
    for name in files:
        first, is_directory, _ = name.partition("/")
        top = first if is_directory else module_stem(first)
        if top is not None:
            yield top


def _recorded(line: str) -> str:
    """The path in a line of RECORD (`path,hash,size`, the path quoted if it holds a comma)."""
    path = line.rsplit(",", 2)[0]
    return path[1:-1].replace('""', '"') if path.startswith('"') else path


def _editable_project(direct_url: str | None) -> str | None:
    """The source directory that direct_url.json (PEP 610) names, if the installation is editable."""
    if direct_url is None:
        return None
    import json
    from urllib.parse import unquote, urlsplit

    try:
        data = json.loads(direct_url)
        if data["dir_info"]["editable"] is not True:
            return None
        path = unquote(urlsplit(data["url"]).path)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Written by hand, or for another kind of origin: then it is no editable installation.
        return None
    return path.lstrip("/") if os.name == "nt" else path


def _is_develop(info: str) -> bool:
    """Whether an .egg-info lies beside its source, as `setup.py develop` leaves it on sys.path."""
    in_site = os.path.basename(os.path.dirname(info)) in ("site-packages", "dist-packages")
    return info.endswith(".egg-info") and not in_site
