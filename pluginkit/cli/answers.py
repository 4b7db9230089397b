"""What each plugin made of a hook call, free of anything that holds the plugin.

An exception holds its traceback, that holds frames, and those hold the implementation that ran:
while somebody keeps the error of a call, its plugin cannot be unloaded. So an error is put into
words at once, and let go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.cli.output import Painted, show
from pluginkit.cli.values import plain, readable
from pluginkit.discovery import Found
from pluginkit.errors import ContainedError
from pluginkit.lifecycle.failure import Failure, failure_of

if TYPE_CHECKING:
    from pluginkit.hooks import Outcome
    from pluginkit.host import Host


@dataclass(frozen=True, slots=True)
class Answer:
    """One plugin's part in a call: its result, or why there is none."""

    plugin: str
    version: str | None
    result: Any
    failure: Failure | None
    seconds: float
    error_type: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.failure is None

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, always with the same keys."""
        error = None if self.ok else {"type": self.error_type, "message": self.message}
        return {
            "plugin": self.plugin,
            "version": self.version,
            "result": plain(self.result),
            "error": error,
            "seconds": self.seconds,
        }


def answer_of(host: Host, hook: str, outcome: Outcome[Any]) -> Answer:
    """Put an outcome into words, and take its error apart."""
    error = outcome.error
    if error is None:
        return Answer(outcome.plugin, outcome.version, outcome.result, None, outcome.seconds)
    if isinstance(error, ContainedError) and error.__cause__ is not None:
        error = error.__cause__  # it stands for SystemExit and its like, and says less than they do
    plugin = host.plugins.get(outcome.plugin)
    source = plugin.source if plugin is not None else None
    root = source.root if isinstance(source, Found) else None
    failure = failure_of(outcome.plugin, f"hook {hook}", "call-failed", error, root)
    name, message = type(error).__name__, _message(error)
    let_go(outcome.error)
    return Answer(outcome.plugin, outcome.version, None, failure, outcome.seconds, name, message)


def let_go(error: BaseException | None) -> None:
    """Take the tracebacks off an error and all that it came from, so that it holds no frame."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions


def show_answers(answers: tuple[Answer, ...], *, indent: str = "") -> None:
    """Print `name: result` for each that answered; further lines of a result are indented."""
    for answer in answers:
        if answer.ok:
            lines = readable(answer.result).splitlines() or [""]
            show(indent, Painted(f"{answer.plugin}:", bold=True), f" {lines[0]}")
            for line in lines[1:]:
                show(f"{indent}  {line}")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"<{type(broken).__name__} while reading its message>"
