"""`pluginkit logs`."""

from __future__ import annotations

from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.log_reading import moment, reading_options, show_records
from pluginkit.cli.session import Session, pass_session


@click.command(
    "logs",
    cls=Command,
    examples=[
        ("pluginkit logs -n 20", "the last twenty records"),
        ("pluginkit logs --follow --plugin cat", "what the plugin cat says, as it says it"),
        ("pluginkit logs --level error --since 1h", "what went wrong in the last hour"),
        ("pluginkit logs --json", "for programs: one JSON object a line"),
    ],
)
@click.option(
    "--level",
    type=click.Choice(["trace", "debug", "info", "warn", "error"]),
    help="Only this level and what is more severe.",
)
@click.option("--job", metavar="ID", help="Only what this job logged.")
@reading_options
@pass_session
def logs_command(  # one for each option
    session: Session,
    level: str | None,
    job: str | None,
    plugin: str | None,
    since: str | None,
    count: int | None,
    follow: bool,
    as_json: bool,
) -> int:
    """Show the log of the configuration's host, over all of its files, compressed ones too.

    It reads the files, so no host need run.
    """
    from pluginkit.logs.reading import LogFilter

    wanted = LogFilter(plugin=plugin, level=level, job=job, since=moment(since))
    path = session.config.log_file
    return show_records(path, wanted, _line, count=count, follow=follow, as_json=as_json)


def _line(record: dict[str, Any]) -> str:
    from pluginkit.logs.console import line_of
    from pluginkit.logs.entry import Entry

    return line_of(Entry.from_record(record), colour=False, location=True).rstrip("\n")
