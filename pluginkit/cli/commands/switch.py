"""`pluginkit enable` and `pluginkit disable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import notice, show
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.lifecycle import Plugins


@click.command(
    "enable",
    cls=Command,
    examples=[("pluginkit enable cat dog", "both load again, from the next run on")],
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=plugin_names)
@pass_session
def enable_command(session: Session, names: tuple[str, ...]) -> int:
    """Undo `disable`, for later runs too.

    A plugin whose own config file says `enabled: false`, or that config.yaml lists under
    plugins.disabled, stays disabled: the file is named, and has the last word. A host that runs
    loads it at once.
    """
    return _switch(session, names, enabled=True)


@click.command(
    "disable",
    cls=Command,
    examples=[("pluginkit disable cat", "it is not loaded any more, until it is enabled")],
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=plugin_names)
@pass_session
def disable_command(session: Session, names: tuple[str, ...]) -> int:
    """Switch plugins off, for later runs too.

    The choice is kept in the state directory and read before anything is imported, so it helps
    against a plugin that breaks its host. Plugins that require one of these are not loaded
    either; they are named. A host that runs unloads it at once.
    """
    return _switch(session, names, enabled=False)


def _switch(session: Session, names: tuple[str, ...], *, enabled: bool) -> int:
    from pluginkit.cli.running import running_host

    with running_host(session) as running:
        if running is None:
            return _switch_here(session, names, enabled=enabled)
        # All names are looked up before the first is switched.
        wanted = [running.ask("info", name=name)["plugin"]["name"] for name in names]
        for name in wanted:
            plugin = running.ask("enable" if enabled else "disable", name=name)["plugin"]
            show(f"{name}: {plugin['state']}")
    return Exit.FINE


def _switch_here(session: Session, names: tuple[str, ...], *, enabled: bool) -> int:
    host = session.host
    # All names are looked up before the first choice is written.
    wanted = [host.refresh()[name].name for name in names]
    before = _reasons(host.plugins)
    for name in wanted:
        plugin = host.enable(name) if enabled else host.disable(name)
        show(f"{name}: {plugin.state}")
    for name, reason in _reasons(host.plugins).items():
        if name not in wanted and reason and reason != before.get(name):
            notice(f"plugin {name!r} cannot be loaded now: {reason}")
    return Exit.FINE


def _reasons(plugins: Plugins) -> dict[str, str]:
    return {plugin.name: str(plugin.reason or "") for plugin in plugins.values()}
