"""What reading gives: the data, the place of each value, or everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pluginkit.errors import Problem

Location = tuple[str | int, ...]
Position = tuple[int, int]

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it.

    `data` is made of dict, list, str, int, float, bool and None only. `lines` leads from the
    location of a value (keys and list indexes from the root, `()` for the root itself) to the
    line and column, from 1, of its key or list item. `raw` holds the spelling of the scalars
    that were not read as text: `1.10` where `data` has only 1.1.
    """

    data: Any
    lines: Mapping[Location, Position]
    raw: Mapping[Location, str] = field(default_factory=dict)

    def position(self, location: Location) -> Position | None:
        """Line and column of a value, or of the nearest thing around it that the file has."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location)

    def spelling(self, location: Location, value: object) -> str:
        """A value as its author sees it in the file: what a `Problem` shows as `found`."""
        return shorten(self.raw.get(location) or ("null" if value is None else repr(value)))


class YamlError(ValueError):
    """A document cannot be read; `problems` says what is wrong, each with its line.

    `document` is what could be read all the same (a key given twice is no reason to hide what
    else is wrong with the file), or None when the text could not be read to its end.
    """

    def __init__(self, problems: Iterable[Problem], document: Document | None = None) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.document = document
        super().__init__("\n".join(map(str, self.problems)))


def dotted(location: Location) -> str:
    """A location as people write it.

    >>> dotted(("capabilities", "process", 0, "exec"))
    'capabilities.process[0].exec'
    >>> dotted(("settings", "a b"))
    "settings['a b']"
    """
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.match(step):
            text += f".{shorten(step)}" if text else shorten(step)
        else:
            text += f"[{shorten(repr(step))}]"
    return text


def shorten(text: str, limit: int = 120) -> str:
    """Cut what a stranger wrote to a length that an error message can bear."""
    return text if len(text) <= limit else f"{text[: limit - 2]} …"
