"""What can be asked of a queue from outside, as plain data: for the command line and the control socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, get_args

from pluginkit.errors import UnknownName, UsageError
from pluginkit.queue.protocol import DeadLetter, QueueCounts

Action: TypeAlias = Literal["counts", "dead", "replay", "purge"]
What: TypeAlias = Literal["done", "dead", "pending"]


class Askable(Protocol):
    """A queue, or a view of one."""

    @property
    def name(self) -> str: ...
    def counts(self) -> QueueCounts: ...
    def dead_letters(self, limit: int | None = None) -> list[DeadLetter]: ...
    def replay(self, ids: Sequence[int] | None = None) -> int: ...
    def purge(self, which: What, /) -> int: ...


def ask(
    queue: Askable, action: str = "counts", *, ids: Sequence[int] | None = None, which: str | None = None
) -> dict[str, Any]:
    """Do it, and tell what came of it and the counts afterwards.

    `dead` gives the dead letters, `replay` lets those with the given ids (all without) be delivered
    again, `purge` deletes the records that are `which`: done, dead or pending. Raises `UsageError`
    for what cannot be asked.
    """
    if action not in get_args(Action):
        raise UnknownName("action of a queue", action, get_args(Action))
    out: dict[str, Any] = {"name": queue.name}
    if action == "dead":
        out["dead"] = [_described(letter) for letter in queue.dead_letters()]
    elif action == "replay":
        out["replayed"] = queue.replay(ids)
    elif action == "purge":
        out["purged"] = queue.purge(_one_of(which))
    return {**out, "counts": queue.counts().as_json()}


def _one_of(which: str | None) -> What:
    for known in get_args(What):
        if which == known:
            found: What = known
            return found
    raise UsageError(f"what can be purged is {', '.join(get_args(What))}, not {which!r}")


def _described(letter: DeadLetter) -> dict[str, Any]:
    text = letter.body.decode("utf-8", "backslashreplace")
    return {"id": letter.id, "attempts": letter.attempts, "error": letter.error, "body": text}
