"""`pluginkit load` and `pluginkit unload`."""

from __future__ import annotations

from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import complain, notice, show
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import hanging


@click.command(
    "load",
    cls=Command,
    examples=[
        ("pluginkit load", "all that is new since the host has started"),
        ("pluginkit load cat", "one plugin, and those that it requires"),
    ],
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=plugin_names)
@pass_session
def load_command(session: Session, names: tuple[str, ...]) -> int:
    """Load plugins into the running host: those named, or all that are new.

    The exit code is 3 if one fails; the host goes on without it.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        if not names:
            return _show_report(running.ask("load")["report"])
        for name in names:
            _show_plugin(running.ask("load", name=name)["plugin"])
    return Exit.FINE


@click.command(
    "unload",
    cls=Command,
    examples=[("pluginkit unload cat", "it is out of the hooks, until it is loaded again")],
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=plugin_names)
@click.option("--cascade", is_flag=True, help="Unload the plugins that need it, too.")
@pass_session
def unload_command(session: Session, names: tuple[str, ...], cascade: bool) -> int:
    """Unload plugins of the running host, and say what is left of them.

    Calls in flight are waited for. What still runs a plugin's code, or refers to its modules, is
    named. The choice is not kept: the next start loads it again; `disable` is for longer.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        for name in names:
            report = running.ask("unload", name=name, cascade=cascade)["report"]
            show(hanging(report["text"]))
    return Exit.FINE


def _show_plugin(plugin: dict[str, Any]) -> None:
    show(f"{plugin['name']}: {plugin['state']}, generation {plugin['generation']}")


def _show_report(report: dict[str, Any]) -> int:
    show(report["text"].partition("\n")[0])
    for name in report["loaded"]:
        show(f"  {name}")
    for text in report["warnings"]:
        notice(text)
    for failure in report["failed"]:
        complain(f"plugin {failure['plugin']!r}: {failure['reason']['text']}")
    return Exit.FINE if report["ok"] else Exit.PLUGIN
