"""`pluginkit new`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import type_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import remark, show
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.cli.scaffold.code import Draft
    from pluginkit.contracts import Contract
    from pluginkit.host import Host

_SAMPLES = {
    "animal": "Animal",
    "greeter": "Greeter",
    "processor": "Processor",
    "transformer": "Transformer",
}


@click.command(
    "new",
    cls=Command,
    examples=[
        ("pluginkit new shout --type transformer", "plugins/shout, with a method for each hook"),
        ("pluginkit new job --type execute --dir ../more-plugins", "in another directory"),
    ],
)
@click.argument("name")
@click.option(
    "--type",
    "type_name",
    required=True,
    metavar="TYPE",
    help="What the plugin is to be: one of the host's types, or `execute`.",
    shell_complete=type_names,
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to make its directory; the plugins directory of the host by default.",
)
@pass_session
def new_command(session: Session, name: str, type_name: str, directory: Path | None) -> int:
    """Begin a plugin: a manifest, and a module with a method for each hook of its type.

    The methods are written from the contract, with its signatures and docs, and run at once, so
    that `pluginkit call` shows them working. What is there already is never overwritten.
    """
    from pluginkit.cli.scaffold.code import Draft
    from pluginkit.cli.scaffold.writing import check_name, write

    host = session.host
    draft = Draft(name, _contract(host, type_name))
    check_name(draft)
    _require_free(host, name)
    place = host.setup.plugins_dirs[0] if directory is None else directory
    for path in write(draft, place):
        show(_shown(path))
    _tell_next_steps(session, draft, place)
    return Exit.FINE


def _contract(host: Host, type_name: str) -> Contract:
    """The contract of a type: the host's own, else that of one of our samples."""
    from pluginkit.contracts import Contract, samples
    from pluginkit.errors import UnknownName

    if type_name in host.contracts:
        return host.contracts[type_name]
    if type_name in _SAMPLES:
        return Contract.of(type_name, getattr(samples, _SAMPLES[type_name]))
    raise UnknownName("type of plugins", type_name, {*host.contracts, *_SAMPLES})


def _require_free(host: Host, name: str) -> None:
    from pluginkit.errors import DuplicateName

    plugin = host.refresh().get(name)
    if plugin is not None:
        raise DuplicateName(f"there is a plugin named {plugin.name!r} already: {plugin.origin}")


def _tell_next_steps(session: Session, draft: Draft, place: Path) -> None:
    host, contract = session.host, draft.contract
    hook = draft.hooks[0]
    words = ["pluginkit", "call", hook.name, *_sample_arguments(draft), "--plugin", draft.name]
    option = []
    if place.absolute() not in host.setup.plugins_dirs:
        option = ["--plugins-dir", _shown(place)]
    remark("Next:")
    if contract.type not in host.contracts:
        remark(
            f"  tell the host of its type, in config.yaml:  contracts: {{{contract.type}: "
            f'"{contract.cls.__module__}:{contract.cls.__qualname__}"}}'
        )
    if place.absolute() in host.setup.project_dirs:
        remark("  say that you trust this project's own plugins, in config.yaml:  trust: {plugins_dir: true}")
    remark(f"  write its work into {_shown(place / draft.name / draft.package)}.py")
    remark(f"  check it:  {shlex.join(['pluginkit', 'validate', _shown(place / draft.name)])}")
    remark(f"  see it:    {shlex.join(['pluginkit', *option, 'list'])}")
    remark(f"  call it:   {shlex.join([*words, *option])}")


def _sample_arguments(draft: Draft) -> list[str]:
    from pluginkit.cli.scaffold.examples import example_argument

    return [word for word in map(example_argument, *_parameters(draft)) if word]


def _parameters(draft: Draft) -> tuple[list[str], list[object]]:
    hook = draft.hooks[0]
    wanted = [name for name in hook.parameters if name not in hook.defaults]
    return wanted, [hook.annotations.get(name, object) for name in wanted]


def _shown(path: Path) -> str:
    from pluginkit.cli.paths import shown_path

    return shown_path(path)
