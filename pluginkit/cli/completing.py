"""What a shell offers when Tab is pressed; read from manifests and contracts, never from plugins' code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from pluginkit.cli.session import session_of

if TYPE_CHECKING:
    import click

    from pluginkit.host import Host

_HARMLESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")

Offer = tuple[str, str]
"""A word, and what a shell may show beside it."""


def _completion(
    offers: Callable[[Host, click.Context], Iterable[Offer]],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        session = session_of(context)
        session.is_quiet = True
        try:
            found = list(offers(session.host, context))
        except Exception:
            # Somebody is typing a line: a config that cannot be read is told when it is run.
            return []
        return [CompletionItem(word, help=text) for word, text in found if word.startswith(incomplete)]

    return complete


def _plugins(host: Host, _: click.Context) -> Iterator[Offer]:
    for plugin in host.refresh().values():
        # A shell puts the word into the line as it is, and a broken plugin goes by whatever its place is called.
        if _HARMLESS.fullmatch(plugin.name):
            yield plugin.name, str(plugin.state)


def _hooks(host: Host, _: click.Context) -> Iterator[Offer]:
    for contract in host.contracts.values():
        for hook in contract.hooks.values():
            yield hook.name, str(hook)


def _arguments(host: Host, context: click.Context) -> Iterator[Offer]:
    from pluginkit.control.calling import hook_of

    given = {word.partition("=")[0] for word in context.params.get("arguments") or ()}
    for name in hook_of(host, context.params["hook"]).parameters:
        if name not in given:
            yield f"{name}=", ""


def _types(host: Host, _: click.Context) -> Iterator[Offer]:
    for contract in host.contracts.values():
        yield contract.type, ", ".join(contract.hooks)


def _config_keys(*_: object) -> Iterator[Offer]:
    from pluginkit.config import KEYS

    for key in KEYS.values():
        yield str(key), key.meaning


plugin_names = _completion(_plugins)
hook_names = _completion(_hooks)
hook_arguments = _completion(_arguments)
type_names = _completion(_types)
config_keys = _completion(_config_keys)
