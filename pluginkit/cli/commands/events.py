"""`pluginkit events`."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import SCHEMA_VERSION, notice, remark, show, show_raw
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import one_line


@click.command(
    "events",
    cls=Command,
    examples=[
        ("pluginkit events", "what happens to plugins, as it happens"),
        ("pluginkit events --plugin cat --kind reloaded --kind failed --json", "one line of JSON for each"),
    ],
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only events of this kind; may be repeated."
)
@click.option("--plugin", metavar="NAME", help="Only events of this plugin.", shell_complete=plugin_names)
@json_option
@pass_session
def events_command(session: Session, kinds: tuple[str, ...], plugin: str | None, as_json: bool) -> int:
    """Follow the events of the running host until it ends, or Ctrl-C.

    `--json` prints an object on each line. If this command is slower than the host, it says how
    many events it has missed.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        if plugin is not None:
            plugin = running.ask("info", name=plugin)["plugin"]["name"]
        try:
            news = running.follow(kinds=kinds, plugin=plugin)
            remark("Following; Ctrl-C ends.")
            for one in news:
                _show(one, as_json)
        except KeyboardInterrupt:
            return Exit.FINE
    remark("The host has ended.")
    return Exit.FINE


def _show(news: dict[str, Any], as_json: bool) -> None:
    event = news.get("event")
    if event is None:
        notice(f"{news['lost']} events were missed")
    elif as_json:
        show_raw(json.dumps({"schema_version": SCHEMA_VERSION, **event}))
    else:
        moment = time.strftime("%H:%M:%S", time.localtime(event["time"]))
        data = "".join(f"  {key}={value}" for key, value in event["data"].items() if value is not None)
        show(one_line(f"{moment}  {event['kind']:<12}  {event['plugin'] or '-'}{data}"))
