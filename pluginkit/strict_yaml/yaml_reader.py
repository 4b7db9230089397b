"""YAML from strangers: bounded, without the parts of the language that surprise.

The text is walked once as a stream of parser events (libyaml's, where it is built in), and
plain data is made from them directly. So nothing is built before it was checked, no recursion
follows the depth of the text, and a refusal costs no more than the events up to it.

Refused, each with its line: anchors, aliases, tags, merge keys, keys given twice, keys that
are not text, a second document, too many bytes, too deep, too many events, and every plain
scalar that YAML 1.1 and YAML 1.2 read differently (`no`, `010`, `12:30`, `1e3`, a date):
which of the two the author had in mind is not ours to guess. Where both agree, the value is
what both say: `1.2` is a number, `1.2.0` is text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from pluginkit.errors import Problem

from . import scalars
from .document import Document, Location, YamlError, shorten
from .json_reader import load_json
from .reading import MAX_BYTES, decode, encode, read_regular_file
from .tree import MAX_DEPTH, MAX_EVENTS, Mark, Tree, is_bounded, unsafe_text


def load(
    text: bytes | str,
    *,
    file: str | Path | None = None,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_events: int = MAX_EVENTS,
) -> Document:
    r"""Read one YAML document into plain data, with the line of every value.

    `file` is only named in errors. `max_depth` counts nested mappings and lists, `max_events`
    scalars and the starts and ends of collections. An empty text gives None as data.

    Raises `YamlError` with all problems found; its `document` holds what could be read.

    >>> load("plugin:\n  name: cat\n").data
    {'plugin': {'name': 'cat'}}
    >>> load("a: 1\na: 2", file="x.yaml")
    Traceback (most recent call last):
    ...
    pluginkit.strict_yaml.document.YamlError: x.yaml:2: a: is given twice, first on line 1
    """
    content = encode(text, file=file) if isinstance(text, str) else text
    decoded = decode(content, file=file, max_bytes=max_bytes)
    tree = Tree(file, max_depth)
    _walk(decoded, tree, max_events)
    return tree.document()


def load_file(
    path: str | Path,
    *,
    content: bytes | None = None,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_events: int = MAX_EVENTS,
) -> Document:
    """Read a YAML file, or a JSON file if its name ends in `.json`.

    Only a regular file is read: a FIFO, a device, a directory or a dangling link in its place
    is a `YamlError` that says so, as is one that is larger than `max_bytes`. `content` is what
    `read_regular_file` has given for it, if the caller has read it already.
    """
    path = path if isinstance(path, Path) else Path(path)
    if content is None:
        content = read_regular_file(path, max_bytes=max_bytes)
    read = load_json if path.suffix == ".json" else load
    return read(content, file=path, max_bytes=max_bytes, max_depth=max_depth, max_events=max_events)


class _Event(Protocol):
    """What is used of yaml's events; each kind has some of these."""

    start_mark: Mark
    anchor: str | None
    tag: str | None
    tags: dict[str, str] | None
    implicit: tuple[bool, bool]
    value: str


def _walk(text: str, tree: Tree, max_events: int) -> None:
    import yaml

    # The base loaders resolve nothing. The pure one is there for builds without libyaml.
    parser_class = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    events = _Events(tree)
    handlers = {
        yaml.ScalarEvent: events.scalar,
        yaml.MappingStartEvent: events.mapping,
        yaml.SequenceStartEvent: events.sequence,
        yaml.MappingEndEvent: events.end,
        yaml.SequenceEndEvent: events.end,
        yaml.DocumentStartEvent: events.document,
        yaml.AliasEvent: events.alias,
    }
    try:
        parser = parser_class(text)
        count = 0
        while True:
            event = parser.get_event()
            count += 1
            if count > max_events:
                tree.stop(f"has more than {max_events} YAML events", event.start_mark)
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)
            elif event.__class__ is yaml.StreamEndEvent:
                return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None and "nesting depth" in str(error):
            # libyaml reads ahead, and has a limit of its own, which is far beyond ours.
            tree.stop(tree.too_deep, mark)
        raise YamlError([*tree.problems, _syntax_problem(error, text, tree.file)]) from error


