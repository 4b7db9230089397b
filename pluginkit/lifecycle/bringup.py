"""Bringing one plugin up, step by step, and taking it down again.

The steps before the commit do everything that can fail; whatever one of them took is undone
if a later one fails, in reverse. Only then do the hooks change, by assignments that cannot
fail. Plugin code may raise anything, `SystemExit` included: it becomes a `Failure` that names
the step and the place in the plugin's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pluginkit.errors import ContractError, PluginError, PluginkitError, Problem, Reason, passes_through
from pluginkit.hooks import Provider
from pluginkit.lifecycle.failure import Failure, failure_of
from pluginkit.lifecycle.live import Live
from pluginkit.runtimes import Instance, Leftover, OpenRequest, Runtime
from pluginkit.services import HostFunctions, PluginContext

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.config import Settings
    from pluginkit.contracts import Contract
    from pluginkit.discovery import Found
    from pluginkit.hooks import HookTable


class BringUpFailed(Exception):
    """One step failed and everything before it has been undone."""

    def __init__(self, failure: Failure, cause: BaseException) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all plugins of one host are brought up with."""

    owner: object
    table: HookTable
    contracts: Mapping[str, Contract]
    runtimes: Mapping[str, Runtime]
    functions: HostFunctions
    data_dir: Path
    wire: Callable[[Found, str], Instance | None]

    def breaches(self, type_name: str | None, name: str, target: Any) -> list[Problem]:
        """Every difference between an object and the contract of its type; none without a contract."""
        contract = self.contracts.get(type_name or "")
        if contract is None:
            return []
        from pluginkit.contracts import check

        owners = {hook: other.type for other in self.contracts.values() for hook in other.hooks}
        problems = check(
            contract,
            self.table.implementations(target),
            plugin=name,
            target=target,
            # Hooks of lenient hookspecs belong to no type: every plugin may have them.
            allowed=set(self.table.hook) - owners.keys(),
            elsewhere=owners,
        )
        return list(problems)


@contextmanager
def step(found: Found, name: str, code: str) -> Iterator[None]:
    """Turn whatever plugin code raises in the block into the failure of this step."""
    try:
        yield
    except BringUpFailed:
        raise
    except PluginError as error:
        raise BringUpFailed(Failure(found.name, name, error.reason, str(error)), error) from error
    except BaseException as error:
        if passes_through(error):
            raise
        raise BringUpFailed(failure_of(found.name, name, code, error, found.root), error) from error


def bring_up(
    workshop: Workshop, found: Found, settings: Settings, priority: int, *, replaces: Live | None = None
) -> Live:
    """Import, create, check and load one plugin, up to but without its place in the hooks.

    `replaces` is the generation that it will take the place of, if it is a reload.
    Raises `BringUpFailed`; then nothing of the plugin is left.
    """
    with step(found, "import", "import-failed"):
        instance = _open(workshop, found, None if replaces is None else replaces.instance)
    context: PluginContext | None = None
    try:
        context = _context(workshop, found, settings, instance)
        with step(found, "create", "create-failed"):
            target = instance.create(found.manifest.entrypoint, context)
        with step(found, "contract", "contract-unmet"):
            provider = _checked(workshop, found, target, priority)
        with _hooks_step(found):
            leaving = [replaces.provider] if replaces is not None and replaces.is_hooked else []
            workshop.table.stage(remove=leaving, add=[provider])
        live = Live(found.name, instance, context, target, provider, workshop.table)
        with step(found, "on_load", "on-load-failed"):
            live.run("on_load")
    except BaseException:
        if context is not None:
            context.close(timeout=0.0)
        instance.close()
        raise
    return live


@contextmanager
def _hooks_step(found: Found) -> Iterator[None]:
    try:
        yield
    except PluginkitError as error:
        raise BringUpFailed(hooks_failure(found.name, error), error) from error


def hooks_failure(plugin: str, error: PluginkitError) -> Failure:
    """The failure of a plugin whose implementations do not fit the host's hooks."""
    return Failure(plugin, "hooks", Reason("hooks-refused", str(error)), str(error))


def start(found: Found, live: Live) -> None:
    """Run the plugin's `on_start`; raises `BringUpFailed`."""
    with step(found, "on_start", "on-start-failed"):
        live.run("on_start")
    live.started = True


def take_down(
    found: Found, live: Live, timeout: float
) -> tuple[list[Failure], tuple[Leftover, ...], BaseException | None]:
    """Stop and unload a plugin that is out of the hooks already; nothing stops half-way.

    Returns what failed on the way, what of the plugin still runs, and the Ctrl-C or cancellation
    that came in between: the caller has to raise it once all is in order.
    """
    failures: list[Failure] = []
    passing: list[BaseException] = []

    def collect(name: str, action: Callable[[], Any]) -> None:
        try:
            with step(found, name, f"{name.replace('_', '-')}-failed"):
                action()
        except BringUpFailed as failed:
            failures.append(failed.failure)
        except BaseException as error:
            passing.append(error)

    def undo() -> None:
        for error in live.context.close(timeout):
            collect("undo", partial(_raise, error))

    for name, wanted in (("on_stop", live.started), ("on_unload", True)):
        if wanted:
            collect(name, partial(live.run, name))
    live.started = False
    collect("undo", undo)
    running = live.instance.running()
    collect("close", live.instance.close)
    return failures, running, passing[0] if passing else None


def _raise(error: BaseException) -> None:
    raise error


def _open(workshop: Workshop, found: Found, previous: Instance | None) -> Instance:
    runtime = workshop.runtimes[found.manifest.format]
    return runtime.open(OpenRequest(found, workshop.owner, lambda head: workshop.wire(found, head), previous))


def _context(workshop: Workshop, found: Found, settings: Settings, instance: Instance) -> PluginContext:
    return PluginContext(
        name=found.name,
        version=str(found.manifest.version),
        generation=instance.number,
        settings=settings,
        hook=workshop.table.hook,
        functions=workshop.functions,
        data_dir=workshop.data_dir / found.name,
    )


def _checked(workshop: Workshop, found: Found, target: Any, priority: int) -> Provider:
    """Hold the plugin to its contract; raises `ContractError` with every difference."""
    manifest = found.manifest
    implementations = workshop.table.implementations(target)
    problems = workshop.breaches(manifest.type, found.name, target)
    problems += [
        Problem("the manifest lists this hook, but the plugin does not implement it", path=f"hooks.{hook}")
        for hook in manifest.hooks
        if hook not in implementations
    ]
    if problems:
        raise contract_error(found.name, manifest.type, problems)
    return Provider(
        found.name,
        target,
        version=str(manifest.version),
        priority=priority,
        lenient=manifest.type not in workshop.contracts,
    )


def contract_error(plugin: str, contract: str, problems: list[Problem]) -> ContractError:
    """One error out of all the differences between a plugin and its contract."""
    first = str(problems[0]).splitlines()[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = f"does not fulfil the contract {contract!r}: {first}{more}"
    return ContractError(plugin, Reason("contract-unmet", text, tuple(problems)))
