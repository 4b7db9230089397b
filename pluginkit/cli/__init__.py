"""The command line: what a user types, and the only room that prints.

It asks a `Host` and shows what it says. Commands of management import no plugin; each command's
module, and everything heavy, is imported when that command runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line with these arguments, those of the process by default, and exit."""
    from pluginkit.cli.program import program

    program.main(arguments)
