"""The program as a group of commands, each imported when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from pluginkit.cli.boundary import guarded
from pluginkit.cli.command import Example, write_examples
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.session import Session
from pluginkit.errors import did_you_mean

PROGRAM = "pluginkit"
COMPLETE_VARIABLE = "_PLUGINKIT_COMPLETE"


class CommandGroup(click.Group):
    """A group whose commands are named by module, so that a run pays for one of them only.

    `modules` maps a command's name to the module that has it, as the attribute `command`, or
    as one named like the command if the module has several.
    """

    def __init__(
        self, *arguments: Any, modules: Mapping[str, str], examples: Iterable[Example] = (), **attributes: Any
    ) -> None:
        super().__init__(*arguments, **attributes)
        self.modules = modules
        self.examples = tuple(examples)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module = import_module(self.modules[cmd_name])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.modules and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no command named {name!r}{did_you_mean(name, self.modules, limit=len(self.modules))}")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), code.meaning) for code in Exit])

    def main(self, args: Sequence[str] | None = None, *ignored: Any, **extra: Any) -> NoReturn:
        """Run one command and exit; whatever goes wrong becomes a message and an exit code."""
        if COMPLETE_VARIABLE in os.environ:
            super().main(args, PROGRAM, COMPLETE_VARIABLE)
        given = sys.argv[1:] if args is None else list(args)
        session = Session()
        sys.exit(guarded(session, lambda: self._run(given, session)))

    def _run(self, arguments: list[str], session: Session) -> int:
        with self.make_context(PROGRAM, arguments, obj=session) as context:
            status: int | None = self.invoke(context)
            return status or Exit.FINE
