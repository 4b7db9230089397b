"""`pluginkit list`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import notice, remark, show_json
from pluginkit.cli.session import Session, pass_session


@click.command(
    "list",
    cls=Command,
    examples=[
        ("pluginkit list", "a table, with the reason of every plugin that is not fit"),
        ("pluginkit list --json", "the same for programs"),
    ],
)
@json_option
@pass_session
def list_command(session: Session, as_json: bool) -> int:
    """Show all plugins, each with its state and the reason for it.

    No plugin is left out: broken and disabled ones, and those that lost their name to another,
    are listed too. Nothing of any plugin is run, so a plugin that is `discovered` may still fail
    when it is loaded; if it failed in the last `pluginkit run`, and its files are the same, it
    is listed as `failed` with that reason. A host that runs is asked instead.
    """
    from pluginkit.cli.rows import rows_of, table_of
    from pluginkit.cli.running import running_host

    with running_host(session) as running:
        if running is not None:
            rows = running.ask("list")["plugins"]
        else:
            session.host.refresh()
            rows = rows_of(session.host)
    if as_json:
        show_json({"plugins": rows})
    elif rows:
        table_of(rows).show()
    if not rows:
        _say_why_empty(session)
    return Exit.FINE


def _say_why_empty(session: Session) -> None:
    catalogue = session.host.discover()
    for text in (*map(str, catalogue.problems), *catalogue.notices):
        notice(text)
    remark("No plugins were found. `pluginkit new NAME --type TYPE` begins one.")
