"""`pluginkit audit`."""

from __future__ import annotations

from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.log_reading import moment, reading_options, show_records
from pluginkit.cli.session import Session, pass_session


@click.command(
    "audit",
    cls=Command,
    examples=[
        ("pluginkit audit", "what happened to plugins: loads, reloads, failures, grants, denials"),
        ("pluginkit audit --kind reloaded --plugin cat", "each reload of the plugin cat"),
        ("pluginkit audit --since 1d --json", "for programs: one JSON object a line"),
    ],
)
@click.option("--kind", metavar="KIND", help="Only records of this kind, such as loaded or crashed.")
@reading_options
@pass_session
def audit_command(  # one for each option
    session: Session,
    kind: str | None,
    plugin: str | None,
    since: str | None,
    count: int | None,
    follow: bool,
    as_json: bool,
) -> int:
    """Show the audit trail of the configuration's host, over all of its files.

    It reads the files, so no host need run.
    """
    from pluginkit.logs.reading import LogFilter
    from pluginkit.logs.setup import AUDIT_FILENAME

    wanted = LogFilter(plugin=plugin, kind=kind, since=moment(since))
    path = session.config.logs_dir / AUDIT_FILENAME
    return show_records(path, wanted, _line, count=count, follow=follow, as_json=as_json)


_OWN = ("ts", "seq", "kind", "plugin", "process")


def _line(record: dict[str, Any]) -> str:
    rest = " ".join(f"{name}={value}" for name, value in record.items() if name not in _OWN)
    plugin = record.get("plugin") or "-"
    when, number = str(record.get("ts", ""))[:23], record.get("seq", "")
    return f"{when} {number:>5} {record.get('kind', '')!s:<16} {plugin:<16} {rest}".rstrip()
