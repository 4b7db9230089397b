"""Bringing one plugin up, step by step, and taking it down again.

The steps before the commit do everything that can fail; whatever one of them took is undone
if a later one fails, in reverse. Only then do the hooks change, by assignments that cannot
fail. Plugin code may raise anything, `SystemExit` included: it becomes a `Failure` that names
the step and the place in the plugin's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pluginkit import snapshot
from pluginkit.errors import ContractError, PluginError, PluginkitError, Problem, Reason, passes_through
from pluginkit.hooks import Provider
from pluginkit.hooks.implementing import by_hook
from pluginkit.lifecycle.failure import Failure, failure_of
from pluginkit.lifecycle.handshakes import agreed_protocol
from pluginkit.lifecycle.live import Live
from pluginkit.lifecycle.vouching import vouch
from pluginkit.runtimes import Instance, Leftover, OpenRequest, Runtime
from pluginkit.security.subject import Refused
from pluginkit.services import HostFunctions, PluginContext

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.config import Settings
    from pluginkit.contracts import Contract
    from pluginkit.discovery import Found
    from pluginkit.hooks import HookTable, Implementation
    from pluginkit.jobs import Pool
    from pluginkit.manifest import Handshake
    from pluginkit.security import Grants
    from pluginkit.security.judge import Judge
    from pluginkit.snapshot import Snapshot


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
    pool: Callable[[], Pool]
    # What a plugin is granted, and whom its denials are told: without them nothing is granted.
    grants: Callable[[Found], Grants | None] | None = None
    publish: Callable[..., Any] | None = None
    # What the guard knows plugins' code by; None without a guard.
    marks: Callable[[Found], Mapping[str, object]] | None = None
    judge: Judge | None = None
    handshake: Handshake | None = None

    def breaches(
        self, type_name: str | None, name: str, target: Any, implementations: Mapping[str, Implementation]
    ) -> list[Problem]:
        """Every difference between an object and the contract of its type; none without a contract."""
        contract = self.contracts.get(type_name or "")
        if contract is None:
            return []
        from pluginkit.contracts import check

        owners = {hook: other.type for other in self.contracts.values() for hook in other.hooks}
        problems = check(
            contract,
            implementations,
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


def bring_up(workshop: Workshop, found: Found, settings: Settings, priority: int, files: Snapshot) -> Live:
    """Import, create, check and load one plugin, up to but without its place in the hooks.

    Raises `BringUpFailed`; then nothing of the plugin is left.
    """
    live = build(workshop, found, settings, priority, files)
    load(found, live)
    return live


def read_files(workshop: Workshop, found: Found, quiet: float = 0.0) -> Snapshot:
    """The plugin's files as they are now, once `quiet` seconds have passed since the last change.

    What is returned has passed the host's policy of trust, and is what will be compiled. Raises
    `BringUpFailed`.
    """
    with step(found, "import", "import-failed"):
        try:
            files = snapshot.take(found.root, quiet=quiet)
            vouch(workshop.judge, found, files)
        except snapshot.SymlinkInside as error:
            reason = Reason("symlink-inside", str(error))
            raise BringUpFailed(Failure(found.name, "trust", reason, str(error)), error) from error
        except Refused as error:
            failure = Failure(found.name, "trust", error.reason, str(error), is_held=error.is_held)
            raise BringUpFailed(failure, error) from error
    return files


def build(
    workshop: Workshop,
    found: Found,
    settings: Settings,
    priority: int,
    files: Snapshot,
    *,
    replaces: Live | None = None,
) -> Live:
    """Import the plugin, create its object and hold that to its contract; nothing else of it runs yet.

    `replaces` is the generation that it will take the place of, if it is a reload.
    Raises `BringUpFailed`; then nothing of the plugin is left.
    """
    with step(found, "import", "import-failed"):
        runtime = workshop.runtimes[found.manifest.format]
        previous = None if replaces is None else replaces.instance
        marks = workshop.marks(found) if workshop.marks is not None else None
        request = OpenRequest(
            found, files, workshop.owner, lambda head: workshop.wire(found, head), previous, marks
        )
        instance = runtime.open(request)
    try:
        return create(workshop, found, settings, priority, instance, replaces=replaces)
    except BaseException:
        instance.close()
        raise


def create(
    workshop: Workshop,
    found: Found,
    settings: Settings,
    priority: int,
    instance: Instance,
    *,
    replaces: Live | None = None,
) -> Live:
    """Create the plugin's object out of an opened instance, which stays open whatever happens."""
    with step(found, "create", "create-failed"):
        context = _context(workshop, found, settings, instance)
    try:
        with step(found, "create", "create-failed"):
            target = instance.create(found.manifest.entrypoint, context)
        provider = _provider(workshop, found, target, priority)
        with step(found, "contract", "contract-unmet"):
            implementations = workshop.table.read(provider)
            _require_contract(workshop, found, target, implementations)
        with _hooks_step(found):
            leaving = [replaces.provider] if replaces is not None and replaces.is_hooked else []
            workshop.table.rehearse(provider, implementations, remove=leaving)
    except BaseException:
        context.close(timeout=0.0)
        raise
    return Live(found.name, instance, context, target, provider, workshop.table)


