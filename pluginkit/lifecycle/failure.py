"""What is kept of an error in a plugin: text, never the exception itself.

An exception holds its traceback, that holds frames, and those hold the plugin's modules: a
failed plugin could not be proved gone while somebody remembers why it failed.
"""

from __future__ import annotations

import os
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from pluginkit.errors import Reason, describe_exception


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed step of a plugin's life: which step, what was raised, and where in its files.

    `is_held` says that nothing is broken: somebody has to decide about the plugin.
    """

    plugin: str
    step: str
    reason: Reason
    error: str = ""
    file: str | None = None
    line: int | None = None
    traceback: str = field(default="", repr=False)
    time: float = field(default_factory=time.time)
    is_held: bool = False

    def __str__(self) -> str:
        where = f" ({self.file}:{self.line})" if self.file else ""
        return f"plugin {self.plugin!r}: {self.step}: {self.reason}{where}"


def failure_of(plugin: str, step: str, code: str, error: BaseException, root: Path | None) -> Failure:
    """Describe `error`, with the innermost place inside the plugin's own files, if there is one."""
    file, line = _place(error, root)
    text = describe_exception(error)
    where = f" at {file}:{line}" if file else ""
    return Failure(
        plugin=plugin,
        step=step,
        reason=Reason(code, f"{_STEPS.get(step, step)} failed{where}: {text}"),
        error=text,
        file=file,
        line=line,
        traceback=_traceback_text(error),
    )


_STEPS = {"import": "import", "create": "creating its object", "health": "the health check"}


def _place(error: BaseException, root: Path | None) -> tuple[str | None, int | None]:
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    if root is None:
        return None, None
    inside = f"{root}{os.sep}" if root.is_dir() else str(root)
    found: tuple[str | None, int | None] = (None, None)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(inside):
            found = file, trace.tb_lineno
        trace = trace.tb_next
    return found


def _traceback_text(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception as broken:
        return f"(the traceback cannot be shown: {type(broken).__name__})\n"
