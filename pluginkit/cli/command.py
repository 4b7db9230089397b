"""What our commands have beyond click's: examples, and the global options in any place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from pluginkit.cli.options import global_options

Example = tuple[str, str]
"""A command line, and what it is for. A test runs every one of them."""


class Command(click.Command):
    """A command of pluginkit; `examples` end its help, and stand in the reference."""

    def __init__(self, *arguments: Any, examples: Iterable[Example] = (), **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.examples = tuple(examples)
        self._unlisted = global_options(hidden=True)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *self._unlisted]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


def write_examples(examples: Iterable[Example], formatter: click.HelpFormatter) -> None:
    """Write examples as a section of a help page; a command line is never wrapped."""
    examples = list(examples)
    if not examples:
        return
    with formatter.section("Examples"):
        for line, meaning in examples:
            formatter.write(f"{' ' * formatter.current_indent}{line}\n")
            with formatter.indentation():
                formatter.write_text(meaning)