class _Events:
    """One method per kind of event: checks what is YAML's own, and leads the tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._documents = 0

    def document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._tree.stop("holds more than one YAML document; only one is allowed", event.start_mark)
        if event.tags:
            self._tree.note("%TAG directives are not allowed", event.start_mark)

    def scalar(self, event: _Event) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_decoration(event)
        if self._tree.expects_key():
            self._key(event)
            return
        text = event.value
        location = self._tree.place(event.start_mark)
        value: Any = text
        if event.implicit[0] and text[:1] in scalars.MAYBE_NOT_TEXT:
            value = self._plain(text, event, location)
        elif not text.isprintable():
            self._require_safe(text, event, location)
        self._tree.put(value)

    def mapping(self, event: _Event) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_decoration(event)
        self._tree.open({}, event.start_mark)

    def sequence(self, event: _Event) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_decoration(event)
        self._tree.open([], event.start_mark)

    def end(self, _: _Event) -> None:
        self._tree.close()

    def alias(self, event: _Event) -> None:
        if self._tree.expects_key():
            self._tree.stop("aliases (*name) are not allowed", event.start_mark)
        location = self._tree.place(event.start_mark)
        message = "aliases are not allowed; write the value out"
        self._tree.note(message, event.start_mark, location, found=f"*{event.anchor}")
        self._tree.put(None)

    def _key(self, event: _Event) -> None:
        text, mark = event.value, event.start_mark
        location = self._tree.key(text, mark)
        if not text.isprintable():
            self._require_safe(text, event, location)
        if not event.implicit[0]:
            return
        if text == "<<":
            self._tree.note("merge keys are not allowed; write the keys out", mark, location, found="<<")
        elif not scalars.is_text(text):
            self._tree.note(
                "a key must be text", mark, location, found=text, example=f'"{shorten(text, 40)}":'
            )

    def _plain(self, text: str, event: _Event, location: Location) -> Any:
        if text in scalars.WORDS:
            self._tree.raw[location] = text
            return scalars.WORDS[text]
        value = scalars.number(text)
        if value is not None and is_bounded(value):
            self._tree.raw[location] = text
            return value
        quoted = f'"{shorten(text, 40)}"'
        if value is not None:
            message = "must be a finite number within 64 bits"
            self._tree.note(message, event.start_mark, location, found=text, example=quoted)
        elif (ambiguity := scalars.ambiguity(text)) is not None:
            meaning, example = ambiguity
            message = f"reads differently in YAML 1.1 and YAML 1.2 ({meaning})"
            example = example.format(shorten(text, 40))
            self._tree.note(message, event.start_mark, location, found=text, example=example)
        return text

    def _require_safe(self, text: str, event: _Event, location: Location) -> None:
        reason = unsafe_text(text)
        if reason is not None:
            self._tree.note(reason, event.start_mark, location)

    def _refuse_decoration(self, event: _Event) -> None:
        if event.anchor is not None:
            self._tree.note("anchors are not allowed", event.start_mark, found=f"&{event.anchor}")
        if event.tag is not None:
            self._tree.note("tags are not allowed", event.start_mark, found=event.tag)


def _syntax_problem(error: Exception, text: str, file: str | Path | None) -> Problem:
    message = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    mark: Mark | None = getattr(error, "problem_mark", None)
    if mark is None:
        # A character that YAML does not allow: the reader knows only its place in the text.
        line = text.count("\n", 0, getattr(error, "position", None) or 0) + 1
        return Problem(f"is not valid YAML: {message}", file=file, line=line)
    began: Mark | None = getattr(error, "context_mark", None)
    if began is not None and began.line != mark.line:
        message += f", {getattr(error, 'context', None)} that begins on line {began.line + 1}"
    hint = _hint(message, text, mark)
    return Problem(
        f"is not valid YAML: {message}{hint}", file=file, line=mark.line + 1, column=mark.column + 1
    )


def _hint(message: str, text: str, mark: Mark) -> str:
    line = text.split("\n")[mark.line : mark.line + 1]
    if line and line[0][mark.column : mark.column + 1] == "\t":
        return " (indent with spaces, never with tabs)"
    return next((hint for part, hint in _HINTS.items() if part in message), "")


_HINTS = {
    "mapping values are not allowed": ' (a text with ": " in it must be quoted)',
    "did not find expected key": " (look at the indentation, and at quotes inside quotes)",
}
