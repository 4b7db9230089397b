"""One row for each plugin, in `list`, `run` and `doctor` alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pluginkit.cli.paths import shown_path
from pluginkit.cli.remembered import past_failure, past_failures
from pluginkit.cli.table import Table
from pluginkit.lifecycle import PluginState, describe

if TYPE_CHECKING:
    from pluginkit.host import Host
    from pluginkit.lifecycle import Plugin
    from pluginkit.lifecycle.store import PastFailure

Row = dict[str, Any]


def rows_of(host: Host) -> list[Row]:
    """A row for every plugin of the host, conflicts too, with what the last run learnt of it."""
    failures = past_failures(host)
    return [row_of(plugin, failures) for plugin in host.plugins.everything()]


def row_of(plugin: Plugin, failures: dict[str, PastFailure]) -> Row:
    """What `list --json` says of one plugin: always the same keys."""
    row: Row = {**describe(plugin), "last_run": None}
    past = past_failure(plugin, failures)
    if past is not None:
        text = f"in the last run ({_moment(past.time)}): {past.reason.text}"
        row["state"] = str(PluginState.FAILED)
        row["reason"] = {"code": past.reason.code, "text": text}
        row["last_run"] = {"time": past.time, "code": past.reason.code, "text": past.reason.text}
    return row


def table_of(rows: list[Row]) -> Table:
    """The rows for people."""
    table = Table(("NAME", "VERSION", "TYPE", "STATE", "RUNTIME", "ORIGIN"), notes="REASON")
    for row in rows:
        origin = shown_origin(row["origin"])
        reason = row["reason"]["text"] if row["reason"] is not None else ""
        table.add(row["name"], row["version"], row["type"], row["state"], row["runtime"], origin, note=reason)
    return table


def shown_origin(origin: str) -> str:
    """An origin with the path as the user would type it."""
    kind, colon, path = origin.partition(":")
    return f"{kind}:{shown_path(path)}" if colon and kind in ("dir", "file") else origin


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
