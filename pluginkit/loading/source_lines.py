"""Tracebacks and `inspect.getsource` show the text that runs, not what is on disk by now."""

from __future__ import annotations

import io
import linecache
import tokenize
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from pluginkit.loading.generation import Generation
    from pluginkit.loading.layout import Location


class PinnedLines(Sequence[str]):
    """The lines of one source file, split only when somebody asks for them."""

    def __init__(self, key: str, data: bytes) -> None:
        self.key = key
        self._data = data
        self._lines: list[str] | None = None

    @property
    def _text_lines(self) -> list[str]:
        if self._lines is None:
            self._lines = io.StringIO(decode(self._data)).readlines()
            if self._lines and not self._lines[-1].endswith("\n"):
                self._lines[-1] += "\n"
        return self._lines

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._text_lines[index]

    def __len__(self) -> int:
        return len(self._text_lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._text_lines)


def decode(data: bytes) -> str:
    """Source bytes as text: by their coding cookie, with every line end as a newline."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace").read()


def pin(generation: Generation, location: Location, path: str) -> None:
    """Let linecache answer for `path` from the generation's snapshot.

    An entry without a modification time is never checked against the disk.
    """
    if location.kind == "source":
        data = generation.snapshot.code[location.path].data
        cache: dict[str, Any] = linecache.cache
        entry = (len(data), None, PinnedLines(generation.key, data), path)
        _pins.setdefault(path, {})[generation.key] = entry
        cache[path] = entry


def unpin(generation: Generation) -> None:
    """Take this generation's lines back; those of the one that serves on come to the front again."""
    cache: dict[str, Any] = linecache.cache
    for location in generation.locations.values():
        path = generation.file(location)
        pins = _pins.get(path)
        if pins is None or pins.pop(generation.key, None) is None:
            continue
        if pins:
            cache[path] = next(reversed(pins.values()))
        else:
            del _pins[path]
            cache.pop(path, None)


_pins: dict[str, dict[str, tuple[int, None, PinnedLines, str]]] = {}
"""Path → generation key → entry, in order of loading."""
