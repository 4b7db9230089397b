"""One log record, made once at the caller and never changed: what every sink of the chain gets."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quote
from types import MappingProxyType
from typing import Any

from pluginkit.logs import fields as names
from pluginkit.logs.encoding import safe_text, shortened, text_json, value_json
from pluginkit.logs.levels import NUMBERS, level_named

_OWN = (names.TIMESTAMP, names.LEVEL, names.MESSAGE, names.MODULE, names.CALLER, names.FUNCTION)
_OWN_NAMES = frozenset({*_OWN, names.THREAD, names.PROCESS, names.EXCEPTION, names.SINK})
NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class DecodeError(ValueError):
    """A queued record is not the JSON text of a log record."""


class Entry:
    """One log record.

    `time` is ISO 8601 with the offset of the local zone, `level` one of the five, `caller` is
    `file:line` or empty, `exception` the formatted traceback. `fields` are all else.

    >>> entry = Entry.made("info", "fed", {"cat": 1})
    >>> Entry.from_json(entry.json()).fields
    {'cat': 1}
    """

    __slots__ = (
        "_json", "caller", "exception", "fields", "function", "level", "message", "module", "process", "thread", "time",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917  # a record has that many parts
        self,
        time: str,
        level: str,
        message: str,
        module: str = "",
        caller: str = "",
        function: str = "",
        thread: str = "",
        process: int = 0,
        fields: Mapping[str, Any] = NO_FIELDS,
        exception: str | None = None,
    ) -> None:
        self.time = time
        self.level = level
        self.message = message
        self.module = module
        self.caller = caller
        self.function = function
        self.thread = thread
        self.process = process
        self.fields = fields
        self.exception = exception
        self._json: str | None = None

    @classmethod
    def made(
        cls, level: str, message: str, fields: Mapping[str, Any] = NO_FIELDS, *, depth: int = 0
    ) -> Entry:
        """A record of now, by the function that calls this one (or the one `depth` above it)."""
        frame = sys._getframe(depth + 1)
        return cls(
            now(),
            level_named(level),
            message,
            frame.f_globals.get("__name__") or "",
            f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}",
            frame.f_code.co_name,
            threading.current_thread().name,
            os.getpid(),
            fields,
        )

    @property
    def number(self) -> int:
        """The level as a number."""
        return NUMBERS[self.level]

    @property
    def plugin(self) -> str | None:
        """The plugin whose code logged it, if it is known."""
        plugin = self.fields.get(names.PLUGIN)
        return plugin if isinstance(plugin, str) else None

    def json(self, *, location: bool = True) -> str:
        """The record as one line of JSON; without `location` it does not name the caller's file and line."""
        if not location:
            return self._encoded("")
        if self._json is None:
            self._json = self._encoded(self.caller)
        return self._json

    def _encoded(self, caller: str) -> str:
        # The level is one of ours, also in a record that was read; the time may be anything then.
        head = (
            f'{{"@timestamp":{quote(self.time)},"@level":"{self.level}","@message":{text_json(self.message)}'
            f"{_site(self.module, caller, self.function)}{_process(self.thread, self.process)}"
        )
        parts = [head]
        for key, value in self.fields.items():
            name = key if type(key) is str else safe_text(key)
            # A field cannot stand in for the record's own.
            parts.append(f",{_quoted('_' + name if name in _OWN_NAMES else name)}:{value_json(value)}")
        if self.exception is not None:
            parts.append(f',"@exception":{text_json(self.exception)}')
        parts.append("}")
        return "".join(parts)

    @classmethod
    def from_json(cls, text: str | bytes) -> Entry:
        """The record that `json` wrote. Raises `DecodeError`."""
        try:
            return cls.from_record(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, DecodeError) else DecodeError(str(error)) from error

    @classmethod
    def from_record(cls, data: dict[str, Any]) -> Entry:
        """The record that such a JSON object says. Raises `DecodeError`."""
        try:
            rest = dict(data)
            taken = [rest.pop(name, "") for name in _OWN]
            if not all(isinstance(one, str) for one in taken) or not taken[1]:
                raise DecodeError("the record lacks its level, or a part of it is no text")
            stamp, level, message, module, caller, function = taken
            thread, process = str(rest.pop(names.THREAD, "")), int(rest.pop(names.PROCESS, 0))
            exception = rest.pop(names.EXCEPTION, None)
            if not isinstance(exception, str | None):
                raise DecodeError("the traceback of the record is no text")
        except (TypeError, ValueError, OverflowError) as error:
            raise error if isinstance(error, DecodeError) else DecodeError(str(error)) from error
        level = level_named(level)
        return cls(stamp, level, message, module, caller, function, thread, process, rest, exception)

    def __repr__(self) -> str:
        return f"<Entry {self.level} {shortened(self.message, 60)!r}>"


def now() -> str:
    """This moment as a record names it."""
    return datetime.now(UTC).astimezone().isoformat(timespec="microseconds")


def exception_text(error: BaseException, trace: Any = None) -> str:
    """The traceback of an exception as text; its own `__str__` may raise."""
    try:
        return shortened(
            "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))
        )
    except Exception as broken:  # an exception class that breaks traceback itself
        return f"{type(error).__name__} whose traceback cannot be shown: {type(broken).__name__}"


@lru_cache(maxsize=4096)
def _site(module: str, caller: str, function: str) -> str:
    """The part of the text that is the same for every record of one line of code."""
    shown = f',"@caller":{quote(caller)}' if caller else ""
    return f',"@module":{quote(module)}{shown},"@function":{quote(function)}'


@lru_cache(maxsize=1024)
def _process(thread: str, process: int) -> str:
    return f',"@thread":{quote(thread)},"@process":{process}'


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return text_json(name)
