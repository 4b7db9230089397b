"""`pluginkit jobs`."""

from __future__ import annotations

import time
from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import one_line

INTERVAL = 0.5
"""Seconds between the two looks that give the present rate."""


@click.command(
    "jobs",
    cls=Command,
    examples=[
        ("pluginkit jobs", "what runs, waits, is stuck and has failed, and how fast it goes"),
        ("pluginkit jobs --json", "the same for programs"),
    ],
)
@json_option
@pass_session
def jobs_command(session: Session, as_json: bool) -> int:
    """Show the jobs of the running host: those that run, wait, are stuck, and the last that failed.

    The rate is that of the half second in which the command looks. The exit code is 1 if a job is
    stuck: its time is over, and its thread does not let go of it.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        found: dict[str, Any] | None = running.ask("jobs")["jobs"]
        rate = None
        if found is not None:
            ended = _ended(found)
            time.sleep(INTERVAL)
            later: dict[str, Any] = running.ask("jobs")["jobs"]
            found, rate = later, (_ended(later) - ended) / INTERVAL
    if as_json:
        show_json({"jobs": found, "per_second": rate})
    elif found is None:
        show("No job has been submitted to this host yet.")
    else:
        _show(found, rate or 0.0)
    return Exit.PROBLEM if found is not None and found["stuck"] else Exit.FINE


def _ended(overview: dict[str, Any]) -> int:
    numbers = overview["metrics"]
    return int(numbers["succeeded"] + numbers["failed"])


def _show(found: dict[str, Any], rate: float) -> None:
    from pluginkit.cli.table import Table

    numbers = found["metrics"]
    show(
        f"{numbers['workers']} of {found['max_workers']} workers, {numbers['workers'] - numbers['idle']} busy; "
        f"{numbers['running']} jobs run, {numbers['queued']} wait, {len(found['stuck'])} are stuck; "
        f"{rate:g} per second"
    )
    show(
        f"{numbers['submissions']} submitted, {numbers['succeeded']} succeeded, {numbers['failed']} failed "
        f"(of these {numbers['cancelled']} cancelled, {numbers['timed_out']} timed out), "
        f"{numbers['retried']} tries again"
    )
    rows = [*found["running"], *({**one, "state": "stuck"} for one in found["stuck"]), *found["queued"]]
    if rows:
        table = Table(("JOB", "STATE", "PLUGIN", "SECONDS", "TRIES"), notes="PROGRESS")
        for row in rows:
            where = row["where"].splitlines()[-1] if row["where"] else row["progress"]
            cells = (row["name"], row["state"], row["owner"], f"{row['seconds']:.1f}", str(row["attempts"]))
            table.add(*cells, note=where)
        table.show()
    for one in found["failed"]:
        whose = "" if one["owner"] is None else f" of plugin {one['owner']!r}"
        show(one_line(f"failed: {one['name']}{whose}: {one['error']}"))
