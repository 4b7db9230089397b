"""`pluginkit audit`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.records import reading_options, show_log
from pluginkit.cli.session import Session, pass_session


@click.command(
    "audit",
    cls=Command,
    examples=[
        ("pluginkit audit --since 1d", "what was loaded, reloaded and changed since yesterday"),
        ("pluginkit audit --kind capability_denied", "what plugins were refused, and why"),
        ("pluginkit audit --kind failed -f", "what fails, as it happens"),
    ],
)
@reading_options
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only records of this kind; may be repeated."
)
@pass_session
def audit_command(
    session: Session,
    follow: bool,
    count: int | None,
    since: float | None,
    plugins: tuple[str, ...],
    as_json: bool,
    kinds: tuple[str, ...],
) -> int:
    """Show what was done to plugins and what they were allowed or refused, oldest first.

    Reads `audit.log` in `directories.logs_dir`; no host needs to run. `--json` prints one object on
    each line.
    """
    from pluginkit.errors import UnknownName
    from pluginkit.logs.audit import AUDITED, OF_RUN
    from pluginkit.logs.reading import Wanted

    for kind in kinds:
        if kind not in AUDITED | OF_RUN:
            raise UnknownName("kind of audit record", kind, AUDITED | OF_RUN)
    wanted = Wanted(since=since, plugins=set(plugins), kinds=set(kinds))
    path = session.config.audit_file
    return show_log(path, wanted, follow=follow, count=count, as_json=as_json, what="audit log")
