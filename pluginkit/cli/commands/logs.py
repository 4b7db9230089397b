"""`pluginkit logs`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.options import LEVELS
from pluginkit.cli.records import reading_options, show_log
from pluginkit.cli.session import Session, pass_session


@click.command(
    "logs",
    cls=Command,
    examples=[
        ("pluginkit logs --follow --plugin cat", "what one plugin logs, as it does"),
        ("pluginkit logs --level warn --since 1h", "the warnings and errors of the last hour"),
        ("pluginkit logs --json -n 0 -f", "all that is logged from now on, for a program"),
    ],
)
@reading_options
@click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    help="Only from this level on.",
)
@click.option("--job", "jobs", multiple=True, metavar="ID", help="Only of this job; may be repeated.")
@pass_session
def logs_command(
    session: Session,
    follow: bool,
    count: int | None,
    since: float | None,
    plugins: tuple[str, ...],
    as_json: bool,
    level: str | None,
    jobs: tuple[str, ...],
) -> int:
    """Show what the host and its plugins have logged, oldest first.

    Reads the log file of the configuration (`logging.log_filename` in `directories.logs_dir`), with the
    parts that rotation has made of it; no host needs to run. `--json` prints one object on each line.
    """
    from pluginkit.logs.reading import Wanted

    wanted = Wanted(level=level, since=since, plugins=set(plugins), jobs=set(jobs))
    return show_log(session.config.log_file, wanted, follow=follow, count=count, as_json=as_json, what="log")
