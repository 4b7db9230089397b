"""`pluginkit hooks`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import hook_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import Painted, remark, show, show_json, show_raw
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import one_line


@click.command(
    "hooks",
    cls=Command,
    examples=[
        ("pluginkit hooks", "all hooks with their signatures"),
        ("pluginkit hooks speak --load", "one hook, and who implements it, in the order of calls"),
        ("pluginkit hooks speak --source", "the function that a call of it runs"),
    ],
)
@click.argument("name", required=False, shell_complete=hook_names)
@click.option("--load", is_flag=True, help="Load the plugins, and show who implements what.")
@click.option(
    "--source", is_flag=True, help="Load the plugins, and show the generated body of the hook NAME."
)
@json_option
@pass_session
def hooks_command(session: Session, name: str | None, load: bool, source: bool, as_json: bool) -> int:
    """Show what the host calls: its hooks, or the hook NAME.

    Hooks are read from the host's contracts, so no plugin is run, unless --load or --source asks
    for those that implement them. A host that runs is asked; it has loaded its plugins already.
    """
    if source and name is None:
        raise click.UsageError("--source shows one hook: name it, as in `pluginkit hooks speak --source`")
    rows = _rows(session, name, load=load or source)
    if as_json:
        show_json({"hooks": rows})
    elif source:
        show_raw(rows[0]["source"].rstrip())
    elif name is None:
        _show_table(rows, load=rows[0]["implementations"] is not None)
    else:
        _show_one(rows[0])
    return Exit.FINE


def _rows(session: Session, name: str | None, *, load: bool) -> list[dict[str, Any]]:
    """A row for each hook, from the running host or from one of our own."""
    from pluginkit.cli.loading import loaded_host
    from pluginkit.cli.paths import shown_path
    from pluginkit.cli.running import running_host
    from pluginkit.control.calling import hook_of
    from pluginkit.control.describing import all_specs, describe_hook

    with running_host(session) as running:
        if running is not None:
            rows: list[dict[str, Any]] = running.ask("hooks", name=name)["hooks"]
        else:
            host = session.host
            specs = all_specs(host) if name is None else [hook_of(host, name)]
            with loaded_host(session) if load else nullcontext():
                rows = [describe_hook(host, spec, loaded=load) for spec in specs]
    for row in rows:
        for one in row["implementations"] or ():
            one["file"] = None if one["file"] is None else shown_path(one["file"])
    return rows


def _show_table(rows: list[dict[str, Any]], *, load: bool) -> None:
    from pluginkit.cli.table import Table

    table = Table(("HOOK", "TYPE", "KIND", *(["PLUGINS"] if load else [])), notes="MEANING")
    for row in rows:
        plugins = ", ".join(one["plugin"] for one in row["implementations"] or ())
        table.add(
            row["signature"],
            ", ".join(row["contracts"]),
            _kind(row),
            *([plugins or None] if load else []),
            note=row["doc"].partition("\n")[0],
        )
    table.show()


def _kind(row: dict[str, Any]) -> str:
    words = ["required" if row["required"] else "optional"]
    words += [word for word in ("firstresult", "historic", "async") if row[word]]
    return ", ".join(words)


def _show_one(row: dict[str, Any]) -> None:
    show(Painted(row["signature"], bold=True))
    show(f"  {_kind(row)} for plugins of the type {' or '.join(row['contracts'])}")
    for line in row["doc"].splitlines():
        show(f"  {line}".rstrip())
    if row["implementations"] is None:
        remark("  (`--load` shows who implements it)")
        return
    show("Implementations, in the order of calls:" if row["implementations"] else "No plugin implements it.")
    for number, one in enumerate(row["implementations"], 1):
        kind = f", {', '.join(one['kind'])}" if one["kind"] else ""
        place = f"  {one['file']}:{one['line']}" if one["file"] else ""
        show(
            f"  {number}. {one_line(one['plugin'])} {one['version'] or ''} (priority {one['priority']}{kind}){place}"
        )
