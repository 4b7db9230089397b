"""`pluginkit reload`."""

from __future__ import annotations

from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import complain, notice, remark, show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import hanging


@click.command(
    "reload",
    cls=Command,
    examples=[
        ("pluginkit reload cat", "its present files serve from now on"),
        ("pluginkit reload cat --check", "would they? Nothing is changed"),
        ("pluginkit reload cat --force --json", "unchanged files too; the report for programs"),
    ],
)
@click.argument("name", shell_complete=plugin_names)
@click.option("--force", is_flag=True, help="Reload it also if its files are what is loaded.")
@click.option("--check", is_flag=True, help="Do everything but the swap.")
@json_option
@pass_session
def reload_command(session: Session, name: str, force: bool, check: bool, as_json: bool) -> int:
    """Have the present files of a plugin serve in the running host.

    The new version is imported, checked and started beside the old one and swapped in, with the
    plugins that need it, if all of that works. Prints the old and the new generation and the time
    it took. If a step fails, the old version serves on: the step, the file and the line are told,
    and the exit code is 1.
    """
    from pluginkit.cli.running import required_host

    with required_host(session) as running:
        report = running.ask("reload", name=name, force=force, check=check)["report"]
    if as_json:
        show_json({key: value for key, value in report.items() if key != "text"})
    elif report["ok"]:
        show(hanging(report["text"]))
    if not report["ok"]:
        _tell(report, debug=session.debug)
    _tell_rest(report)
    return Exit.FINE if report["ok"] else Exit.PROBLEM


def _tell(report: dict[str, Any], *, debug: bool) -> None:
    """Why the old version serves on, on stderr."""
    from pluginkit.cli.paths import shown_path

    failure = report["failure"]
    complain(f"{report['plugin']}: reload failed at {failure['step']}: {failure['reason']['text']}")
    if failure["file"]:
        line = f":{failure['line']}" if failure["line"] else ""
        remark(f"  at: {shown_path(failure['file'])}{line}")
    if report["old_generation"] is not None:
        remark(f"  generation {report['old_generation']} serves on")
    if debug and failure["traceback"]:
        remark(hanging(failure["traceback"].rstrip()))


def _tell_rest(report: dict[str, Any]) -> None:
    """What is left of the old version, on stderr."""
    for one in report["running"]:
        notice(f"the old version has left: {one['kind']} {one['name']!r} in {one['where']}")
    for module in report["alive"]:
        notice(f"the old version's module {module} is still referred to")
    for holder in report["holders"]:
        notice(f"the old version is held by {holder}")
    for problem in report["problems"]:
        notice(f"while the old version was ended, {problem['step']} failed: {problem['error']}")
