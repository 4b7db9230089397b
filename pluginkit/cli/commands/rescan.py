"""`pluginkit rescan`."""

from __future__ import annotations

from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import complain, show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import hanging

_GROUPS = ("new", "changed", "reconfigured", "gone")


@click.command(
    "rescan",
    cls=Command,
    examples=[
        ("pluginkit rescan", "what has changed since the running host has loaded it?"),
        ("pluginkit rescan --apply", "load, reload and unload accordingly"),
    ],
)
@click.option("--apply", is_flag=True, help="Do something about it: load, reload, unload, deliver settings.")
@json_option
@pass_session
def rescan_command(session: Session, apply: bool, as_json: bool) -> int:
    """Have the running host look for plugins again, and compare them by content with what it tried last.

    With `--apply` new plugins are loaded, changed ones reloaded, those that are gone unloaded, and
    new settings delivered; the exit code is 1 if any of that fails. What has failed is not tried
    again until it changes. SIGHUP does the same.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        report = running.ask("rescan", apply=apply)["report"]
    if as_json:
        show_json({key: value for key, value in report.items() if key != "text"})
    else:
        _show(report)
    return Exit.FINE if report["ok"] else Exit.PROBLEM


def _show(report: dict[str, Any]) -> None:
    for group in _GROUPS:
        for name in report[group]:
            show(f"{name}: {group}")
    if not any(report[group] for group in _GROUPS):
        show(f"nothing has changed ({len(report['unchanged'])} plugins)")
    for name in report["loaded"]:
        show(f"{name}: loaded")
    for one in (*report["reloads"], *report["unloads"], *report["settings"]):
        text = one["text"] if "text" in one else _told(one)
        (show if one.get("ok", True) else complain)(hanging(text))
    for failure in report["failed"]:
        complain(f"plugin {failure['plugin']!r}: {failure['step']}: {failure['reason']['text']}")


def _told(one: dict[str, Any]) -> str:
    if "is_unchanged" not in one:
        return f"{one['plugin']}: unloaded"
    failure = one["failure"]
    return f"{one['plugin']}: " + (
        "has new settings"
        if failure is None
        else f"the settings stay as they were: {failure['reason']['text']}"
    )