def load(found: Found, live: Live) -> None:
    """Run the plugin's `on_load`; raises `BringUpFailed`, and then nothing of the plugin is left."""
    try:
        with step(found, "on_load", "on-load-failed"):
            live.run("on_load")
        live.loaded = True
    except BaseException:
        take_down(found, live, timeout=0.0)
        raise


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


@dataclass(slots=True)
class Halted:
    """What came of ending a plugin: what failed, and Ctrl-C or a cancellation that came in between.

    Whoever ends it raises `passing` once all is in order.
    """

    found: Found
    failures: list[Failure] = field(default_factory=list)
    passing: BaseException | None = None

    def attempt(self, name: str, action: Callable[[], Any]) -> None:
        """Do one thing; nothing that it raises stops what comes after it."""
        try:
            with step(self.found, name, f"{name.replace('_', '-')}-failed"):
                action()
        except BringUpFailed as failed:
            self.failures.append(failed.failure)
        except BaseException as error:
            self.passing = self.passing or error


def take_down(found: Found, live: Live, timeout: float) -> tuple[Halted, tuple[Leftover, ...]]:
    """Stop and unload a plugin that is out of the hooks already; nothing stops half-way.

    Returns what came of it, and what of the plugin still runs.
    """
    halted = halt(found, live, timeout)
    running = (*live.instance.running(), *live.instance.left_open(live.target))
    halted.attempt("close", live.instance.close)
    return halted, running


def halt(found: Found, live: Live, timeout: float) -> Halted:
    """Run the plugin's end steps and undo what it has registered; its modules stay as they are.

    Done twice it does nothing the second time.
    """
    halted = Halted(found)
    for name, wanted in (("on_stop", live.started), ("on_unload", live.loaded)):
        if wanted:
            halted.attempt(name, partial(live.run, name))
    live.started = live.loaded = False
    for error in live.context.close(timeout):
        halted.attempt("undo", partial(_raise, error))
    return halted


def _raise(error: BaseException) -> None:
    raise error


def _context(workshop: Workshop, found: Found, settings: Settings, instance: Instance) -> PluginContext:
    return PluginContext(
        name=found.name,
        version=str(found.manifest.version),
        generation=instance.number,
        settings=settings,
        hook=workshop.table.hook,
        functions=workshop.functions,
        data_dir=workshop.data_dir / found.name,
        pool=workshop.pool,
        grants=workshop.grants(found) if workshop.grants is not None else None,
        publish=workshop.publish,
        protocol_version=agreed_protocol(found, workshop.handshake),
    )


def _provider(workshop: Workshop, found: Found, target: Any, priority: int) -> Provider:
    return Provider(
        found.name,
        target,
        version=str(found.manifest.version),
        priority=priority,
        lenient=found.manifest.type not in workshop.contracts,
    )


def _require_contract(
    workshop: Workshop, found: Found, target: Any, implementations: Iterable[Implementation]
) -> None:
    """Hold the plugin to its contract; raises `ContractError` with every difference."""
    manifest, hooks = found.manifest, by_hook(implementations)
    problems = workshop.breaches(manifest.type, found.name, target, hooks)
    problems += [
        Problem("the manifest lists this hook, but the plugin does not implement it", path=f"hooks.{hook}")
        for hook in manifest.hooks
        if hook not in hooks
    ]
    if problems:
        raise contract_error(found.name, manifest.type, problems)


def contract_error(plugin: str, contract: str, problems: list[Problem]) -> ContractError:
    """One error out of all the differences between a plugin and its contract."""
    first = str(problems[0]).splitlines()[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = f"does not fulfil the contract {contract!r}: {first}{more}"
    return ContractError(plugin, Reason("contract-unmet", text, tuple(problems)))
