"""`pluginkit doctor`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import Painted, show, show_json
from pluginkit.cli.session import Session, pass_session
from pluginkit.cli.table import COLOURS
from pluginkit.errors import UsageError

if TYPE_CHECKING:
    from pluginkit.cli.checks.finding import Finding, Severity
    from pluginkit.host import Host
    from pluginkit.security import Layer


@click.command(
    "doctor",
    cls=Command,
    examples=[
        ("pluginkit doctor", "everything that is wrong, and what to do"),
        ("pluginkit doctor --json", "the same for programs"),
    ],
)
@json_option
@pass_session
def doctor_command(session: Session, as_json: bool) -> int:
    """Look for everything that is wrong, and say what to do about it; exit 1 if there is anything.

    \b
    configuration  unknown keys, values that had to be mended, config files of no plugin
    places         the plugins directory, and whether the state directory can be written to
    plugins        broken, incompatible and conflicting ones, and those that failed last time
    trust          plugins whose files do not fit their checksums, signature or lock
    code           files that are not valid Python
    requirements   distributions that plugins require: missing, of a wrong version, and pairs
                   of plugins whose requirements exclude each other
    names          plugins that are named like an installed module
    watching       of the host that runs: whether it sees changes, and what only a restart brings

    At the end it says which layers of protection this machine has, and which of them are used.

    Nothing of any plugin is run. Plugins that are switched off are not looked at. The host that runs
    is asked how its watcher does.
    """  # noqa: D301  # the \b is click's mark for a paragraph that keeps its lines
    session.is_quiet = True
    findings = list(_examine(session))
    is_fine = all(finding.severity != "problem" for finding in findings)
    if as_json:
        layers = [dataclasses.asdict(layer) for layer in _layers(session)]
        show_json({"ok": is_fine, "findings": [finding.as_dict() for finding in findings], "layers": layers})
    else:
        for layer in _layers(session):
            show(
                Painted("layer: ", bold=True),
                f"{layer.name}: {'yes' if layer.present else 'no'}, {layer.text}",
            )
        _print(findings)
    return Exit.FINE if is_fine else Exit.PROBLEM


def _examine(session: Session) -> Iterator[Finding]:
    """All findings; what keeps the host from being made is one, and then the last."""
    from pluginkit.cli.checks.finding import Finding

    try:
        host = session.host
        host.refresh()
    except UsageError as error:
        yield Finding(check="configuration", text=str(error), advice="mend the configuration first")
        return
    except OSError as error:
        text = f"{error.filename}: {error.strerror or error}"
        yield Finding(check="places", text=text, advice="mend that first", file=error.filename)
        return
    config = session.config
    # To have no file is a choice, and the first notice says so; all else that is odd is a problem.
    chosen = 1 if config.path is None else 0
    for number, text in enumerate(config.notices):
        severity: Severity = "notice" if number < chosen else "problem"
        yield Finding(check="configuration", text=text, severity=severity)
    yield from _examine_host(host)
    yield from _examine_running(session)


def _examine_host(host: Host) -> Iterator[Finding]:
    from pluginkit.cli.checks.places import name_findings, place_findings, policy_findings
    from pluginkit.cli.checks.plugin_states import code_findings, state_findings, trust_findings
    from pluginkit.cli.checks.requirements import requirement_findings
    from pluginkit.discovery import Found
    from pluginkit.lifecycle import PluginState

    wanted = [
        plugin.source
        for plugin in host.plugins.values()
        if isinstance(plugin.source, Found) and plugin.state is not PluginState.DISABLED
    ]
    yield from place_findings(host, host.discover())
    yield from state_findings(host)
    yield from trust_findings(host)
    yield from policy_findings(host)
    yield from code_findings(wanted)
    yield from requirement_findings(wanted)
    yield from name_findings(wanted)


def _examine_running(session: Session) -> Iterator[Finding]:
    from pluginkit.cli.checks.watching import watching_findings
    from pluginkit.cli.running import running_host

    with running_host(session) as running:
        if running is not None:
            yield from watching_findings(running.ask("watching")["watching"])


def _layers(session: Session) -> tuple[Layer, ...]:
    from pluginkit.security import probe

    try:
        guard = session.config.capabilities.guard
    except UsageError:
        guard = "off"  # that the configuration cannot be used is a finding of its own
    return probe(guard)


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        whom = f"{' and '.join(finding.plugins)}: " if finding.plugins else ""
        first, *others = finding.text.splitlines()
        label = Painted(f"{finding.severity}:", COLOURS[finding.severity], bold=True)
        show(label, f" {finding.check}: ", Painted(whom, bold=True), first)
        for line in others:
            show(f"  {line}")
        if finding.advice:
            show("  ", Painted("to do:", bold=True), f" {finding.advice}")
    problems = sum(finding.severity == "problem" for finding in findings)
    notices = len(findings) - problems
    show(f"{_count(problems, 'problem')}, {_count(notices, 'notice')}")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
