"""The types of configuration values: what a file may hold, and what becomes of it.

A kind reads the value that stands in a file, and the text of an environment variable. What
it cannot take it refuses with all faults at once; what the checklist says to mend (an unknown
log level) it mends and says so.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pluginkit.config.durations import parse_duration
from pluginkit.errors import did_you_mean, nearest

T = TypeVar("T")
W = TypeVar("W", bound=str)

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a value; `at` leads to it from the value's root."""

    message: str
    at: Steps = ()


class Refused(ValueError):
    """A value that its key cannot take."""

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = tuple(Fault(fault) if isinstance(fault, str) else fault for fault in faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Mended(Generic[T]):
    """What was taken in place of a value that could not be taken as it is, and why."""

    value: T
    notice: str


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One type of value.

    `label` is its name in the reference, `example` a right value as the user types it. `read`
    takes what YAML gave and raises `Refused`. `from_text` turns the text of an environment
    variable into what YAML would have given.
    """

    label: str
    example: str
    read: Callable[[object], T | Mended[T]]
    from_text: Callable[[str], object] = str


def choice(options: tuple[W, ...]) -> Kind[W]:
    """One of a few words, in any case."""
    by_name: dict[str, W] = {option: option for option in options}

    def read(value: object) -> W:
        word = value.lower() if isinstance(value, str) else ""
        if word not in by_name:
            near = nearest(word, options)
            raise Refused(f"must be one of {', '.join(options)}{f'; did you mean {near!r}?' if near else ''}")
        return by_name[word]

    return Kind(", ".join(options), options[0], read)


def integer(minimum: int, maximum: int | None = None) -> Kind[int]:
    """A whole number within bounds."""
    bounds = f"at least {minimum}" if maximum is None else f"{minimum} to {maximum}"

    def read(value: object) -> int:
        whole = _whole_number(value)
        if whole is None or whole < minimum or (maximum is not None and whole > maximum):
            raise Refused(f"must be an integer, {bounds}")
        return whole

    return Kind(f"integer, {bounds}", str(max(minimum, 3)), read, number_from_text)


def limit(minimum: int) -> Kind[int | None]:
    """A whole number of at least `minimum`; a file that does not have it sets no limit."""

    def read(value: object) -> int | None:
        whole = _whole_number(value)
        if value is not None and (whole is None or whole < minimum):
            raise Refused(f"must be an integer, at least {minimum}; leave it out for no limit")
        return whole

    return Kind(f"integer, at least {minimum}", "100", read, number_from_text)


def duration(*, positive: bool = False) -> Kind[float]:
    """A length of time, delivered in seconds."""

    def read(value: object) -> float:
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise Refused(str(error)) from None
        if positive and seconds == 0:
            raise Refused("must be more than 0 seconds")
        return seconds

    return Kind("duration, more than 0" if positive else "duration", "2s", read)


def level(options: tuple[W, ...], fallback: W) -> Kind[W]:
    """A log level; an unknown one must not keep the host from starting."""
    known = choice(options)

    def read(value: object) -> W | Mended[W]:
        try:
            return known.read(value)
        except Refused:
            if not isinstance(value, str):
                raise
            return Mended(fallback, f"unknown level, {fallback} is used{did_you_mean(value, options)}")

    return Kind(known.label, fallback, read)


def megabytes(most: float) -> Kind[float]:
    """A file size in MB that is never more than `most`."""

    def read(value: object) -> float | Mended[float]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("must be a number of megabytes")
        if not (math.isfinite(value) and 0 < value <= most):
            return Mended(most, f"must be more than 0 and at most {most:g} MB, {most:g} is used")
        return value

    return Kind(f"number (MB), more than 0, at most {most:g}", "1.5", read, number_from_text)


def workers() -> Kind[int]:
    """A number of workers: fewer than one would never do anything."""

    def read(value: object) -> int | Mended[int]:
        whole = _whole_number(value)
        if whole is None:
            raise Refused("must be an integer, at least 1")
        return whole if whole >= 1 else Mended(1, "must be at least 1, 1 is used")

    return Kind("integer, at least 1", "4", read, number_from_text)


def executor() -> Kind[str]:
    """What runs jobs, by name; whether it can be had is seen when it is first needed."""

    def read(value: object) -> str:
        text = _read_word(value).strip()
        kind, colon, rest = text.partition(":")
        if text in _EXECUTORS or (kind == "dask" and rest.strip()):
            return text
        if colon and kind != "dask" and all(map(str.isidentifier, (*kind.split("."), rest))):
            return text
        near = None if kind == "dask" else nearest(kind, (*_EXECUTORS, "dask"))
        raise Refused(f"must be {_EXECUTOR_FORMS}{f'; did you mean {near!r}?' if near else ''}")

    return Kind(_EXECUTOR_FORMS, "processes", read)


_EXECUTORS = ("threads", "processes")
_EXECUTOR_FORMS = "threads, processes, dask:ADDRESS or module:function"


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("must be text; put it in quotes" if isinstance(value, int | float) else "must be text")
    return value


def _read_word(value: object) -> str:
    text = _read_text(value)
    if not text.strip():
        raise Refused("must not be empty")
    return text


def _read_file_name(value: object) -> str:
    text = _read_word(value)
    if not _FILE_NAME.fullmatch(text) or len(os.fsencode(text)) > _LONGEST_FILE_NAME:
        raise Refused(
            "must be the name of a file, without a directory: letters, digits, blanks, '-', '_' and '.', "
            "not beginning or ending with a blank or '.'"
        )
    if _AUDIT.fullmatch(text):
        raise Refused("must not be a name of the audit trail, which no other may write to")
    return text


_FILE_NAME = re.compile(r"(?![ .])[\w .-]*[\w-]")
_LONGEST_FILE_NAME = 200
"""Bytes; what rotation, or SQLite, appends must fit into a file's name, too."""
_AUDIT = re.compile(r"audit(\.[0-9]+)?\.log(\.gz)?", re.IGNORECASE)


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused("must be true or false")
    return value


def _read_path(value: object) -> Path:
    text = _read_word(os.fspath(value) if isinstance(value, os.PathLike) else value)
    if "\0" in text:
        raise Refused("must be a path, without NUL characters")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise Refused(f"must be a path: {error}") from None


def _read_version(value: object) -> str:
    text = _read_text(value)
    if not text:
        return text
    from pluginkit.versions import Version

    for parse in (Version.parse, Version.parse_pep440):
        try:
            parse(text)
        except ValueError:
            continue
        return text
    raise Refused("must be a version")


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number_from_text(text: str) -> object:
    """Read a number of an environment variable; what is none stays text, for `read` to refuse."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def flag_from_text(text: str) -> object:
    """Read a boolean of an environment variable, in the words that people use there."""
    return _FLAG_WORDS.get(text.strip().lower(), text)


_FLAG_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

TEXT = Kind("text", '"text"', _read_text)
WORD = Kind("text, not empty", "name", _read_word)
FILE_NAME = Kind("name of a file", "zoo.log", _read_file_name)
FLAG = Kind("boolean", "true", _read_flag, flag_from_text)
PATH = Kind("path", "./directory", _read_path)
VERSION = Kind("version", '"1.2.3"', _read_version)
