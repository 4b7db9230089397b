"""`pluginkit log-level`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import LEVELS, json_option
from pluginkit.cli.output import complain, show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import one_line


@click.command(
    "log-level",
    cls=Command,
    examples=[
        ("pluginkit log-level", "the levels of the running host"),
        ("pluginkit log-level cat debug", "log all that the plugin cat has to say, from now on"),
        ("pluginkit log-level cat default", "and no more of it than of the others"),
    ],
)
@click.argument("name", required=False)
@click.argument("level", required=False, type=click.Choice([*LEVELS, "default"]))
@json_option
@pass_session
def log_level_command(session: Session, name: str | None, level: str | None, as_json: bool) -> int:
    """Show or set from which level on the running host logs what a plugin or logger says.

    NAME is a plugin, a logger, or a module with all below it; `all` is everything that has no level of
    its own. It holds until the host ends; `logging.log_level` of the configuration is for good.
    """
    from pluginkit.cli.running import required_host

    if name is not None and level is None:
        raise click.UsageError("the level is missing: pluginkit log-level NAME LEVEL")
    with required_host(session) as running:
        asked = running.ask("log_level", name="" if name in {None, "all"} else name, level=level)
    levels = asked["levels"]
    if as_json:
        show_json({"levels": levels})
    elif levels is None:
        complain("this host has no log of its own: a program gives it one by host.attach_logs(chain)")
    else:
        for one, its in levels.items():
            show(f"{one_line(one) or 'all':<20} {its}")
    return Exit.PROBLEM if levels is None else Exit.FINE
