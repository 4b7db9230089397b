"""Installed distributions whose modules this process has imported: what is upgraded under it needs a restart.

A plugin's own code is replaced; a library that plugins and host share is one module of the
process, and nobody can take it from those who hold it. So it is only told, with its name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pluginkit.manifest import normalise_name

_INFO_SUFFIX = ".dist-info"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A distribution that is not the one any more that was imported."""

    name: str
    imported: str
    installed: str

    def __str__(self) -> str:
        return f"{self.name} {self.imported} is imported, {self.installed} is installed"


class Libraries:
    """The versions of installed distributions as they were at the beginning, compared with those of now."""

    def __init__(self, sites: Sequence[str]) -> None:
        self._sites = tuple(sites)
        self._before = dict(self._versions())
        self._told: dict[str, Upgraded] = {}

    @property
    def upgraded(self) -> tuple[Upgraded, ...]:
        """What was found so far; one that is back at the version that was imported is not in it."""
        return tuple(self._told.values())

    def changed(self, plugins: Iterable[str]) -> tuple[Upgraded, ...]:
        """What has been upgraded since the last time; `plugins` are distributions that are replaced anyway."""
        own, now = frozenset(map(normalise_name, plugins)), dict(self._versions())
        news = []
        for name, (version, info) in now.items():
            imported = self._before.get(name, (version, ""))[0]
            if name in own or imported == version:
                self._told.pop(name, None)
                continue
            one = Upgraded(name, imported, version)
            if self._told.get(name) != one and _is_imported(info):
                self._told[name] = one
                news.append(one)
        for name, what in now.items():
            self._before.setdefault(name, what)
        return tuple(news)

    def _versions(self) -> Iterator[tuple[str, tuple[str, str]]]:
        for site in self._sites:
            try:
                names = os.listdir(site)
            except OSError:
                continue
            for entry in names:
                name, dash, version = entry.removesuffix(_INFO_SUFFIX).partition("-")
                if dash and entry.endswith(_INFO_SUFFIX) and not entry.startswith("~"):
                    yield normalise_name(name), (version, os.path.join(site, entry))


def _is_imported(info: str) -> bool:
    """Whether one of the distribution's modules is in `sys.modules`, from that very place."""
    site = os.path.dirname(info)
    modules: Mapping[str, object] = dict(sys.modules)
    for head in _top_level(info):
        file = getattr(modules.get(head), "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(os.path.join(site, "")):
            return True
    return False


def _top_level(info: str) -> frozenset[str]:
    """The names of the modules and packages that RECORD lists."""
    try:
        with open(os.path.join(info, "RECORD"), encoding="utf-8") as file:
            paths = [line.partition(",")[0] for line in file]
    except (OSError, UnicodeDecodeError):
        return frozenset()
    heads = (path.partition("/")[0] for path in paths if path.endswith((".py", ".so", ".pyd")))
    return frozenset(head.partition(".")[0] for head in heads)
