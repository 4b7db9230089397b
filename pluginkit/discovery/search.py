"""The whole search: directories, distributions, and who keeps a name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pluginkit.discovery import directories, reasons
from pluginkit.discovery.candidates import read_directory, read_file
from pluginkit.discovery.catalogue import Catalogue
from pluginkit.discovery.conflicts import settle
from pluginkit.discovery.values import Broken, Entry, Origin, Scan
from pluginkit.manifest import ManifestReader, Vocabulary


def discover(
    *,
    plugins_dirs: Sequence[Path | str] = (),
    entry_point_group: str | None = None,
    manifests: ManifestReader | None = None,
    path: Sequence[str] | None = None,
) -> Catalogue:
    """Find all plugins, read what they say of themselves, and import nothing.

    Args:
        plugins_dirs: Directories whose subdirectories and `*.py` files are plugins.
        entry_point_group: The group of entry points that installed plugins use; None leaves
            installed distributions out.
        manifests: Reads the manifests, with the host's vocabulary; one that is used again knows
            those that have not changed. None takes any type, format and language.
        path: Where installed distributions are looked for, in order; `sys.path` if None.

    Returns:
        A snapshot. What is wrong with a plugin, or with a place, is a value in it; nothing is
        raised for it.

    A directory plugin wins over an installed one of its name, and of two directories the first
    by path; the others are conflicts.

    >>> from pathlib import Path
    >>> catalogue = discover(plugins_dirs=[Path("no-such-directory")])
    >>> len(catalogue), catalogue.notices
    (0, ('the plugins directory no-such-directory does not exist; no plugins are read from it',))
    """
    manifests = manifests or ManifestReader()
    scans = [directories.scan(plugins_dirs, manifests)]
    if entry_point_group is not None:
        scans.append(_installed(entry_point_group, sys.path if path is None else path, manifests))
    kept, conflicts = settle(entry for scan in scans for entry in scan.entries)
    return Catalogue.of(
        kept,
        conflicts=conflicts,
        problems=(problem for scan in scans for problem in scan.problems),
        notices=(notice for scan in scans for notice in scan.notices),
    )


def read_plugin(path: Path | str, vocabulary: Vocabulary | None = None) -> Entry:
    """Read one plugin, a directory or a single file, wherever it is, and import nothing.

    This is what `validate PATH` shows. A path that leads nowhere gives a broken plugin, too.
    """
    place, manifests = os.path.abspath(path), ManifestReader(vocabulary)
    if os.path.isdir(place):
        return read_directory(place, manifests)
    if os.path.exists(place):
        return read_file(place, manifests)
    missing = reasons.unreadable(place, FileNotFoundError(0, "there is no such file or directory"))
    return Broken(os.path.basename(place), Origin("directory", Path(place)), missing)


def _installed(group: str, search_path: Sequence[str], manifests: ManifestReader) -> Scan:
    """The plugins of installed distributions; what only they need is imported when there are some."""
    from pluginkit.discovery.advertised import advertised

    found = advertised(group, search_path)
    entries: Iterator[Entry] = iter(())
    if found.distributions:
        from pluginkit.discovery.distributions import entries_of

        entries = entries_of(found, manifests)
    return Scan(tuple(entries), found.problems, found.notices)
