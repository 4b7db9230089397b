"""Tables: plain and aligned wherever they go, drawn by rich on a terminal that has it.

A sentence does not fit in a cell. So a row may have a note: the last column of a plain table,
where a line stays one line for grep, and a list below a drawn one, where it can be wrapped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from pluginkit.cli.output import Painted, data_stream, is_terminal, show, wants_colour
from pluginkit.printable import printable

GAP = 2

COLOURS: Mapping[str, str] = {
    "running": "green",
    "loaded": "green",
    "disabled": "bright_black",
    "failed": "red",
    "quarantined": "red",
    "incompatible": "yellow",
    "conflict": "yellow",
    "held": "yellow",
    "problem": "red",
    "notice": "yellow",
}
"""Words that stand out when they are a whole cell. Colours of the 16 that every terminal has."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under titles; `notes` is the title of the rows' notes, "" if they have none."""

    titles: Sequence[str]
    notes: str = ""
    rows: list[tuple[Sequence[str], str]] = field(default_factory=list)

    def add(self, *cells: str | None, note: str = "") -> None:
        """Append a row; None is shown as `-`, and a cell is one line whatever it holds."""
        self.rows.append(([_one_line(cell) for cell in cells], _one_line(note) if note else ""))

    def show(self) -> None:
        """Print the table to stdout."""
        if is_terminal(data_stream()) and os.environ.get("TERM") != "dumb" and find_spec("rich") is not None:
            self._draw()
        else:
            for line in self._lines():
                show(*line)

    def _lines(self) -> Iterator[list[str | Painted]]:
        has_notes = any(note for _, note in self.rows)
        titles = [*self.titles, *([self.notes] if has_notes else [])]
        rows = [[*cells, *([note] if has_notes else [])] for cells, note in self.rows]
        widths = [max(map(width, column)) for column in zip(titles, *rows, strict=True)]
        yield _padded([Painted(title, bold=True) for title in titles], widths)
        for row in rows:
            yield _padded([Painted(cell, COLOURS.get(cell)) for cell in row], widths)

    def _draw(self) -> None:
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        console = Console(file=data_stream(), no_color=not wants_colour(data_stream()), highlight=False)
        drawn = RichTable(header_style="bold")
        for title in self.titles:
            drawn.add_column(title, overflow="fold")
        for cells, _ in self.rows:
            drawn.add_row(*(Text(printable(cell), style=COLOURS.get(cell, "")) for cell in cells))
        console.print(drawn)
        below = RichTable.grid(padding=(0, GAP))
        below.add_column(no_wrap=True)
        below.add_column(overflow="fold")
        for cells, note in self.rows:
            if note:
                below.add_row(Text(printable(cells[0]), style="bold"), Text(printable(note)))
        if below.row_count:
            console.print(below)


def width(text: str) -> int:
    """How many columns a terminal gives a text; wide characters of East Asia have two.

    >>> width("cat"), width("猫")
    (3, 2)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text if not combining(c))


def _padded(cells: Sequence[Painted], widths: Sequence[int]) -> list[str | Painted]:
    """The cells of one line; the last is not padded, so that no line ends in blanks."""
    line: list[str | Painted] = []
    for cell, columns in zip(cells, widths, strict=True):
        line += [cell, " " * (columns - width(cell.text) + GAP)]
    while line and not (line[-1] if isinstance(line[-1], str) else line[-1].text).strip():
        line.pop()
    return line


def _one_line(text: str | None) -> str:
    return "-" if text is None else printable(" ".join(text.split())) or "-"
