"""`HookTable`: all hooks of one host, and the transactions that change who implements them.

`stage` reads and checks everything and can fail; it changes nothing. `commit` then swaps one
reference for each hook that is affected. A call that has begun ends on what it began with, a
call that begins later sees the whole change: no call sees half of one.
"""

from __future__ import annotations

import bisect
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType
from typing import TypeVar, cast

from pluginkit.errors import (
    ContractDefinitionError,
    ContractError,
    DuplicateName,
    Reason,
    StateError,
    UsageError,
    did_you_mean,
)
from pluginkit.hooks.drain import Retirement
from pluginkit.hooks.entry import Body
from pluginkit.hooks.gate import Gate
from pluginkit.hooks.hook import HookState
from pluginkit.hooks.implementing import by_hook, implementations_of
from pluginkit.hooks.late import LateResults
from pluginkit.hooks.metrics import CallMetrics, Metrics
from pluginkit.hooks.pins import Pin, Pins
from pluginkit.hooks.policy import Report
from pluginkit.hooks.relay import HookRelay
from pluginkit.hooks.spec import HookSpec, read_specs
from pluginkit.hooks.values import Implementation, Provider
from pluginkit.hooks.verify import verify
from pluginkit.hooks.version import Version
from pluginkit.markers.typed import ErrorPolicy

C = TypeVar("C")

