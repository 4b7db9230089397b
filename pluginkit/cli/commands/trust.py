"""`pluginkit trust`."""

from __future__ import annotations

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import show
from pluginkit.cli.session import Session, pass_session
from pluginkit.printable import one_line


@click.command(
    "trust",
    cls=Command,
    examples=[
        ("pluginkit trust", "all plugins that came with this project, as they are now"),
        ("pluginkit trust cat", "only this one"),
        ("pluginkit trust cat --remove", "not any more"),
    ],
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=plugin_names)
@click.option("--remove", is_flag=True, help="Take the trust back.")
@pass_session
def trust_command(session: Session, names: tuple[str, ...], remove: bool) -> int:
    """Say that you have looked at plugins that came with a project, and trust them.

    What is recorded, in your own state directory and nowhere in the project, is the sha256 of all
    files of each plugin: when one changes, it has to be trusted again. Plugins that the configuration
    trusts as a whole (`trust: {plugins_dir: true}`) need none of this.
    """
    from pluginkit.cli.checks.vouching import candidates
    from pluginkit.security.tree import tree_digest, vouched_files
    from pluginkit.security.trusted import TrustStore

    wanted = candidates(session, names)
    if not names:
        # What is installed came by another way, and needs none of this.
        wanted = [one for one in wanted if one.subject.found_at is not None]
    trees = [(tree_digest(vouched_files(one.subject, one.files)), one.subject.place) for one in wanted]
    store = TrustStore()
    if remove:
        store.remove(digest for digest, _ in trees)
    else:
        store.add(trees)
    for (digest, place), one in zip(trees, wanted, strict=True):
        show(f"{one.name}: {'not trusted' if remove else 'trusted'} {digest[:16]} ({one_line(str(place))})")
    return Exit.FINE
