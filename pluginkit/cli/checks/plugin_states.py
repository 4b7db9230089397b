"""Plugins that are not fit, and code that does not compile: found without running any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pluginkit.cli.checks.finding import Finding
from pluginkit.cli.checks.sources import source_problems
from pluginkit.cli.checks.vouching import refusal_of
from pluginkit.cli.failures import advice
from pluginkit.cli.remembered import past_failure, past_failures
from pluginkit.discovery import Found
from pluginkit.lifecycle import PluginState

if TYPE_CHECKING:
    from pluginkit.host import Host
    from pluginkit.lifecycle import Plugin

_UNFIT = frozenset(
    {
        PluginState.FAILED,
        PluginState.INCOMPATIBLE,
        PluginState.CONFLICT,
        PluginState.HELD,
        PluginState.QUARANTINED,
    }
)


def state_findings(host: Host) -> Iterator[Finding]:
    """Every plugin that will not load, or did not in the last run."""
    failures = past_failures(host)
    for plugin in host.plugins.everything():
        past = past_failure(plugin, failures)
        reason = plugin.reason if past is None else past.reason
        if plugin.state not in _UNFIT and past is None:
            continue
        when = "failed in the last run" if past is not None else str(plugin.state)
        yield Finding(
            check="plugins",
            plugins=(plugin.name,),
            text=f"{when}: {reason}",
            advice=advice(plugin.name, reason, plugin),
            file=_file_of(plugin),
        )


def trust_findings(host: Host) -> Iterator[Finding]:
    """Every plugin that nothing else speaks against, and whose files the host does not trust all the same."""
    failures, judge = past_failures(host), host.setup.judge()
    for plugin in host.plugins.values():
        if plugin.state is not PluginState.DISCOVERED or not isinstance(plugin.source, Found):
            continue
        reason = None if past_failure(plugin, failures) else refusal_of(judge, plugin.source)
        if reason is not None:
            yield Finding(
                check="trust",
                plugins=(plugin.name,),
                text=str(reason),
                advice=advice(plugin.name, reason, plugin),
                file=_file_of(plugin),
            )


def code_findings(plugins: Iterable[Found]) -> Iterator[Finding]:
    """Every file of these plugins that is not valid Python, and what their authors should know."""
    for found in plugins:
        for problem in source_problems(found.root):
            yield Finding(
                check="code",
                plugins=(found.name,),
                text=str(problem),
                advice=f"mend it, or switch it off: pluginkit disable {found.name}",
                file=problem.file,
                line=problem.line,
            )
        for text in found.notices:
            yield Finding(check="code", plugins=(found.name,), text=text, severity="notice")


def _file_of(plugin: Plugin) -> str | None:
    return None if plugin.origin.path is None else str(plugin.origin.path)
