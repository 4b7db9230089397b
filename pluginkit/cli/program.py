"""`pluginkit`: the program, its global options and the list of its commands."""

from __future__ import annotations

import platform

import click

from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.group import CommandGroup
from pluginkit.cli.options import global_options
from pluginkit.cli.output import show

_COMMANDS = "pluginkit.cli.commands"

MODULES = {
    "run": f"{_COMMANDS}.run",
    "list": f"{_COMMANDS}.list",
    "info": f"{_COMMANDS}.info",
    "hooks": f"{_COMMANDS}.hooks",
    "call": f"{_COMMANDS}.call",
    "load": f"{_COMMANDS}.load",
    "unload": f"{_COMMANDS}.load",
    "reload": f"{_COMMANDS}.reload",
    "rescan": f"{_COMMANDS}.rescan",
    "events": f"{_COMMANDS}.events",
    "jobs": f"{_COMMANDS}.jobs",
    "queue": f"{_COMMANDS}.queue",
    "logs": f"{_COMMANDS}.logs",
    "log-level": f"{_COMMANDS}.log_level",
    "audit": f"{_COMMANDS}.audit",
    "new": f"{_COMMANDS}.new",
    "validate": f"{_COMMANDS}.validate",
    "doctor": f"{_COMMANDS}.doctor",
    "verify": f"{_COMMANDS}.verify",
    "sign": f"{_COMMANDS}.sign",
    "lock": f"{_COMMANDS}.lock",
    "approve": f"{_COMMANDS}.lock",
    "trust": f"{_COMMANDS}.trust",
    "enable": f"{_COMMANDS}.switch",
    "disable": f"{_COMMANDS}.switch",
    "config": f"{_COMMANDS}.config",
    "completion": f"{_COMMANDS}.completion",
}
"""Where each command is, in the order of `--help`."""


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from pluginkit import __version__

        show(f"pluginkit {__version__} (Python {platform.python_version()})")
        context.exit()


@click.group(
    cls=CommandGroup,
    name="pluginkit",
    modules=MODULES,
    invoke_without_command=True,
    params=global_options(hidden=False),
    examples=[
        ("pluginkit list", "all plugins, each with its state and the reason for it"),
        ("pluginkit call speak is_loud=true", "call a hook; one answer for each plugin"),
        ("pluginkit new shout --type transformer", "begin a plugin of your own"),
        ("pluginkit doctor", "find out what is wrong"),
    ],
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of pluginkit and Python, and exit.",
)
@click.pass_context
def program(context: click.Context) -> int:
    """Find, check, load and call the plugins of a host program.

    The host is described by a config.yaml: its contracts, where its plugins are, which of them
    are on. Commands that only look (list, info, validate, doctor, enable, disable, config, and
    hooks without --load) never run a line of any plugin, so they work however broken one is.

    While `pluginkit run` serves that configuration, list, info, hooks, call, queue, enable and
    disable ask the running host and say so; load, unload, reload, rescan,
    events, jobs and log-level always do.

    Data goes to stdout, diagnostics to stderr. The options below may stand before or after a
    command.
    """
    if context.invoked_subcommand is None:
        show(context.get_help())
    return Exit.FINE
