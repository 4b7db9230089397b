"""JSON from strangers, read into the same `Document` as YAML, with the line of every value.

Python's parser decides what is JSON, but it knows no places, takes the last of two equal keys,
and recurses. So the tokens are counted before it, and walked after it, when the text is known
to be JSON, to grow the tree.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

from pluginkit.errors import Problem

from .document import Document, Location, YamlError
from .reading import MAX_BYTES, decode, encode
from .tree import MAX_DEPTH, MAX_EVENTS, Tree, is_bounded, unsafe_text

_TOKEN = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]:,"]+', re.DOTALL)
_LONGEST_NUMBER = 40


class _Mark(NamedTuple):
    line: int
    column: int


def load_json(
    text: bytes | str,
    *,
    file: str | Path | None = None,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_events: int = MAX_EVENTS,
) -> Document:
    """Read one JSON document as `load` reads YAML: the same limits, the same result.

    Refused beyond what is no JSON: keys given twice, NaN and Infinity, numbers beyond 64 bits,
    NUL and half surrogate pairs in text. Raises `YamlError`.

    >>> load_json('{"name": "sample"}').lines[("name",)]
    (1, 2)
    """
    content = encode(text, file=file) if isinstance(text, str) else text
    decoded = decode(content, file=file, max_bytes=max_bytes)
    tree = Tree(file, max_depth)
    tokens = _Tokens(decoded)
    _require_bounds(tokens, tree, max_depth, max_events)
    if decoded.strip():
        _require_json(decoded, file)
        _grow(tokens, tree)
    return tree.document()


class _Tokens:
    """The tokens of a text, without its commas and colons, and their places."""

    def __init__(self, text: str) -> None:
        self.found = [(match[0], match.start()) for match in _TOKEN.finditer(text)]
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def mark(self, offset: int) -> _Mark:
        line = bisect_right(self._line_starts, offset) - 1
        return _Mark(line, offset - self._line_starts[line])


def _require_bounds(tokens: _Tokens, tree: Tree, max_depth: int, max_events: int) -> None:
    """Keep the recursion of Python's parser, and the length of the walk, within limits."""
    if len(tokens.found) > max_events:
        tree.stop(f"has more than {max_events} JSON values", tokens.mark(tokens.found[max_events][1]))
    depth = 0
    for spelling, offset in tokens.found:
        if spelling in "{[":
            depth += 1
        elif spelling in "}]":
            depth -= 1
        if depth > max_depth:
            tree.stop(f"is nested deeper than {max_depth} levels", tokens.mark(offset))


def _require_json(text: str, file: str | Path | None) -> None:
    try:
        json.loads(text, parse_int=str)
    except json.JSONDecodeError as error:
        message = f"is not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise YamlError([Problem(message, file=file, line=error.lineno, column=error.colno)]) from error


def _grow(tokens: _Tokens, tree: Tree) -> None:
    for spelling, offset in tokens.found:
        mark = tokens.mark(offset)
        if spelling in "}]":
            tree.close()
        elif spelling == "{":
            tree.open({}, mark)
        elif spelling == "[":
            tree.open([], mark)
        else:
            _scalar(spelling, mark, tree)


def _scalar(spelling: str, mark: _Mark, tree: Tree) -> None:
    value = json.loads(spelling, parse_int=_integer)
    if tree.expects_key():
        _require_safe(value, mark, tree.key(value, mark), tree)
        return
    location = tree.place(mark)
    if isinstance(value, str):
        _require_safe(value, mark, location, tree)
    else:
        tree.raw[location] = spelling
    if isinstance(value, int | float) and not is_bounded(value):
        tree.note("must be a finite number within 64 bits", mark, location, found=spelling)
        value = spelling
    tree.put(value)


def _require_safe(text: str, mark: _Mark, location: Location, tree: Tree) -> None:
    reason = unsafe_text(text)
    if reason is not None:
        tree.note(reason, mark, location)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")
