"""The whole search: directories, distributions, and who keeps a name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import directories, reasons
from pluginkit.discovery.candidates import read_directory, read_file
from pluginkit.discovery.catalogue import Catalogue
from pluginkit.discovery.conflicts import settle
from pluginkit.discovery.values import Broken, Entry, Origin, Scan

if TYPE_CHECKING:
    from pluginkit.manifest import Vocabulary


def discover(
    *,
    plugins_dirs: Sequence[Path | str] = (),
    entry_point_group: str | None = None,
    vocabulary: Vocabulary | None = None,
    path: Sequence[str] | None = None,
) -> Catalogue:
    """Find all plugins, read what they say of themselves, and import nothing.

    Args:
        plugins_dirs: Directories whose subdirectories and `*.py` files are plugins.
        entry_point_group: The group of entry points that installed plugins use; None leaves
            installed distributions out.
        vocabulary: The types, formats and languages that the host knows; None takes any.
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
    scans = [directories.scan(plugins_dirs, vocabulary)]
    if entry_point_group is not None:
        scans.append(_installed(entry_point_group, sys.path if path is None else path, vocabulary))
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
    place = os.path.abspath(path)
    if os.path.isdir(place):
        return read_directory(place, vocabulary)
    if os.path.exists(place):
        return read_file(place, vocabulary)
    missing = reasons.unreadable(place, FileNotFoundError(0, "there is no such file or directory"))
    return Broken(os.path.basename(place), Origin("directory", Path(place)), missing)


def _installed(group: str, search_path: Sequence[str], vocabulary: Vocabulary | None) -> Scan:
    """The plugins of installed distributions; what only they need is imported when there are some."""
    from pluginkit.discovery.advertised import advertised

    found = advertised(group, search_path)
    entries: Iterator[Entry] = iter(())
    if found.distributions:
        from pluginkit.discovery.distributions import entries_of

        entries = entries_of(found, vocabulary)
    return Scan(tuple(entries), found.problems, found.notices)
