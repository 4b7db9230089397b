"""`pluginkit config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import config_keys
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import show_json
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.config import Config, Key


@click.command(
    "config",
    cls=Command,
    examples=[
        ("pluginkit config --origin", "every key, its value, and where that came from"),
        ("pluginkit config logging", "the keys of one section"),
        ("pluginkit config --json", "all of it for programs"),
    ],
)
@click.argument("key", required=False, shell_complete=config_keys)
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@json_option
@pass_session
def config_command(session: Session, key: str | None, origin: bool, as_json: bool) -> int:
    """Show the configuration that holds: every key with its value, or those of KEY.

    The environment wins over the file, the command line over both; `--origin` tells which it
    was, with the line of the file. Secrets are hidden.
    """
    config = session.config
    keys = _below(key)
    values = {str(known): _value(config, known) for known in keys}
    if as_json:
        show_json(
            {
                "path": None if config.path is None else str(config.path),
                "notices": list(config.notices),
                "config": values,
                "origins": {name: config.origin(name) for name in values},
            }
        )
    else:
        _print(config, values, origin)
    return Exit.FINE


def _below(prefix: str | None) -> list[Key]:
    """The keys that are `prefix` or lie in that section. Raises `UnknownName` if there are none."""
    from pluginkit.config import KEYS
    from pluginkit.errors import UnknownName

    wanted = () if prefix is None else tuple(prefix.split("."))
    keys = [known for path, known in KEYS.items() if path[: len(wanted)] == wanted]
    if not keys:
        sections = {".".join(path[:depth]) for path in KEYS for depth in range(1, len(path) + 1)}
        raise UnknownName("configuration key", prefix or "", sections)
    return keys


def _value(config: Config, key: Key) -> Any:
    node: Any = config.as_dict()
    for part in key.path:
        node = node[part]
    return node


def _print(config: Config, values: dict[str, Any], origin: bool) -> None:
    from pluginkit.cli.table import Table
    from pluginkit.cli.values import readable

    # Values come last: some are long, and a line of them should not push anything away.
    table = Table(("KEY", "ORIGIN", "VALUE") if origin else ("KEY", "VALUE"))
    for name, value in values.items():
        table.add(name, *([config.origin(name)] if origin else []), readable(value))
    table.show()
