"""`pluginkit completion`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.group import COMPLETE_VARIABLE, PROGRAM
from pluginkit.cli.output import show_raw

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Command,
    examples=[
        ("pluginkit completion bash", 'put `eval "$(pluginkit completion bash)"` into ~/.bashrc'),
        ("pluginkit completion zsh", "the same in ~/.zshrc"),
        ("pluginkit completion fish", "into ~/.config/fish/completions/pluginkit.fish"),
    ],
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> int:
    """Print the script that makes a shell complete commands, options, plugins and hooks.

    Names of plugins come from their manifests; to press Tab never runs a plugin.
    """
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        context.fail(f"this version of click has no completion for {shell}")
    # Not `source()`, which starts a shell to find out its version.
    script = completion(context.find_root().command, {}, PROGRAM, COMPLETE_VARIABLE)
    show_raw((script.source_template % script.source_vars()).strip())
    return Exit.FINE
