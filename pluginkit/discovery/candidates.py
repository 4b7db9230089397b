"""From one candidate in a plugins directory to a plugin, or to the reason why it is none.

The manifest is read, its name held against the place's, and its entrypoint looked for. No
code of the plugin runs: a manifest that has to be derived comes from the parsed source text.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.discovery import modules, reasons
from pluginkit.discovery.derived import from_source
from pluginkit.discovery.files import mode_of
from pluginkit.discovery.values import Broken, Entry, Found, Origin
from pluginkit.errors import Reason
from pluginkit.manifest import InvalidManifest, Manifest, normalise_name

if TYPE_CHECKING:
    from pluginkit.manifest import ManifestReader

MANIFEST_NAMES = ("manifest.yaml", "manifest.yml", "plugin.json")
"""The names that a manifest may have. Two of them in one directory are an error: neither is preferred."""


def package_name(name: str) -> str:
    """The name that the code in a directory or file of that name calls its package by.

    >>> package_name("my-cat.v2")
    'my_cat_v2'
    """
    return name.replace("-", "_").replace(".", "_")


def read_directory(path: str, manifests: ManifestReader) -> Entry:
    """Read the plugin in the directory `path`, which need not be in a plugins directory."""
    name = os.path.basename(path)
    place = Path(path)
    origin = Origin("directory", place)
    root = modules.Root(path, package_name(name))
    file = find_manifest(path, MANIFEST_NAMES)
    if file is None:
        return Broken(name, origin, reasons.no_manifest(path, root.package))
    manifest = file if isinstance(file, Reason) else load_manifest(file, manifests)
    if isinstance(manifest, Reason):
        return Broken(name, origin, manifest)
    return check(name, manifest, root, origin, place)


def read_file(path: str, manifests: ManifestReader) -> Entry:
    """Read the single-file plugin `path`: `<stem>.manifest.yaml` beside it, or a derived manifest."""
    directory, filename = os.path.split(path)
    stem = filename.removesuffix(".py")
    place = Path(path)
    origin = Origin("file", place)
    root = modules.Root(path, package_name(stem), is_file=True)
    file = find_manifest(directory, (f"{stem}.manifest.yaml", f"{stem}.manifest.yml"))
    if file is None:
        manifest = from_source(path, stem, root.package)
    else:
        manifest = file if isinstance(file, Reason) else load_manifest(file, manifests)
    if isinstance(manifest, Reason):
        return Broken(stem, origin, manifest)
    return check(stem, manifest, root, origin, place)


def find_manifest(directory: str, names: Iterable[str]) -> str | Reason | None:
    """The path of the one manifest in `directory` that has one of the `names`, or None, or what is wrong."""
    present = []
    try:
        for name in names:
            path = os.path.join(directory, name)
            mode = mode_of(path)
            if stat.S_ISLNK(mode):
                return reasons.symlink_inside(path)
            if mode:
                present.append(path)
    except OSError as error:
        return reasons.unreadable(directory, error)
    if len(present) > 1:
        return reasons.two_manifests(directory, [os.path.basename(path) for path in present])
    return present[0] if present else None


def load_manifest(file: str, manifests: ManifestReader) -> Manifest | Reason:
    """The manifest in `file`, or everything that is wrong with it as one reason."""
    try:
        return manifests.read(Path(file))
    except InvalidManifest as error:
        return reasons.manifest_invalid(error.problems, file=file)


def check(expected: str, manifest: Manifest, root: modules.Root, origin: Origin, place: Path) -> Entry:
    """Hold a manifest against where it was found: its name, reserved names, its entrypoints.

    `place` is the root's path, which the caller mostly has at hand; making one is slow.

    All that is wrong is told at once. A broken plugin goes by the name that its place has, since
    that is what its author sees.
    """
    module = find_module(manifest, root)
    wrong = [*wrong_names(expected, manifest, root.package, origin), *_wrong_implementations(manifest, root)]
    if isinstance(module, Reason):
        wrong.append(module)
    if wrong or isinstance(module, Reason):
        return Broken(expected, origin, reasons.combined(wrong))
    return Found(manifest.name, manifest, origin, place, root.package, module)


def wrong_names(expected: str, manifest: Manifest, package: str, origin: Origin) -> Iterator[Reason]:
    """What speaks against the plugin's name: another one where it was found, or one that is Python's."""
    file = _file_of(manifest)
    if manifest.name != expected and normalise_name(manifest.name) != normalise_name(expected):
        what = "entry point" if origin.kind == "distribution" else origin.kind
        yield reasons.name_mismatch(manifest.name, file=file, what=what, expected=expected)
    top = package.partition(".")[0]
    if top == "pluginkit" or top in sys.stdlib_module_names:
        yield reasons.name_reserved(top, file=file)


def find_module(manifest: Manifest, root: modules.Root) -> str | Reason:
    """The entrypoint's module relative to the root, or why it is not there."""
    module = modules.resolve_own(root, str(manifest.entrypoint), file=_file_of(manifest))
    if isinstance(module, Reason) and manifest.remote is not None:
        return reasons.not_fetched(manifest.remote.url, directory=root.path, file=_file_of(manifest))
    return module


def _wrong_implementations(manifest: Manifest, root: modules.Root) -> Iterator[Reason]:
    for entrypoint in manifest.implementations.values():
        module = modules.resolve_own(root, str(entrypoint), file=_file_of(manifest))
        if isinstance(module, Reason):
            yield module


def _file_of(manifest: Manifest) -> str | None:
    return None if manifest.file is None else str(manifest.file)
