"""What each plugin made of a hook call, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.cli.output import Painted, show
from pluginkit.cli.values import readable
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pluginkit.control.calling import Answer


def show_answers(answers: tuple[Answer, ...], *, indent: str = "") -> None:
    """Print `name: result` for each that answered; further lines of a result are indented."""
    for answer in answers:
        if answer.ok:
            lines = readable(answer.result).splitlines() or [""]
            show(indent, Painted(one_line(f"{answer.plugin}:"), bold=True), f" {lines[0]}")
            for line in lines[1:]:
                show(f"{indent}  {line}")
