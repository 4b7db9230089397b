"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pluginkit.cli.session import session_of

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = ("trace", "debug", "info", "warn", "error")
"""Those of `pluginkit.logs.levels`, for help texts, which import nothing of the kind."""


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Put a global option where all commands find it; the one nearest to the end wins."""
    if value not in (None, False):
        setattr(session_of(context), str(parameter.name), value)
    return value


def global_options(*, hidden: bool) -> list[click.Option]:
    """The global options; each command takes them too, unlisted, so that their place does not matter."""
    file = click.Path(path_type=Path)
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        click.Option(
            ["--config", "config_file"],
            type=file,
            metavar="PATH",
            help="The host's configuration. Without it ./config.yaml if there is one, else the defaults.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
        click.Option(
            ["--plugins-dir"],
            type=folder,
            metavar="PATH",
            help="The directory of plugins; wins over the configuration.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
        click.Option(
            ["--host", "host_name"],
            metavar="NAME",
            help="Which running host is meant, if several have this configuration; `run` takes it as its name.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
        click.Option(
            ["--no-host"],
            is_flag=True,
            help="Do not ask a host that runs; look at the files instead.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
        click.Option(
            ["--strict"],
            is_flag=True,
            help="Unknown configuration keys are errors, and `run` exits 3 if a plugin failed.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Show tracebacks, and all that pluginkit logs.",
            expose_value=False,
            callback=_keep,
            hidden=hidden,
        ),
    ]


def json_option(function: F) -> F:
    """`--json`, for every command that has something for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)
