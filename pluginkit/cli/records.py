"""Log files of JSON lines on the command line: which records, and how they are shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import SCHEMA_VERSION, complain, data_stream, remark, show, show_raw, wants_colour
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pluginkit.logs.reading import Record, Wanted

F = TypeVar("F", bound=Callable[..., Any])

SHOWN = 100
"""Records that are shown unless somebody says how many, or since when."""
POLLED_EVERY = 0.1
"""Seconds between two looks at a file that is followed."""


def _moment(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """How long ago, or when, as seconds since the epoch."""
    from pluginkit.config.durations import EXAMPLES, parse_duration

    if value is None:
        return None
    try:
        return time.time() - parse_duration(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither how long ago, such as {EXAMPLES}, nor a time such as 2026-11-27T09:30",
            param=parameter,
        ) from None


def reading_options(function: F) -> F:
    """The options of each command that shows records."""
    options = [
        click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C."),
        click.option(
            "-n", "--lines", "count", type=click.IntRange(min=0), metavar="N",
            help=f"The newest N records. Without it {SHOWN}, or with --since all.",
        ),
        click.option(
            "--since", callback=_moment, metavar="WHEN",
            help="Only what is newer: how long ago (10m, 1h30m), or a date and time.",
        ),
        click.option(
            "--plugin", "plugins", multiple=True, metavar="NAME", shell_complete=plugin_names,
            help="Only of this plugin; may be repeated.",
        ),
        json_option,
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def show_log(
    path: Path, wanted: Wanted, *, follow: bool, count: int | None, as_json: bool, what: str
) -> Exit:
    """Print the records of a log that are wanted, and go on if it is to be followed."""
    from pluginkit.logs import reading

    if count is None and wanted.since is None:
        count = SHOWN
    shown = _as_json if as_json else _as_line
    if not follow:
        try:
            records: Iterable[Record] = reading.last(path, wanted, count)
        except FileNotFoundError:
            complain(f"{path}: there is no such {what}. `pluginkit run` writes it")
            return Exit.PROBLEM
        for record in records:
            shown(record)
        return Exit.FINE
    try:
        remark(one_line(f"Following {path}; Ctrl-C ends."))
        for record in reading.follow(path, wanted, count, lambda: time.sleep(POLLED_EVERY)):
            shown(record)
    except KeyboardInterrupt:
        pass
    return Exit.FINE


def _as_json(record: Record) -> None:
    show_raw(json.dumps({"schema_version": SCHEMA_VERSION, **record}))


def _as_line(record: Record) -> None:
    from pluginkit.logs import DecodeError, Entry
    from pluginkit.logs.console import line_of

    try:
        entry = Entry.from_record(dict(record))
    except DecodeError:
        show(one_line(str(record.get("@message", record))))
    else:
        # As it is: it is printable, and its colours are our own.
        line = line_of(entry, colour=wants_colour(data_stream()), location=True)
        show_raw(f"{one_line(entry.time[:10])} {line}".rstrip("\n"))
