"""One installed distribution that has plugins, read by importlib-metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.discovery import reasons
from pluginkit.discovery.files import is_readable
from pluginkit.discovery.modules import MODULE_SUFFIXES
from pluginkit.errors import Reason
from pluginkit.versions import Version

if TYPE_CHECKING:
    from importlib_metadata import IDistribution, PackageMetadata

    from pluginkit.discovery.advertised import Listed


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed distribution.

    `files` are the absolute paths of those of its files that exist: in `directory`, where its metadata
    is, or elsewhere in `places`, where imports look. `record` is the list of them that its installer
    left, as text, or "" (what an egg lists are the files of its source). `project` is the source
    directory of an editable installation.
    """

    info: str
    directory: str
    places: Sequence[str]
    version: Version
    metadata: PackageMetadata
    requires: tuple[str, ...]
    files: frozenset[str]
    record: str
    editable: bool
    project: str | None

    @property
    def name(self) -> str:
        return self.field("Name")

    def field(self, *names: str) -> str:
        """The first of these headers that is there and says something, or ""."""
        return next((text for text in self.fields(*names) if text and text != "UNKNOWN"), "")

    def fields(self, *names: str) -> Iterator[str]:
        """The values of all headers of these names."""
        return (str(value).strip() for name in names for value in self.metadata.get_all(name, []))

    def holds(self, stem: str) -> bool:
        """Whether the module `stem` (without a file's suffix), or something in the directory `stem`, is its own."""
        if not self.files.isdisjoint(stem + suffix for suffix in MODULE_SUFFIXES):
            return True
        return any(file.startswith(stem + os.sep) for file in self.files)

    def lists(self, path: str) -> bool:
        """Whether the file `path` is its own, be it gone or not."""
        relative = os.path.relpath(path, self.directory).replace(os.sep, "/")
        return path in self.files or f"\n{relative}," in f"\n{self.record}"


def read(listed: Listed, places: Sequence[str]) -> Installed | Reason:
    """Read a distribution, or say why it cannot be used; `places` is where imports look."""
    try:
        if listed.is_unpacked:
            # The library would wait for a FIFO.
            for path in (os.path.join(listed.info, name) for name in os.listdir(listed.info)):
                _ = os.path.isdir(path) or is_readable(path)
        return _read(listed, places)
    except Exception as error:
        # The library raises what it likes for damaged metadata, and so may finders of others.
        place = listed.info or repr(listed.distribution)
        return reasons.metadata_unreadable(place, reasons.why(error))


def _read(listed: Listed, places: Sequence[str]) -> Installed:
    distribution, metadata = listed.distribution, listed.distribution.metadata
    missing = [name for name in ("Name", "Version") if not any(metadata.get_all(name, []))]
    if missing:
        raise ValueError(f"METADATA is missing or does not give {' and '.join(missing)}")
    project = _editable_project(distribution)
    return Installed(
        info=listed.info,
        directory=os.path.normpath(str(distribution.locate_file(""))),
        places=places,
        version=Version.parse_pep440(metadata["Version"]),
        metadata=metadata,
        # Eggs keep their requirements elsewhere; the library looks there, and parses all once more.
        requires=tuple(metadata.get_all("Requires-Dist", []) or distribution.requires or ()),
        files=frozenset(os.path.normpath(str(file.locate())) for file in distribution.files or ()),
        record=distribution.read_text("RECORD") or distribution.read_text("installed-files.txt") or "",
        editable=project is not None or _is_develop(listed.info),
        project=project,
    )


def _editable_project(distribution: IDistribution) -> str | None:
    """The source directory that direct_url.json (PEP 610) names, if the installation is editable."""
    from urllib.parse import unquote, urlsplit

    try:
        origin = distribution.origin
        path = unquote(urlsplit(origin.url).path) if origin.dir_info.editable is True else None
    except (AttributeError, TypeError, ValueError, RecursionError):
        # None, written by hand, or for another kind of origin: then it is no editable installation.
        return None
    return path.lstrip("/") if path is not None and os.name == "nt" else path


def _is_develop(info: str) -> bool:
    """Whether an .egg-info lies beside its source, as `setup.py develop` leaves it on sys.path."""
    in_site = os.path.basename(os.path.dirname(info)) in ("site-packages", "dist-packages")
    return info.endswith(".egg-info") and not in_site
