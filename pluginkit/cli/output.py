"""What is printed and where: data on stdout, diagnostics on stderr, colours only for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

import click

from pluginkit.cli.encoding import carries_unicode, printable

SCHEMA_VERSION = 1
"""Of everything that `--json` prints. A new key does not change it; a changed or dropped one does."""


def show(text: str = "") -> None:
    """Print a line of data for people."""
    click.echo(printable(text), color=wants_colour(sys.stdout))


def show_json(data: Mapping[str, Any]) -> None:
    """Print data for programs: complete, in a stable order of keys, never cropped."""
    # What stdout cannot carry becomes an escape of JSON, which says the same.
    is_ascii = not carries_unicode(sys.stdout)
    text = json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=2, ensure_ascii=is_ascii)
    click.echo(text, color=True)


def notice(text: str) -> None:
    """Tell something that is no fault but may surprise."""
    _diagnose("notice", "yellow", text)


def complain(text: str) -> None:
    """Tell what went wrong."""
    _diagnose("error", "red", text)


def remark(text: str) -> None:
    """Print a line of diagnostics as it is: a next step, what is going on."""
    click.echo(printable(text), err=True, color=wants_colour(sys.stderr))


def _diagnose(kind: str, colour: str, text: str) -> None:
    label = paint(f"{kind}:", colour, sys.stderr)
    click.echo(f"pluginkit: {label} {printable(text)}", err=True, color=True)


def paint(text: str, colour: str | None, stream: TextIO, *, bold: bool = False) -> str:
    """`text` in a colour, if whoever reads `stream` wants colours."""
    if not wants_colour(stream) or not (colour or bold):
        return text
    return click.style(text, fg=colour, bold=bold or None)


def wants_colour(stream: TextIO) -> bool:
    """NO_COLOR goes before FORCE_COLOR, and without either a terminal decides."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads this stream, as far as one can tell."""
    try:
        return stream.isatty()
    except ValueError:
        return False  # closed


@contextmanager
def plugins_print_to_stderr() -> Iterator[None]:
    """While code of plugins runs: what it prints is not our data, and must not end up in it."""
    with redirect_stdout(sys.stderr):
        yield