_by_rank = attrgetter("rank")


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A change that has been checked and not been made. `HookTable.commit` makes it, once.

    `warnings` are sentences for the log; `retired` follows each removed provider to its end.
    """

    warnings: tuple[str, ...]
    retired: tuple[Retirement, ...]
    _removed: list[Provider]
    _added: list[Provider]
    _incoming: list[Implementation]


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """What one commit does to one hook."""

    state: HookState
    body: Body
    version: Version
    added: list[Implementation]


class HookTable:
    """The hooks of one host.

    Args:
        project: the project name of the markers; marks of `pluginkit` are read as well.
        errors: what calls do about errors, see `pluginkit.hooks.policy`.
        on_failure: gets every failure of an implementation, in the calling thread.
        timing: count calls, errors and seconds from the start; see `metrics`.

    >>> from pluginkit.markers import hookimpl, hookspec
    >>> class Animal:
    ...     @hookspec
    ...     def speak(self, is_loud: bool) -> str: "What the animal says."
    >>> class Cat:
    ...     @hookimpl
    ...     def speak(self, is_loud): return "MEOW!" if is_loud else "Meow"
    >>> table = HookTable()
    >>> table.add_contract(Animal, name="animal")
    >>> table.commit(table.stage(add=[Provider("cat", Cat())]))
    >>> table.hook.speak(is_loud=True)
    ['MEOW!']
    """

    def __init__(
        self,
        project: str = "pluginkit",
        *,
        errors: ErrorPolicy = "record",
        on_failure: Report | None = None,
        timing: bool = False,
    ) -> None:
        self.project = project
        self.hook = HookRelay()
        self._policy: ErrorPolicy = errors
        self._on_failure = on_failure
        self._metrics = Metrics()
        self._is_timing = timing
        self._late = LateResults()
        self._states: dict[str, HookState] = {}
        self._sources: list[object] = []
        self._providers: dict[str, Provider] = {}
        self._registrations = itertools.count()
        self._lock = threading.RLock()
        self.pins = Pins(self._lock)

    # Hooks

    def add_contract(self, contract_class: type, *, name: str) -> None:
        """Add the hooks of a contract, which are called with exactly their parameters.

        Raises:
            ContractDefinitionError: a spec cannot be called by keyword, or a hook of that name
                is there with another signature.
            ContractError: a provider that is there already implements it wrongly.
        """
        self._add_specs(contract_class, read_specs(contract_class, self.project, owner=name, strict=True))

    def add_hookspecs(self, module_or_class: object) -> None:
        """Add pluggy's hookspecs, which are called as leniently as pluggy calls them.

        Raises as `add_contract` does.
        """
        owner = getattr(module_or_class, "__name__", type(module_or_class).__name__)
        self._add_specs(module_or_class, read_specs(module_or_class, self.project, owner=owner, strict=False))

    def view(self, contract: type[C]) -> C:
        """The hooks as a type checker should see them: `table.view(Animal).speak(is_loud=True)`.

        At run time it is `hook` itself; see `pluginkit.markers.typed` for what is checked.

        Raises:
            UsageError: the table has no such contract.
        """
        if contract not in self._sources:
            raise UsageError(
                f"{contract.__qualname__} is no contract of this host; its hooks are: {self.hook!r}"
            )
        return cast("C", self.hook)

    def _add_specs(self, source: object, specs: Iterable[HookSpec]) -> None:
        with self._lock:
            fresh = [spec for spec in specs if not self._is_known(spec)]
            waiting = [one for provider in self._providers.values() for one in self.read(provider)]
            states = []
            for spec in fresh:
                implementations = [one for one in waiting if one.hook == spec.name]
                for implementation in implementations:
                    verify(spec, implementation)
                version = self._version(spec, sorted(implementations, key=_by_rank))
                states.append(
                    HookState(spec, version, self._policy, late=self._late, pins=self.pins, lock=self._lock)
                )
            for state in states:
                self._states[state.spec.name] = state
                vars(self.hook)[state.spec.name] = state.function
            self._sources.append(source)

    def _is_known(self, spec: HookSpec) -> bool:
        known = self._states.get(spec.name)
        if known is None:
            return False
        if not known.spec.agrees_with(spec):
            raise ContractDefinitionError(
                f"hook {spec.name!r} of {spec.owner!r} is there already, from {known.spec.owner!r}, "
                f"as {spec.name}{known.spec.signature} and not {spec.name}{spec.signature}; rename one of them"
            )
        return True

    # Providers

    def providers(self) -> tuple[Provider, ...]:
        """Who is committed at this moment, in order of arrival."""
        return tuple(self._providers.values())

    def implementations(self, target: object) -> Mapping[str, Implementation]:
        """The implementations of an object by the name of their hook, without adding them."""
        named = target if isinstance(target, (type, ModuleType)) else type(target)
        return by_hook(self.read(Provider(named.__name__, target)))

    def read(self, provider: Provider) -> tuple[Implementation, ...]:
        """All implementations that a provider would bring, whether or not the table has their hooks."""
        registered = next(self._registrations) if provider.host else 0
        return tuple(implementations_of(provider, self.project, registered))

    def rehearse(
        self,
        provider: Provider,
        implementations: Iterable[Implementation],
        *,
        remove: Iterable[Provider] = (),
    ) -> None:
        """Raise what `stage` would raise for a provider that has been read, and prepare nothing."""
        with self._lock:
            self._next_providers(list(remove), [provider])
            for _ in self._fitting(provider, implementations, []):
                continue

    def stage(self, *, remove: Iterable[Provider] = (), add: Iterable[Provider] = ()) -> Staged:
        """Prepare a change of providers; everything that can fail happens here.

        Args:
            remove: providers that are committed.
            add: providers to put in; one may have the name of a removed one.

        Raises:
            StateError: one to remove is not committed.
            DuplicateName: one to add has the name of another.
            ContractError: an implementation does not fit its hook, or its hook does not exist.
        """
        removed, added = list(remove), list(add)
        with self._lock:
            self._next_providers(removed, added)
            notes: list[str] = []
            incoming = [
                one for provider in added for one in self._fitting(provider, self.read(provider), notes)
            ]
            retired = [Retirement(provider.name, self._implementations_of(provider)) for provider in removed]
            return Staged(tuple(notes), tuple(retired), removed, added, incoming)

    def commit(self, staged: Staged) -> None:
        """Make a staged change: one assignment for each hook, after nothing can fail any more.

        Earlier calls of historic hooks are then made again for what was added.

        Raises:
            StateError, DuplicateName: another change since `stage` made this one impossible;
                nothing has happened then.
        """
        with self._lock:
            providers = self._next_providers(staged._removed, staged._added)
            changes = self._changes(staged)
            histories = [change.state.history() for change in changes]
            for change in changes:
                change.state.install(change.body)
            self._providers = providers
            left = {provider.name for provider in staged._removed} - providers.keys()
            # Who still has the staged change must not keep alive what a later one removes.
            for spent in (staged._removed, staged._added, staged._incoming):
                spent.clear()
        for plugin in left:
            self._metrics.forget(plugin)
        for change, history in zip(changes, histories, strict=True):
            for implementation in change.added if history else ():
                change.state.replay(history, change.version, implementation)

    def pinned(self) -> Pin:
        """A block for which every hook stays as it is: `with table.pinned():`."""
        return Pin(self.pins)

    def close_gate(self, providers: Iterable[Provider]) -> Gate:
        """Let no new call of the hooks that these implement begin until the gate is opened."""
        gated = set(providers)
        with self._lock:
            self.pins.gate = gate = Gate(
                state
                for state in self._states.values()
                if any(one.provider in gated for one in state.version.implementations)
            )
            return gate

    def _changes(self, staged: Staged) -> list[_Change]:
        gone = set(staged._removed)
        return [
            self._change(state, gone, added)
            for state in self._states.values()
            if (added := [one for one in staged._incoming if one.hook == state.spec.name])
            or (gone and any(one.provider in gone for one in state.version.implementations))
        ]

    def _implementations_of(self, provider: Provider) -> Iterator[Implementation]:
        for state in self._states.values():
            yield from (one for one in state.version.implementations if one.provider is provider)

    def _next_providers(self, removed: list[Provider], added: list[Provider]) -> dict[str, Provider]:
        providers = dict(self._providers)
        for provider in removed:
            if providers.get(provider.name) is not provider:
                raise StateError(f"{provider} is not in the hook table, so it cannot be removed from it")
            del providers[provider.name]
        for provider in added:
            if provider.name in providers:
                raise DuplicateName(f"a plugin named {provider.name!r} is in the hook table already")
            providers[provider.name] = provider
        return providers

    def _change(self, state: HookState, gone: set[Provider], added: list[Implementation]) -> _Change:
        implementations = [one for one in state.version.implementations if one.provider not in gone]
        for implementation in added:
            bisect.insort(implementations, implementation, key=_by_rank)
        version = self._version(state.spec, implementations)
        return _Change(state, state.stub(version), version, added)

    def _version(self, spec: HookSpec, implementations: Iterable[Implementation]) -> Version:
        metrics = self._metrics if self._is_timing else None
        return Version(spec, tuple(implementations), report=self._on_failure, metrics=metrics)

    def _fitting(
        self, provider: Provider, implementations: Iterable[Implementation], notes: list[str]
    ) -> Iterator[Implementation]:
        """The implementations of a provider that have a hook, each verified."""
        for implementation in implementations:
            state = self._states.get(implementation.hook)
            if state is not None:
                verify(state.spec, implementation)
                yield implementation
            elif not implementation.is_optional:
                text = (
                    f"no hook named {implementation.hook!r}{did_you_mean(implementation.hook, self._states)}"
                )
                if not provider.lenient:
                    raise ContractError(provider.name, Reason("unknown-hook", text))
                notes.append(f"plugin {provider.name!r}: {text}")

    # Measuring

    @property
    def timing(self) -> bool:
        """Whether calls are counted and timed; setting it regenerates the bodies of all hooks."""
        return self._is_timing

    @timing.setter
    def timing(self, timing: bool) -> None:
        with self._lock:
            self._is_timing = timing
            for state in self._states.values():
                state.install(state.stub(self._version(state.spec, state.version.implementations)))

    def metrics(self) -> tuple[CallMetrics, ...]:
        """What has been counted while `timing` was on, by plugin and hook."""
        return self._metrics.read()

    def late_results(self) -> Mapping[tuple[str, str], int]:
        """(plugin, hook) to how many answers came after their call's timeout and were dropped."""
        return self._late.read()
