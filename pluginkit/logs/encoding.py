"""Values as JSON text, whatever they are: nothing that a program logs makes this raise or grow without bound.

The caller of a log function pays for this, so plain values take the short way. All else becomes
plain data first, within a budget of nodes and characters: cycles are cut, what is no data
becomes its `repr`, and a `repr` that raises is told instead. The text is ASCII: lone surrogates
pass as escapes and come back as they were.
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import date, time, timedelta
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quote
from math import isfinite
from typing import Any

from pluginkit.errors import passes_through

MAX_TEXT = 65_536
"""Characters of one text in a record; of a longer one the beginning is kept, and its length."""
_MAX_NODES = 1_000
_MAX_DEPTH = 8
_MAX_TOTAL = 4 * MAX_TEXT
_AS_TEXT = (os.PathLike, uuid.UUID, date, time, timedelta, Decimal, BaseException)


def text_json(text: str) -> str:
    """A text as JSON; one that is too long is shortened."""
    return quote(text if len(text) <= MAX_TEXT else shortened(text))


def shortened(text: str, limit: int = MAX_TEXT) -> str:
    """The beginning of a text, with a word on how much there was."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def value_json(value: Any) -> str:
    """Any value as JSON."""
    kind = type(value)
    if kind is str:
        return text_json(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int and -(1 << 63) <= value < 1 << 63:
        return str(value)
    if kind is float and isfinite(value):
        return repr(value)
    return json.dumps(_Plain().of(value), ensure_ascii=True, separators=(",", ":"))


def safe_text(value: object) -> str:
    """`str` of a value, even if that raises."""
    return _called(str, value)


class _Plain:
    """Plain data of one value, within the budget of one value."""

    def __init__(self) -> None:
        self._nodes = _MAX_NODES
        self._characters = _MAX_TOTAL
        self._above: set[int] = set()

    def of(self, value: Any, depth: int = 0) -> Any:  # noqa: PLR0911  # one for each kind of value
        """`value` as lists, dicts, texts and numbers."""
        self._nodes -= 1
        if self._nodes < 0 or self._characters <= 0:
            return "…"
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if -(1 << 63) <= value < 1 << 63 else self._text(hex(value))
        if isinstance(value, float):
            return float(value) if isfinite(value) else repr(float(value))
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, dict | list | tuple | set | frozenset):
            return self._collection(value, depth)
        return self._text(_called(str if isinstance(value, _AS_TEXT) else repr, value))

    def _text(self, text: str) -> str:
        text = shortened(text, min(MAX_TEXT, self._characters))
        self._characters -= len(text)
        return text

    def _collection(self, value: Any, depth: int) -> Any:
        if id(value) in self._above:
            return "<cycle>"
        if depth >= _MAX_DEPTH:
            return f"<{type(value).__name__} of {len(value)}>"
        self._above.add(id(value))
        try:
            if isinstance(value, dict):
                return {self._key(key): self.of(one, depth + 1) for key, one in self._some(value.items())}
            return [self.of(one, depth + 1) for one in self._some(value)]
        except Exception as error:  # changed by another thread, or a subclass with ways of its own
            return f"<{type(value).__name__} that cannot be read: {type(error).__name__}>"
        finally:
            self._above.discard(id(value))

    def _some(self, items: Any) -> Any:
        for item in items:
            if self._nodes <= 0:
                return
            yield item

    def _key(self, key: Any) -> str:
        return self._text(str.__str__(key) if isinstance(key, str) else _called(str, key))


def _called(function: Any, value: object) -> str:
    try:
        text: str = function(value)
    except BaseException as error:
        if passes_through(error):
            raise
        return f"<{type(value).__name__} whose {function.__name__}() raises {type(error).__name__}>"
    return shortened(text)
