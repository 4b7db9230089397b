"""`pluginkit call`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import hook_arguments, hook_names, plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import complain, remark, show_json
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.control.calling import Answer
    from pluginkit.control.client import ControlClient


@click.command(
    "call",
    cls=Command,
    examples=[
        ("pluginkit call speak is_loud=true", "every plugin with the hook speak answers"),
        ("pluginkit call transform text='hello world' --plugin uppercase", "one plugin answers"),
        ("pluginkit call execute label=plugin.get id=1 --plugin notes", "a context with two values"),
        ("pluginkit call speak is_loud=no --json", "answers, errors and seconds for programs"),
    ],
)
@click.argument("hook", shell_complete=hook_names)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=hook_arguments)
@click.option("--plugin", metavar="NAME", help="Load and call only this plugin.", shell_complete=plugin_names)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give up after so many seconds.",
)
@json_option
@pass_session
def call_command(
    session: Session,
    hook: str,
    arguments: tuple[str, ...],
    plugin: str | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Load the plugins, call a hook, and print the answer of each. A host that runs is asked.

    Values are read by the hook's annotations: true/false, yes/no, on/off or 1/0 for a bool,
    numbers, text as it is, the names of an enumeration, and JSON for lists and mappings. A hook
    that takes a CallContext gets one that holds all of KEY=VALUE. `pluginkit hooks HOOK` shows
    the signature.

    What plugins print goes to stderr; on a terminal, so does the progress of the jobs that they
    have submitted and wait for. A plugin that fails does not keep the others from
    answering; the exit code is 3 then.
    """
    from pluginkit.cli.calls import pairs
    from pluginkit.cli.running import running_host

    given = pairs(arguments)
    with running_host(session) as running:
        if running is not None:
            return _ask(session, running, (hook, given, plugin, timeout), as_json)
    return _call(session, (hook, given, plugin, timeout), as_json)


Wish = tuple[str, "dict[str, str]", "str | None", "float | None"]
"""What was typed: hook, arguments, plugin, timeout."""


def _ask(session: Session, running: ControlClient, wish: Wish, as_json: bool) -> int:
    """Let the running host make the call."""
    from pluginkit.cli.progress import progress_shown
    from pluginkit.control.calling import Answer
    from pluginkit.control.client import ControlClient

    def look() -> list[str]:
        # A connection answers one request after the other, and ours waits for the call.
        with ControlClient(running.running) as other:
            found = other.ask("jobs")["jobs"]
        return [] if found is None else _progress(found["running"])

    hook, text, plugin, timeout = wish
    with progress_shown(look):
        result = running.ask("call", hook=hook, text=text, plugin=plugin, timeout=timeout)
    answers = tuple(map(Answer.from_sent, result["results"]))
    _show(session, result["hook"], result["arguments"], answers, as_json)
    return Exit.FINE if all(answer.ok for answer in answers) else Exit.PLUGIN


def _call(session: Session, wish: Wish, as_json: bool) -> int:
    """Make the call with a host of our own."""
    from pluginkit.cli.calls import call
    from pluginkit.cli.loading import loaded_host
    from pluginkit.cli.progress import progress_shown
    from pluginkit.contracts import arguments_from_text
    from pluginkit.control.calling import callable_hook_of
    from pluginkit.control.requests import plain_argument
    from pluginkit.errors import CallTimeout

    def look() -> list[str]:
        found = host.jobs()
        return [] if found is None else _progress([asdict(row) for row in found.running])

    hook, text, plugin, timeout = wish
    host = session.host
    spec = callable_hook_of(host, hook)
    given = arguments_from_text(spec, text)
    if plugin is not None:
        plugin = host.refresh()[plugin].name
    try:
        with loaded_host(session, plugin):
            with progress_shown(look):
                answers = call(host, spec, given, plugin=plugin, timeout=timeout)
            arguments = {key: plain_argument(value) for key, value in given.items()}
            _show(session, spec.name, arguments, answers, as_json)
    except CallTimeout as error:
        complain(str(error))
        return Exit.PLUGIN
    return Exit.FINE if all(answer.ok for answer in answers) else Exit.PLUGIN


def _progress(rows: list[dict[str, Any]]) -> list[str]:
    """What the jobs that run say of how far they are."""
    return [f"{row['name']}: {row['progress']}" for row in rows if row["progress"]]


def _show(
    session: Session,
    hook: str,
    arguments: dict[str, object],
    answers: tuple[Answer, ...],
    as_json: bool,
) -> None:
    from pluginkit.cli.answers import show_answers
    from pluginkit.cli.failures import show_call_failure

    if as_json:
        results = [answer.as_dict() for answer in answers]
        show_json({"hook": hook, "arguments": arguments, "results": results})
    else:
        show_answers(answers)
    for answer in answers:
        show_call_failure(answer, debug=session.debug)
    if not answers:
        remark(f"No plugin that is loaded implements {hook!r}; see: pluginkit list")
