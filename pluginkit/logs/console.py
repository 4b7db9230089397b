"""The console: one line for each record, in colour on a terminal, or JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from pluginkit.logs import fields as names
from pluginkit.logs.encoding import safe_text
from pluginkit.logs.entry import Entry
from pluginkit.printable import indented, one_line, printable

_COLOURS = {
    "trace": "\x1b[2m",
    "debug": "\x1b[36m",
    "info": "\x1b[32m",
    "warn": "\x1b[33m",
    "error": "\x1b[31;1m",
}
_FAINT = "\x1b[2m"
_PLAIN = "\x1b[0m"


class ConsoleSink:
    """Writes to a stream; without one to what `sys.stderr` is at the moment.

    `colour` None means: on a terminal, unless NO_COLOR is set.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        colour: bool | None = None,
        json: bool = False,
        location: bool = True,
    ) -> None:
        self._stream = stream
        self._colour = colour
        self._json = json
        self._location = location

    def write(self, entries: Sequence[Entry]) -> None:
        stream = self._stream if self._stream is not None else sys.stderr
        # What was printed is on the screen already.
        shown = [entry for entry in entries if names.STREAM not in entry.fields]
        if not shown or stream is None:
            return
        if self._json:
            text = "".join(f"{entry.json(location=self._location)}\n" for entry in shown)
        else:
            colour = _is_coloured(stream) if self._colour is None else self._colour
            text = "".join(line_of(entry, colour=colour, location=self._location) for entry in shown)
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()

    def close(self) -> None:
        """Nothing: the stream is somebody else's."""


def line_of(entry: Entry, *, colour: bool, location: bool) -> str:
    """A record as people read it; what it has of further lines, and its traceback, is indented below.

    Whatever was logged, nothing of it commands the terminal or begins a line as a record does.
    """
    begin, faint, end = (_COLOURS[entry.level], _FAINT, _PLAIN) if colour else ("", "", "")
    where = f" {faint}({one_line(entry.caller)}){end}" if location and entry.caller else ""
    plugin = f"{one_line(entry.plugin)}: " if entry.plugin else ""
    fields = "".join(
        f" {faint}{one_line(safe_text(name))}={end}{one_line(safe_text(value))}"
        for name, value in entry.fields.items()
        if name != names.PLUGIN
    )
    head = f"{faint}{one_line(entry.time[11:23])}{end} {begin}{entry.level:<5}{end} {plugin}"
    trace = f"\n{printable(entry.exception.rstrip())}" if entry.exception else ""
    return head + indented(f"{printable(entry.message)}{fields}{where}{trace}") + "\n"


def _is_coloured(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and stream.isatty()
