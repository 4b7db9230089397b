"""From a manifest's file to a `Manifest`, or to everything that is wrong with it at once.

No code of the plugin runs here, and nothing but the one file is looked at: whether the
entrypoint exists is for discovery to say, which knows where the plugin's code is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pluginkit.errors import Problem
from pluginkit.strict_yaml import Document, YamlError, load_file, read_regular_file

from .fields import Node, Report
from .main_form import EXAMPLE, read_main_form
from .model import Manifest, Source, Vocabulary
from .plugin_json import is_plugin_json, read_plugin_json
from .problems import InvalidManifest

MOST_KNOWN = 4096
"""How many manifests a reader remembers; those that were read first are forgotten first."""


class ManifestReader:
    """Reads manifests for one host: a file whose content is as before is not parsed again.

    Args:
        vocabulary: the types, formats and languages that the host knows; None accepts any.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "manifest.yaml")
    ...     _ = path.write_text(
    ...         "plugin: {name: cat, type: animal, format: native, entrypoint: 'cat:Cat', "
    ...         "language: python, version: 1.0.0}"
    ...     )
    ...     manifests = ManifestReader()
    ...     manifests.read(path) is manifests.read(path)
    True
    """

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary
        self._known: dict[Path, tuple[bytes, Manifest]] = {}

    def read(self, path: Path) -> Manifest:
        """As `read_manifest`; raises what that raises."""
        try:
            content = read_regular_file(path)
        except YamlError as error:
            raise InvalidManifest(error.problems, file=path) from error
        known = self._known.get(path)
        if known is not None and known[0] == content:
            return known[1]
        problems: Sequence[Problem] = ()
        try:
            document = load_file(path, content=content)
        except YamlError as error:
            if error.document is None:
                raise InvalidManifest(error.problems, file=path) from error
            document, problems = error.document, error.problems
        manifest = parse_manifest(document, file=path, vocabulary=self.vocabulary, problems=problems)
        self._remember(path, content, manifest)
        return manifest

    def _remember(self, path: Path, content: bytes, manifest: Manifest) -> None:
        self._known.pop(path, None)
        self._known[path] = content, manifest
        if len(self._known) > MOST_KNOWN:
            self._known.pop(next(iter(self._known)), None)


def read_manifest(path: str | Path, *, vocabulary: Vocabulary | None = None) -> Manifest:
    """Read a `manifest.yaml` or a `plugin.json` and check all that can be seen in it.

    Args:
        path: the file; anything but a small regular file in its place is an error, not a hang.
        vocabulary: the types, formats and languages that the host knows; None accepts any.

    Raises `InvalidManifest`; its `problems` are complete: each has the line, the dotted path of
    the field, the value found and an example of a right one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "manifest.yaml")
    ...     _ = path.write_text(
    ...         "plugin: {name: cat, type: animal, format: native, entrypoint: 'cat:Cat', "
    ...         "language: python, version: 1.0.0}"
    ...     )
    ...     read_manifest(path).entrypoint
    Entrypoint(module='cat', attribute='Cat')
    """
    return ManifestReader(vocabulary).read(path if isinstance(path, Path) else Path(path))


def parse_manifest(
    document: Document,
    *,
    file: str | Path | None = None,
    vocabulary: Vocabulary | None = None,
    problems: Sequence[Problem] = (),
) -> Manifest:
    """Make a `Manifest` of a document that has been read already.

    `file` is named in the problems and kept in the manifest; its suffix `.json` allows the form
    of a plugin.json. `problems` are those that reading the document has found: the manifest is
    checked beside them, and refused with all together. Raises `InvalidManifest`.
    """
    file = Path(file) if isinstance(file, str) else file
    is_json = file is not None and file.suffix == ".json"
    report = Report(document, file, problems)
    root = Node(report, (), document.data)
    if document.data is None:
        report.note((), "is empty; a manifest has at least the section `plugin`", example=EXAMPLE)
    if is_json and is_plugin_json(document.data):
        manifest = read_plugin_json(root, vocabulary, file=file)
    else:
        source: Source = "plugin.json" if is_json else "manifest.yaml"
        manifest = read_main_form(root, vocabulary, file=file, source=source)
    if report.problems:
        raise InvalidManifest(report.problems, file=file)
    return manifest


def find_problems(path: str | Path, *, vocabulary: Vocabulary | None = None) -> tuple[Problem, ...]:
    """All that is wrong with a manifest's file: what `pluginkit validate` prints.

    Looks closer than `read_manifest`: the schema of the settings is checked by a validator of
    JSON Schema, which takes too long for every start of a host.
    """
    try:
        manifest = read_manifest(path, vocabulary=vocabulary)
    except InvalidManifest as error:
        return error.problems
    if manifest.settings is None:
        return ()
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    errors = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(manifest.settings)
    worst = best_match(errors)
    if worst is None:
        return ()
    document = load_file(path)
    report = Report(document, path)
    Node(report, ("settings", *worst.absolute_path), worst.instance).wrong(
        f"is no JSON Schema: {worst.message}"
    )
    return tuple(report.problems)
