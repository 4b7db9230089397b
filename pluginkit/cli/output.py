"""What is printed and where: data on stdout, diagnostics on stderr, colours only for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, TextIO

from pluginkit.cli.encoding import carries_unicode
from pluginkit.printable import hanging, printable

SCHEMA_VERSION = 1
"""Of everything that `--json` prints. A new key does not change it; a changed or dropped one does."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A piece of a line that stands out where the reader wants colours."""

    text: str
    colour: str | None = None
    bold: bool = False


def show(*pieces: str | Painted) -> None:
    """Print a line of data for people."""
    _write(data_stream(), *pieces)


def show_raw(text: str) -> None:
    """Print what is meant to be taken as it is, such as a shell's script."""
    _write_text(data_stream(), text)


def show_json(data: Mapping[str, Any]) -> None:
    """Print data for programs: complete, its keys in a stable order, never cropped."""
    # What stdout cannot carry becomes an escape of JSON, which says the same.
    is_ascii = not carries_unicode(data_stream())
    show_raw(json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=2, ensure_ascii=is_ascii))


def notice(text: str) -> None:
    """Tell something that is no fault but may surprise."""
    _write(sys.stderr, "pluginkit: ", Painted("notice:", "yellow"), hanging(f" {text}"))


def complain(text: str) -> None:
    """Tell what went wrong."""
    _write(sys.stderr, "pluginkit: ", Painted("error:", "red", bold=True), hanging(f" {text}"))


def remark(*pieces: str | Painted) -> None:
    """Print a line of diagnostics as it is: a next step, what is going on."""
    _write(sys.stderr, *pieces)


def wants_colour(stream: TextIO) -> bool:
    """NO_COLOR goes before FORCE_COLOR; without either a terminal decides."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads this stream, as far as one can tell."""
    return not stream.closed and stream.isatty()


# Where data goes while sys.stdout is what plugins have for it.
_own_stdout: TextIO | None = None


def data_stream() -> TextIO:
    """The standard output of the command, whatever plugins were given in its place."""
    return sys.stdout if _own_stdout is None else _own_stdout


@contextmanager
def plugins_print_to_stderr() -> Iterator[None]:
    """As long as code of plugins may run: what it prints is not our data, and must not end up in it.

    From the first import to the last thread, and not call by call, since a plugin's thread
    prints when it likes.
    """
    global _own_stdout  # noqa: PLW0603  # sys.stdout is one for the whole process, and so is its other side
    if _own_stdout is not None:  # a block around this one sees to it
        yield
        return
    _own_stdout = sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _own_stdout = None


def _write(stream: TextIO, *pieces: str | Painted) -> None:
    colourful = wants_colour(stream)
    _write_text(stream, "".join(rendered(piece, colourful=colourful) for piece in pieces))


def rendered(piece: str | Painted, *, colourful: bool) -> str:
    """A piece as text for a terminal, with nothing in it that would command the terminal."""
    if isinstance(piece, str):
        return printable(piece)
    if not colourful:
        return printable(piece.text)
    from click import style

    return style(printable(piece.text), fg=piece.colour, bold=piece.bold or None)


def _write_text(stream: TextIO, text: str) -> None:
    # Flushed each time, so that data and diagnostics on one terminal keep their order.
    stream.write(f"{text}\n")
    stream.flush()
