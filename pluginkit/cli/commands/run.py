"""`pluginkit run`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import is_terminal, remark, show
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.host import Host

Call = tuple["HookSpecInfo", dict[str, Any]]


@click.command(
    "run",
    cls=Command,
    examples=[
        ("pluginkit run --once", "load, call, exit"),
        ("pluginkit --config zoo/config.yaml run --once", "the host of another directory"),
    ],
)
@click.option(
    "--once/--serve",
    "once",
    default=None,
    help="Exit after the calls, or go on until Ctrl-C. Without either a terminal decides: on one, it serves.",
)
@click.option(
    "--watch/--no-watch",
    default=None,
    help="Whether plugins are reloaded when their files change. Without either file_watcher of the configuration decides.",
)
@pass_session
def run_command(session: Session, once: bool | None, watch: bool | None) -> int:
    """Start the host of config.yaml: load its plugins, make the calls it lists, and serve.

    Shows the plugins in a table, then the answers of each call under `calls` of the
    configuration. On a terminal the host then serves until Ctrl-C; SIGTERM stops it as cleanly,
    and a second Ctrl-C at once. SIGHUP has it look for plugins again: new ones are loaded, changed ones
    reloaded, and those that are gone unloaded. A plugin that is broken stops nothing:
    it is told on stderr, with its file and what to do, and `pluginkit list` remembers it.

    While it serves, plugins are watched: save a file, install or upgrade a plugin with pip, and the new
    code serves (`file_watcher` of the configuration switches that off). `pluginkit list`, `reload`
    and the like act on it.

    What plugins log and print goes to the log file of the configuration as well, with the plugin's name,
    and what happens to plugins to the audit trail beside it: see `pluginkit logs` and `pluginkit audit`.
    """
    from pluginkit.cli.loading import loaded_host
    from pluginkit.cli.recording import recorded
    from pluginkit.cli.remembered import failures_are_kept
    from pluginkit.cli.serving import interrupted_by_sigterm, rescan, stop_signals
    from pluginkit.cli.watching import watched
    from pluginkit.logs.levels import NUMBERS

    is_once = not is_terminal(sys.stdout) if once is None else once
    session.serves = not is_once
    session.watch = watch
    host = session.host
    session.log_from = NUMBERS[session.config.log_level]
    calls = _calls(host, session)
    with interrupted_by_sigterm(), recorded(session, host) as what_is_on:
        if not is_once:
            what_is_on.append(f"Pool: up to {host.pool.max_workers} jobs at a time.")
        with loaded_host(session):
            _show_plugins(host)
            failed_calls = sum(_make(session, spec, arguments) for spec, arguments in calls)
            if not is_once:
                with stop_signals(lambda: rescan(host, session)) as wait_for_stop, failures_are_kept(host):
                    for line in (*what_is_on, watched(host.watching())):
                        remark(line)
                    remark(f"Serving {_live(host)} plugins; Ctrl-C stops.")
                    wait_for_stop()
                    remark("Stopping.")
            failed = failed_calls or any(plugin.failure is not None for plugin in host.plugins.values())
    return Exit.PLUGIN if session.strict and failed else Exit.FINE


def _calls(host: Host, session: Session) -> list[Call]:
    """The calls of the configuration, ready to be made; what is wrong with any is told before the first."""
    from pluginkit.config.frozen import thaw
    from pluginkit.contracts import arguments_from_values
    from pluginkit.control.calling import callable_hook_of
    from pluginkit.errors import ConfigError, Problem, UsageError

    calls: list[Call] = []
    problems: list[Problem] = []
    for number, listed in enumerate(session.config.calls):
        try:
            spec = callable_hook_of(host, listed.hook)
            calls.append((spec, arguments_from_values(spec, thaw(listed.arguments))))
        except UsageError as error:
            problems.append(Problem(str(error), path=f"calls[{number}]", file=session.config.path))
    if problems:
        raise ConfigError("the calls of the configuration cannot be made", problems)
    return calls


def _show_plugins(host: Host) -> None:
    from pluginkit.cli.rows import rows_of, table_of

    rows = rows_of(host)
    if rows:
        table_of(rows).show()
    else:
        remark("No plugins were found. `pluginkit new NAME --type TYPE` begins one.")


def _make(session: Session, spec: HookSpecInfo, arguments: dict[str, Any]) -> int:
    """Make one call, print what came of it, and return how many plugins failed."""
    from pluginkit.cli.answers import show_answers
    from pluginkit.cli.calls import call, shown_call
    from pluginkit.cli.failures import show_call_failure

    show()
    show(shown_call(spec, arguments))
    answers = call(session.host, spec, arguments)
    show_answers(answers, indent="  ")
    for answer in answers:
        show_call_failure(answer, debug=session.debug)
    if not answers:
        remark(f"  no plugin implements {spec.name!r}")
    return sum(not answer.ok for answer in answers)


def _live(host: Host) -> int:
    return sum(plugin.state.is_live for plugin in host.plugins.values())
