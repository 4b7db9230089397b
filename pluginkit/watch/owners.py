"""Whose a changed path is: a plugin's, a plugin's to be, or the installed distributions'."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import Found
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pluginkit.lifecycle import Plugin

INSTALLED = "installed distributions"
"""The owner of what lies directly in a directory of installed distributions."""
SOMETHING = "another place"
"""The owner of what is nobody's: a link on the way to a plugin, the plugins directory itself."""

_CONFIG_SUFFIXES = (".config.yaml", ".config.json")
_MANIFEST_SUFFIXES = (".manifest.yaml", ".manifest.yml")


class Owners:
    """The owner of each path, as the plugins were when this was made."""

    def __init__(
        self,
        plugins: Iterable[Plugin],
        *,
        plugins_dirs: Sequence[Path],
        configs_dir: Path | None,
        sites: Sequence[str],
    ) -> None:
        self._names: dict[str, str] = {}
        self._directories: dict[str, str] = {}
        self._configured: dict[str, str] = {}
        self._plugins_dirs = frozenset(os.path.realpath(directory) for directory in plugins_dirs)
        self._configs_dir = None if configs_dir is None else os.path.realpath(configs_dir)
        self._sites = frozenset(sites)
        for plugin in plugins:
            self._add(plugin)

    def _add(self, plugin: Plugin) -> None:
        name, source = plugin.name, plugin.source
        self._configured.setdefault(normalise_name(name), name)
        paths = [] if source.origin.path is None else [str(source.origin.path)]
        if isinstance(source, Found):
            paths.append(str(source.root))
        for path in paths:
            # As it stands in its directory, which may be a link, and where that leads to.
            entry = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            real = os.path.realpath(path)
            self._names[entry] = self._names[real] = name
            self._directories[name] = real if os.path.isdir(real) else os.path.dirname(real)

    def directory_of(self, name: str) -> str | None:
        """Where the files of a plugin lie; what is told of them is relative to it."""
        return self._directories.get(name)

    def of(self, path: str) -> str:
        """The name of the plugin that owns `path`; or, for a plugin that is not known yet, its own path."""
        directory, base = os.path.split(path)
        if directory == self._configs_dir:
            return self._of_config(base) or SOMETHING
        if directory in self._sites:
            return self._names.get(path, INSTALLED)
        current, child = path, path
        while True:
            owner = self._names.get(current) or self._names.get(_module_beside(current))
            if owner is not None:
                return owner
            if current in self._plugins_dirs:
                return SOMETHING if current == path else child
            parent = os.path.dirname(current)
            if parent == current:
                return SOMETHING
            current, child = parent, current

    def _of_config(self, base: str) -> str | None:
        for suffix in _CONFIG_SUFFIXES:
            if base.endswith(suffix):
                return self._configured.get(normalise_name(base.removesuffix(suffix)))
        return None


def _module_beside(path: str) -> str:
    """`cat.py` for the manifest `cat.manifest.yaml` beside it."""
    for suffix in _MANIFEST_SUFFIXES:
        if path.endswith(suffix):
            return path.removesuffix(suffix) + ".py"
    return path
