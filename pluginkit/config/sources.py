"""Where values come from: the file, the environment, the command line.

Each source gives `Given` values for known keys; what it holds beside them it reports as
unknown. Null means "not set" everywhere: an empty `hooks:` in the file, an empty variable and
an option that was not used all leave the key to the source below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pluginkit.config.given import Given, Place, Report
from pluginkit.config.keys import PREFIX, Key, KeyPath, environment_name, suggestion, walk
from pluginkit.config.kinds import Refused
from pluginkit.config.model import LogQueueSection, Sections
from pluginkit.errors import Problem, nearest
from pluginkit.strict_yaml import Document

KEYS: Mapping[KeyPath, Key] = {known.path: known for known in walk(Sections)}

_Tree: TypeAlias = "dict[str, _Tree | Key]"

# Where config files of others have keys that have their place elsewhere here.
_MOVED_KEYS: Mapping[KeyPath, KeyPath] = {
    ("logging", known.path[-1]): ("logging", *known.path) for known in walk(LogQueueSection, ("mq",))
}
_MOVED: Mapping[KeyPath, KeyPath] = {("logging", "log_mq"): ("logging", "mq"), **_MOVED_KEYS}
_BY_VARIABLE = {environment_name(path): path for path in (*_MOVED_KEYS, *KEYS)}


def from_file(document: Document, path: Path, report: Report) -> list[Given]:
    """What the config file sets."""
    walker = _FileWalk(Place(path, document), document, path.absolute().parent, report)
    return _moved_first(walker.section(_TREE, document.data, (), ()))


def from_environment(environ: Mapping[str, str], base: Path, report: Report) -> list[Given]:
    """What variables named `PLUGINKIT_SECTION__KEY` set; other names are not ours to judge."""
    givens: list[Given] = []
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        path = _BY_VARIABLE.get(name)
        if path is None:
            _report_unknown_variable(name, report)
        elif text:
            givens += _from_variable(name, text, path, base, report)
    return _moved_first(givens)


def from_overrides(overrides: Mapping[str, object], report: Report) -> Iterator[Given]:
    """What the command line or the host's keywords set, by dotted key.

    An unknown one is always an error: whoever typed it is there to read it. Relative paths are
    relative to the current directory, as the shell that completed them means it.
    """
    place = Place("command line")
    for name, value in overrides.items():
        path = tuple(name.split("."))
        known = KEYS.get(path)
        if known is None:
            report.add([place.problem(f"unknown key{suggestion(path, KEYS)}", path)])
        elif value is not None:
            given = Given(known, value, "command line", place, path, Path.cwd(), f"{name}=")
            yield from _with_text_read(given, report)


@dataclass(frozen=True, slots=True)
class _FileWalk:
    """Goes through the file's mappings beside the tree of known keys."""

    place: Place
    document: Document
    base: Path
    report: Report

    def section(self, tree: _Tree, data: Any, steps: KeyPath, path: KeyPath) -> Iterator[Given]:
        """Walk `data`, which stands at `steps` in the file and belongs to the section `path`."""
        if data is None:
            return
        if not isinstance(data, Mapping):
            self.report.add([self.place.problem("must be a mapping of keys to values", steps, found=data)])
            return
        for name, value in data.items():
            yield from self._entry(tree, value, (*steps, name), (*path, name))

    def _entry(self, tree: _Tree, value: Any, steps: KeyPath, path: KeyPath) -> Iterator[Given]:
        moved = _MOVED.get(path)
        node = _find(moved) if moved is not None else tree.get(path[-1])
        if moved is not None:
            hint = f"is read, but the place of that key is {'.'.join(moved)}"
            self.report.notices.append(self.place.problem(hint, steps))
            path = moved
        if node is None:
            self.report.unknown(self.place.problem(f"unknown key{suggestion(path, KEYS)}", steps))
        elif not isinstance(node, Key):
            yield from self.section(node, value, steps, path)
        elif value is not None:
            line = (self.document.position(steps) or (1, 1))[0]
            yield Given(node, value, f"file:{line}", self.place, steps, self.base, f"{path[-1]}: ")


def _from_variable(name: str, text: str, path: KeyPath, base: Path, report: Report) -> Iterator[Given]:
    place = Place(f"environment {name}")
    target = _MOVED.get(path, path)
    if target != path:
        hint = f"is read, but the name of that key is {environment_name(target)}"
        report.notices.append(place.problem(hint, path))
    given = Given(KEYS[target], text, f"environment {name}", place, path, base, f"{name}=")
    yield from _with_text_read(given, report)


def _moved_first(givens: Iterable[Given]) -> list[Given]:
    """The last one wins, so a key in an older place yields to the same key in its own."""
    return sorted(givens, key=lambda given: given.steps == given.key.path)


def _with_text_read(given: Given, report: Report) -> Iterator[Given]:
    """Text from outside YAML is read as the key's type would read it there."""
    if not isinstance(given.value, str):
        yield given
        return
    try:
        value = given.key.kind.from_text(given.value)
    except Refused as refused:
        # What could not be parsed is not repeated: nobody knows which part of it is a secret.
        report.add(replace(given, value=None).problems(refused.faults))
    else:
        if value is not None:
            yield replace(given, value=value)


def _report_unknown_variable(name: str, report: Report) -> None:
    """Variables of a known section are surely meant for us, others only if they look misspelt."""
    section, separator, _ = name.removeprefix(PREFIX).partition("__")
    sections = {path[0].upper() for path in KEYS}
    if section in sections or (separator and nearest(section, sections)):
        near = nearest(name, _BY_VARIABLE)
        hint = f"; did you mean {near}?" if near else ""
        report.unknown(Problem(f"sets no known key{hint}", file=f"environment {name}"))


def _grow(keys: Mapping[KeyPath, Key]) -> _Tree:
    """The keys as nested mappings, shaped like the file."""
    root: _Tree = {}
    for path, known in keys.items():
        node: Any = root
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = known
    return root


def _find(path: KeyPath) -> _Tree | Key | None:
    node: _Tree | Key | None = _TREE
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node


_TREE = _grow(KEYS)
