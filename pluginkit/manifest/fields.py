"""Taking values out of a document one by one, so that every wrong one is reported, not the first.

A `Node` is a value and its place. Asking it for the kind of value that is wanted either gives
that, or notes a `Problem` in the report and gives the fallback, and the reading goes on; the
result counts only if the report is empty at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pluginkit.errors import Problem, did_you_mean, nearest
from pluginkit.strict_yaml import Document, Location, dotted, shorten

T = TypeVar("T")

Parse = Callable[[str], T]
"""Makes a value of a text, or raises ValueError with a sentence that says what is wrong."""


class Report:
    """All problems of one document, in the order in which they are found."""

    def __init__(self, document: Document, file: str | Path | None, known: Sequence[Problem] = ()) -> None:
        self.document = document
        self.problems = list(known)
        self._file = file
        self._reported = {problem.path for problem in known if problem.path}

    def note(
        self, location: Location, message: str, *, found: str | None = None, example: str | None = None
    ) -> None:
        """Add a problem, unless the same field has one already: one cause is reported once."""
        path = dotted(location)
        if path in self._reported:
            return
        self._reported.add(path)
        line, column = self.document.position(location) or (1, 1)
        self.problems.append(Problem(message, path, found, example, self._file, line, column))


class Node:
    """One value of the document, and its place."""

    def __init__(self, report: Report, location: Location, value: Any) -> None:
        self.report = report
        self.location = location
        self.value = value

    def wrong(self, message: str, example: str | None = None) -> None:
        """Note that this value cannot be used."""
        found = self.report.document.spelling(self.location, self.value)
        self.report.note(self.location, message, found=found, example=example)

    def text(self, parse: Parse[T], fallback: T, example: str | None = None) -> T:
        """The value as text, made into what `parse` makes of it."""
        value = self.value
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError as error:
                self.wrong(str(error).removeprefix(f"{value!r} "), example)
        elif isinstance(value, bool | int | float):
            raw = self.report.document.raw.get(self.location, repr(value))
            self.wrong(
                f"must be text, but without quotes this is {kind(value)}",
                _quoted(raw, parse, self) or example,
            )
        else:
            self.wrong(f"must be text, not {kind(value)}", example)
        return fallback

    def boolean(self, fallback: bool) -> bool:
        if isinstance(self.value, bool):
            return self.value
        self.wrong("must be true or false", self._assign("true"))
        return fallback

    def integer(self, fallback: int, *, lowest: int, highest: int | None = None, example: str) -> int:
        value = self.value
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        if is_whole and lowest <= value and (highest is None or value <= highest):
            return int(value)
        bounds = f"{lowest} or more" if highest is None else f"from {lowest} to {highest}"
        self.wrong(f"must be a whole number, {bounds}", self._assign(example))
        return fallback

    def items(self, example: str, *, allow_empty: bool = True) -> list[Node]:
        """The nodes of a list; none of them if it is no list."""
        if not isinstance(self.value, list):
            self.wrong(f"must be a list, not {kind(self.value)}", example)
            return []
        if not self.value and not allow_empty:
            self.wrong("must not be empty", example)
        return [Node(self.report, (*self.location, index), value) for index, value in enumerate(self.value)]

    def texts(self, parse: Parse[T], fallback: T, item: str, *, allow_empty: bool = True) -> tuple[T, ...]:
        """A list of texts, each made into what `parse` makes of it; `item` is an example of one."""
        nodes = self.items(self._assign(f"[{item}]"), allow_empty=allow_empty)
        return tuple(node.text(parse, fallback, item) for node in nodes)

    def choices(self, known: Sequence[T], *, allow_empty: bool = True) -> frozenset[T]:
        """A list of words out of a fixed set."""
        nodes = self.items(self._assign(f"[{known[0]}]"), allow_empty=allow_empty)
        return frozenset(choice for node in nodes if (choice := node.choice(known)) is not None)

    def choice(self, known: Sequence[T]) -> T | None:
        """One word out of a fixed set."""
        if isinstance(self.value, str) and self.value in known:
            return known[known.index(self.value)]
        names = [str(name) for name in known]
        hint = did_you_mean(self.value, names) if isinstance(self.value, str) else ""
        close = nearest(self.value, names) if isinstance(self.value, str) else None
        self.wrong(f"must be {_one_of(names)}{hint if close else ''}", close or names[0])
        return None

    def entries(self, example: str) -> Mapping[str, Node]:
        """The nodes of a mapping whose keys are free; none of them if it is no mapping."""
        if not isinstance(self.value, dict):
            self.wrong(f"must be a mapping, not {kind(self.value)}", example)
            return {}
        return {key: Node(self.report, (*self.location, key), value) for key, value in self.value.items()}

    def section(self, known: Sequence[str], example: str) -> Section:
        """The value as a mapping with fixed keys; each unknown key is a problem."""
        entries = self.entries(example)
        for key, node in entries.items():
            if key not in known:
                close = nearest(key, known)
                message = f"is not a known key{did_you_mean(key, known)}"
                self.report.note(
                    node.location, message, found=shorten(repr(key)), example=close and f"{close}:"
                )
        return Section(self, entries)

    def _assign(self, value: str) -> str:
        """The value as one would type it at this place."""
        last = self.location[-1] if self.location else 0
        return value if isinstance(last, int) else f"{last}: {value}"


class Section:
    """A mapping with fixed keys. An absent optional key means its default; null is not absent."""

    def __init__(self, node: Node, entries: Mapping[str, Node]) -> None:
        self.node = node
        self._entries = entries
        self._is_readable = isinstance(node.value, dict)

    def get(self, key: str) -> Node | None:
        """The node of a key that may be absent."""
        node = self._entries.get(key)
        if node is not None and node.value is None:
            node.wrong("is empty; give it a value, or remove the key")
            return None
        return node

    def require(self, key: str, example: str) -> Node | None:
        """The node of a key that must be there; its absence is a problem at the section's line."""
        node = self._entries.get(key)
        if node is not None and node.value is None:
            node.wrong("is required, and empty here", example)
            return None
        if node is None and self._is_readable:
            self.node.report.note(
                (*self.node.location, key), "is required, and missing here", example=example
            )
        return node

    def text(
        self, key: str, parse: Parse[T], fallback: T, *, example: str | None = None, required: bool = False
    ) -> T:
        node = self.require(key, example or "") if required else self.get(key)
        return fallback if node is None else node.text(parse, fallback, example)

    def texts(self, key: str, parse: Parse[T], fallback: T, *, item: str) -> tuple[T, ...]:
        node = self.get(key)
        return () if node is None else node.texts(parse, fallback, item)


def kind(value: object) -> str:
    """What a value of a document is called.

    >>> kind(1.5), kind([]), kind(None)
    ('a number', 'a list', 'empty')
    """
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    names = {str: "text", list: "a list", dict: "a mapping", type(None): "empty"}
    return names.get(type(value), type(value).__name__)


def _one_of(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if len(names) > 1 else repr(names[0])


def _quoted(raw: str, parse: Parse[T], node: Node) -> str | None:
    """The value in quotes, if that is all that it lacks."""
    try:
        parse(raw)
    except ValueError:
        return None
    last = node.location[-1] if node.location else 0
    return f'"{raw}"' if isinstance(last, int) else f'{last}: "{raw}"'
