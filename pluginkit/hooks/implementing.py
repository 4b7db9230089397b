"""The implementations that a provider brings, in the form in which a table keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pluginkit.hooks.asyncness import asyncness
from pluginkit.hooks.order import rank
from pluginkit.hooks.reading import DEFAULT_OPTIONS, marked, parameter_names
from pluginkit.hooks.values import Implementation, Provider


def implementations_of(provider: Provider, project: str, registered: int) -> Iterator[Implementation]:
    """Read the marks off a provider's target; nothing of the plugin runs.

    `registered` is the number of a host's object in their order of registration.
    """
    for position, (name, function, options) in enumerate(marked(provider.target, project, "impl")):
        opts = {**DEFAULT_OPTIONS, **options}
        argnames, kwargnames = parameter_names(function)
        yield Implementation(
            hook=opts["specname"] or name,
            function=function,
            argnames=argnames,
            kwargnames=kwargnames,
            opts=opts,
            provider=provider,
            asyncness=asyncness(function),
            rank=rank(provider, opts, registered, position),
        )


def by_hook(implementations: Iterable[Implementation]) -> Mapping[str, Implementation]:
    """The first implementation of each hook, by the hook's name."""
    found: dict[str, Implementation] = {}
    for implementation in implementations:
        found.setdefault(implementation.hook, implementation)
    return found
