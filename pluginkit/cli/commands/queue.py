"""`pluginkit queue`."""

from __future__ import annotations

import sys
from typing import Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import is_terminal, remark, show, show_json
from pluginkit.cli.paths import shown_path
from pluginkit.cli.session import Session, pass_session

ACTIONS = ("counts", "dead", "replay", "purge")


@click.command(
    "queue",
    cls=Command,
    examples=[
        ("pluginkit queue", "how many records wait, are with the drain, or were given up"),
        ("pluginkit queue dead", "the records that were given up, each with the reason"),
        ("pluginkit queue replay --all", "let them be delivered again, under the same ids"),
        ("pluginkit queue purge dead --yes", "delete them for good"),
    ],
)
@click.argument("action", type=click.Choice(ACTIONS), default="counts", required=False)
@click.argument("what", metavar="[ID...|done|dead|pending]", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="With `replay`: all dead letters.")
@click.option("--yes", is_flag=True, help="With `purge`: do not ask whether it is meant.")
@click.option("--name", metavar="NAME", help="Which queue of the file, if not `logging.mq.log_queue`.")
@json_option
@pass_session
def queue_command(
    session: Session,
    action: str,
    what: tuple[str, ...],
    is_all: bool,
    yes: bool,
    name: str | None,
    as_json: bool,
) -> int:
    """Look at the log queue, replay its dead letters, and delete what is not wanted.

    A record that every delivery refused, or that cannot be read, is a dead letter: it is set aside
    and the others go on. `replay` with ids, or --all, delivers them again; `purge` deletes records
    that are done, dead or pending, after asking. Beside a running host its own queue is meant;
    otherwise the file of `logging.mq`, which no host may have open then.
    """
    asked = _checked(action, what, is_all=is_all)
    if action == "purge" and not yes and not _is_meant(asked["which"]):
        remark("Nothing was deleted.")
        return Exit.PROBLEM
    found = _of_running_host(session, name, asked) or _of_file(session, name, asked)
    if as_json:
        show_json({"queue": found})
    elif found is None:
        show(f"There is no queue in {shown_path(session.config.log_mq_file)} yet.")
    else:
        _show(action, found)
    return Exit.FINE


def _checked(action: str, what: tuple[str, ...], *, is_all: bool) -> dict[str, Any]:
    """The arguments of `ask`. Raises `UsageError` for what the action does not take."""
    from pluginkit.errors import UsageError

    if action == "purge":
        if len(what) != 1 or what[0] not in ("done", "dead", "pending"):
            raise UsageError("say what to purge: pluginkit queue purge done, dead or pending")
        return {"action": action, "which": what[0]}
    if action == "replay":
        if is_all is bool(what):
            raise UsageError("say which: pluginkit queue replay 17 18, or pluginkit queue replay --all")
        if not all(word.isascii() and word.isdecimal() for word in what):
            raise UsageError(f"an id is a number, as `pluginkit queue dead` shows them: {' '.join(what)}")
        return {"action": action, "ids": None if is_all else [int(word) for word in what]}
    if what:
        raise UsageError(f"`queue {action}` takes nothing more, but got: {' '.join(what)}")
    return {"action": action}


def _is_meant(which: str) -> bool:
    from pluginkit.errors import UsageError

    if not is_terminal(sys.stdin):
        raise UsageError(f"nobody can be asked here; if it is meant: pluginkit queue purge {which} --yes")
    try:
        return click.confirm(f"Delete all {which} records of the queue?", err=True)
    except click.Abort:
        return False


def _of_running_host(session: Session, name: str | None, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What the running host says; None if none runs, or it has not got that queue."""
    from pluginkit.cli.running import running_host

    with running_host(session) as client:
        if client is None:
            return None
        own: dict[str, Any] | None = client.ask("queue")["queue"]
        if own is None or name not in (None, own["name"]):
            return None
        answer: dict[str, Any] = client.ask("queue", **asked)["queue"]
        return answer


def _of_file(session: Session, name: str | None, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What the file says, opened for that; None if there is none. Raises `QueueOwned`, `QueueUnusable`."""
    from pluginkit.queue import QueueView
    from pluginkit.queue.asking import ask

    path = session.config.log_mq_file
    if not path.exists():
        return None
    with QueueView(path, name or session.config.logging.mq.log_queue) as view:
        return ask(view, **asked)


def _show(action: str, found: dict[str, Any]) -> None:
    counts = found["counts"]
    if action == "dead":
        _show_dead(found["dead"])
        return
    if action == "replay":
        show(f"{found['replayed']} dead letters are delivered again.")
    elif action == "purge":
        show(f"{found['purged']} records were deleted.")
    show(
        f"queue {found['name']!r}: {counts['pending']} pending ({counts['bytes']} bytes), "
        f"{counts['delayed']} delayed, {counts['leased']} leased, {counts['done']} done, "
        f"{counts['dead']} dead, {counts['dropped']} dropped"
    )


def _show_dead(letters: list[dict[str, Any]]) -> None:
    from pluginkit.cli.table import Table

    if not letters:
        show("No record was given up.")
        return
    table = Table(("ID", "TRIES", "ERROR"), notes="RECORD")
    for letter in letters:
        table.add(str(letter["id"]), str(letter["attempts"]), letter["error"], note=letter["body"])
    table.show()
