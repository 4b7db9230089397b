"""The tree that both readers grow: data, places and problems, without recursion."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, Protocol

from pluginkit.errors import Problem

from .document import Document, Location, Position, YamlError, dotted, shorten

MAX_DEPTH = 24
MAX_EVENTS = 5000
MAX_PROBLEMS = 50
SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**64 - 1


class Mark(Protocol):
    """A place in the text; line and column count from 0, as in yaml's marks."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Tree:
    """Grows a `Document` from keys, scalars, and the starts and ends of collections.

    What is wrong is noted and the reading goes on, so that all of it is reported at once;
    `stop` is for what makes the rest unreadable. Of two equal keys the first one stays.
    """

    def __init__(self, file: str | Path | None, max_depth: int) -> None:
        self.file = file
        self.root: Any = None
        self.lines: dict[Location, Position] = {}
        self.raw: dict[Location, str] = {}
        self.problems: list[Problem] = []
        self._max_depth = max_depth
        self._stack: list[tuple[Any, Location]] = []
        self._node: Any = None  # the open collection, and its place
        self._location: Location = ()
        self._key: str | None = None  # the key that waits for its value, and the value's place
        self._value_location: Location = ()
        self._is_repeated = False

    def document(self) -> Document:
        """The finished document; raises `YamlError` with it if there are problems."""
        document = Document(self.root, self.lines, self.raw)
        if self.problems:
            raise YamlError(self.problems, document)
        return document

    def expects_key(self) -> bool:
        return self._node.__class__ is dict and self._key is None

    def key(self, text: str, mark: Mark) -> Location:
        """Take a mapping's next key; gives the location of its value."""
        location = (*self._location, text)
        first = self.lines.get(location)
        self._is_repeated = first is not None
        if first is not None:
            self.note(f"is given twice, first on line {first[0]}", mark, location)
            # What is inside the second one must not be taken for a repetition of the first's.
            location = (*self._location, f"{text} (line {mark.line + 1})")
        self.lines[location] = (mark.line + 1, mark.column + 1)
        self._key = text
        self._value_location = location
        return location

    def place(self, mark: Mark) -> Location:
        """The location of the value that comes now; a mapping's value stands where its key does."""
        if self._key is not None:
            return self._value_location
        location: Location = (*self._location, len(self._node)) if self._stack else ()
        self.lines[location] = (mark.line + 1, mark.column + 1)
        return location

    def put(self, value: Any) -> None:
        """Put a value at the location that `place` has given."""
        if self._key is not None:
            if not self._is_repeated:
                self._node[self._key] = value
            self._key = None
        elif self._stack:
            self._node.append(value)
        else:
            self.root = value

    @property
    def too_deep(self) -> str:
        return f"is nested deeper than {self._max_depth} levels"

    def open(self, node: dict[str, Any] | list[Any], mark: Mark) -> None:
        """Begin a mapping or a list; the values up to `close` belong to it."""
        if self.expects_key():
            self.stop("a mapping or a list cannot be a key", mark)
        if len(self._stack) >= self._max_depth:
            self.stop(self.too_deep, mark)
        location = self.place(mark)
        self.put(node)
        self._stack.append((self._node, self._location))
        self._node, self._location = node, location

    def close(self) -> None:
        self._node, self._location = self._stack.pop()

    def note(
        self,
        message: str,
        mark: Mark,
        location: Location = (),
        *,
        found: str | None = None,
        example: str | None = None,
    ) -> None:
        """Keep a problem and go on."""
        self.problems.append(
            Problem(
                message,
                path=dotted(location),
                found=None if found is None else shorten(found),
                example=example,
                file=self.file,
                line=mark.line + 1,
                column=mark.column + 1,
            )
        )
        if len(self.problems) >= MAX_PROBLEMS:
            raise YamlError(self.problems)

    def stop(self, message: str, mark: Mark) -> NoReturn:
        """Give up: what follows cannot be read, or must not be."""
        self.note(message, mark)
        raise YamlError(self.problems)


def unsafe_text(text: str) -> str | None:
    """Why a string that came out of escapes cannot be kept, or None if it can."""
    if "\0" in text:
        return "text must not contain NUL"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "text must not contain half a surrogate pair"
    return None


def is_bounded(value: float) -> bool:
    """Whether a number means the same to whoever reads it: 64 bits, finite."""
    if isinstance(value, int):
        return SMALLEST_INTEGER <= value <= LARGEST_INTEGER
    return value - value == 0.0
