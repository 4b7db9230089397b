"""What the commands that read logs have in common: their options, and how records come to the terminal."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import remark, show
from pluginkit.cli.paths import shown_path

if TYPE_CHECKING:
    from pluginkit.logs.reading import LogFilter

F = TypeVar("F", bound=Callable[..., Any])


def reading_options(function: F) -> F:
    """`--follow`, `-n`, `--since`, `--plugin`, `--json`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print each record as one line of JSON."),
        click.option(
            "--since", metavar="WHEN", help="A time span such as 10m or 2d, or a moment (ISO 8601)."
        ),
        click.option(
            "--plugin", metavar="NAME", help="Only what this plugin logged, or what happened to it."
        ),
        click.option(
            "-n", "--lines", "count", type=click.IntRange(min=0), metavar="N", help="Only the last N records."
        ),
        click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C."),
    ):
        function = option(function)
    return function


def moment(since: str | None) -> datetime | None:
    """The moment that `--since` means. Raises a usage error."""
    from pluginkit.logs.reading import parse_since

    try:
        return None if since is None else parse_since(since)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None


def show_records(
    path: Path,
    wanted: LogFilter,
    line_of: Callable[[dict[str, Any]], str],
    *,
    count: int | None,
    follow: bool,
    as_json: bool,
) -> int:
    """Print what a log has, oldest first, then what comes."""
    from pluginkit.logs.parts import all_files
    from pluginkit.logs.reading import follow_records, read_records

    if not all_files(path) and not follow:
        remark(f"There is no log {shown_path(path)} yet; `pluginkit run` writes it.")
        return Exit.FINE
    form = _as_json if as_json else line_of
    found: Iterable[dict[str, Any]] = read_records(path, wanted)
    for record in found if count is None else deque(found, maxlen=count):
        show(form(record))
    if follow:
        remark(f"Following {shown_path(path)}; Ctrl-C stops.")
        try:
            for record in follow_records(path, wanted, stopped=threading.Event().wait):
                show(form(record))
        except KeyboardInterrupt:
            return Exit.FINE
    return Exit.FINE


def _as_json(record: dict[str, Any]) -> str:
    import json

    return json.dumps(record)
