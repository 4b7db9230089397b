"""Calls of hooks with `async` implementations: each plugin's is awaited, so each answer has a name.

A hook's own `awaited` gives the answers together, without names. So every plugin is asked
through a hook table of its own, one after the other, in the order of calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pluginkit.errors import CallTimeout, passes_through
from pluginkit.hooks import HookTable, Outcome, Provider

if TYPE_CHECKING:
    from pluginkit.contracts import Contract, HookSpecInfo


def call_awaited(
    contract: Contract,
    spec: HookSpecInfo,
    providers: Sequence[Provider],
    arguments: Mapping[str, Any],
    timeout: float | None,
) -> tuple[Outcome[Any], ...]:
    """Ask each provider; a hook that takes the first result stops at it.

    Raises `CallTimeout` when one takes longer than `timeout` seconds.
    """

    async def ask_all() -> tuple[Outcome[Any], ...]:
        outcomes: list[Outcome[Any]] = []
        for provider in providers:
            outcomes.append(await _ask(contract, spec, provider, arguments, timeout))
            if spec.firstresult and outcomes[-1].result is not None:
                break
        return tuple(outcomes)

    return asyncio.run(ask_all())


async def _ask(
    contract: Contract,
    spec: HookSpecInfo,
    provider: Provider,
    arguments: Mapping[str, Any],
    limit: float | None,
) -> Outcome[Any]:
    table = HookTable(contract.project, errors="raise")
    table.add_contract(contract.cls, name=contract.type)
    alone = Provider(provider.name, provider.target, version=provider.version, lenient=True)
    table.commit(table.stage(add=[alone]))
    began = time.perf_counter()
    result, failure = None, None
    try:
        given = await getattr(table.hook, spec.name).using(timeout=limit).awaited(**arguments)
        result = given if spec.firstresult else next(iter(given), None)
    except BaseException as error:
        if passes_through(error) or isinstance(error, CallTimeout):
            raise
        failure = error
    return Outcome(provider.name, provider.version, result, failure, time.perf_counter() - began)
