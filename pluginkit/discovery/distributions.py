"""Plugins among the installed distributions: every entry point in the host's group.

The entry point's name is the plugin's. A manifest inside its package may say more; without one
it is derived from the distribution's metadata, so that any plugin of pluggy's kind is found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import modules, reasons
from pluginkit.discovery.advertised import Advertisements, Listed
from pluginkit.discovery.candidates import MANIFEST_NAMES, check, find_manifest, load_manifest, wrong_names
from pluginkit.discovery.derived import from_metadata
from pluginkit.discovery.installed import Installed, read
from pluginkit.discovery.locate import listed_in, locate
from pluginkit.discovery.values import Broken, Entry, Found, Origin
from pluginkit.errors import Reason
from pluginkit.manifest import Entrypoint, Manifest, normalise_name, plugin_name
from pluginkit.manifest.names import LONGEST_NAME

if TYPE_CHECKING:
    from pluginkit.manifest import ManifestReader

_AROUND_COLON = re.compile(r"\s*:\s*")


def entries_of(found: Advertisements, manifests: ManifestReader) -> Iterator[Entry]:
    """Read the plugin of each entry point, in the order of `found`."""
    for listed, points in found.distributions:
        yield from _read(listed, points, read(listed, found.places), manifests)


def _read(
    listed: Listed,
    points: Sequence[tuple[str, str]],
    installed: Installed | Reason,
    manifests: ManifestReader,
) -> Iterator[Entry]:
    names = frozenset(normalise_name(name) for name, _ in points)
    for name, value in points:
        if isinstance(installed, Reason):
            yield Broken(name, _origin_of_unreadable(listed), installed)
            continue
        entry_point = _EntryPoint(installed, name, value, names, manifests)
        try:
            yield entry_point.read()
        except OSError as error:
            unreadable = reasons.unreadable(str(error.filename or listed.info), error)
            yield Broken(name, entry_point.origin, unreadable)


@dataclass(frozen=True, slots=True)
class _EntryPoint:
    """One entry point; `names` are those of all entry points that its distribution has in the group."""

    installed: Installed
    name: str
    value: str
    names: frozenset[str]
    manifests: ManifestReader

    @property
    def origin(self) -> Origin:
        installed = self.installed
        info = Path(installed.info) if installed.info else None
        return Origin("distribution", info, installed.name, str(installed.version), installed.editable)

    def read(self) -> Entry:
        entrypoint = self._entrypoint()
        if isinstance(entrypoint, Reason):
            return Broken(self.name, self.origin, entrypoint)
        root = locate(self.installed, entrypoint.module)
        if root is None:
            return Broken(self.name, self.origin, self._not_found(entrypoint.module))
        manifest = self._shipped(root)
        if isinstance(manifest, Reason):
            return Broken(self.name, self.origin, manifest)
        if manifest is None:
            return self._derived(entrypoint, root)
        return self._agreed(check(self.name, manifest, root, self.origin, Path(root.path)))

    def _entrypoint(self) -> Entrypoint | Reason:
        """The entry point's value, without the extras and white space that the specification allows in it."""
        reference = _AROUND_COLON.sub(":", self.value.partition("[")[0].strip())
        try:
            # Plugins of pluggy's kind may be named `_cat`; that does as little harm as `cat`.
            if len(self.name) > LONGEST_NAME:
                raise ValueError(f"must not be longer than {LONGEST_NAME} characters")
            plugin_name(self.name.strip("_"))
            return Entrypoint.parse(reference)
        except ValueError as error:
            file = os.path.join(self.installed.info, "entry_points.txt")
            return reasons.entry_point_invalid(self.name, self.value, str(error), file=file)

    def _not_found(self, module: str) -> Reason:
        installed = self.installed
        if os.path.isfile(installed.directory):
            return reasons.in_archive(module, distribution=installed.name, archive=installed.directory)
        return reasons.package_not_found(
            module, distribution=installed.name, info=installed.info, editable=installed.editable
        )

    def _shipped(self, root: modules.Root) -> Manifest | Reason | None:
        """The manifest that speaks for this entry point, or None if the distribution ships none.

        `<name>.manifest.yaml` goes before `manifest.yaml`, so that several plugins may live in one
        package. A manifest with the name of another of the distribution's entry points is that one's.
        """
        directory = os.path.dirname(root.path) if root.is_file else root.path
        stems = (self.name, root.package.rpartition(".")[2]) if root.is_file else (self.name,)
        own = [f"{stem}.manifest.{suffix}" for stem in dict.fromkeys(stems) for suffix in ("yaml", "yml")]
        for names in (own, () if root.is_file else MANIFEST_NAMES):
            listed = listed_in(self.installed, root, names)
            file = find_manifest(directory, names if listed is None else listed)
            if isinstance(file, Reason):
                return file
            if file is None and listed:
                file = os.path.join(directory, listed[0])
            if file is not None:
                manifest = load_manifest(file, self.manifests)
                return None if self._is_anothers(manifest) else manifest
        return None

    def _is_anothers(self, manifest: Manifest | Reason) -> bool:
        if isinstance(manifest, Reason):
            return False
        name = normalise_name(manifest.name)
        return name != normalise_name(self.name) and name in self.names

    def _derived(self, entrypoint: Entrypoint, root: modules.Root) -> Entry:
        module = modules.resolve_absolute(root, str(entrypoint), file=None)
        manifest, notices = from_metadata(self.installed, self.name, entrypoint)
        wrong = [*wrong_names(self.name, manifest, root.package, self.origin)]
        if isinstance(module, Reason):
            return Broken(self.name, self.origin, reasons.combined([*wrong, module]))
        if wrong:
            return Broken(self.name, self.origin, reasons.combined(wrong))
        return Found(
            self.name, manifest, self.origin, Path(root.path), root.package, module, self.value, notices
        )

    def _agreed(self, entry: Entry) -> Entry:
        """What is installed counts: its version replaces the manifest's, and a difference is told."""
        if isinstance(entry, Broken):
            return entry
        manifest, installed = entry.manifest, self.installed
        notices: tuple[str, ...] = ()
        if manifest.version != installed.version:
            present = f"{installed.name} {installed.version}"
            notices = (
                f"{manifest.file} gives version {manifest.version}, but {present} is installed and counts",
            )
        manifest = replace(manifest, version=installed.version)
        return replace(entry, manifest=manifest, entry_point=self.value, notices=notices)


def _origin_of_unreadable(listed: Listed) -> Origin:
    name, _, version = os.path.splitext(os.path.basename(listed.info))[0].partition("-")
    return Origin("distribution", Path(listed.info) if listed.info else None, name, version or None)
