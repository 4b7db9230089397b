"""Exit codes: what a script that runs pluginkit can rely on."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """How a command ended; `meaning` is what `--help` and the reference say of it."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made

    FINE = 0, "Everything is as it should be."
    PROBLEM = (
        1,
        "`validate` or `doctor` found a problem, a reload failed, no host runs that could be asked, or there is no log.",
    )
    USAGE = 2, "The request or the configuration is wrong: unknown command, option, name, key or value."
    PLUGIN = 3, "A plugin that was asked for failed, when it was loaded or called."
    BUG = 70, "A bug in pluginkit itself; its traceback is printed."
    INTERRUPTED = 130, "Ctrl-C ended a command early."
    PIPE_CLOSED = 141, "The reader of the output went away, as `head -1` does."
