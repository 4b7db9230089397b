"""The rooms of one host, connected: each is made when it is first entered.

A host that only looks at plugins, as `pluginkit list` does, never enters most of them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pluginkit.errors import StateError
from pluginkit.events import EventBus
from pluginkit.host_grants import HostGrants
from pluginkit.host_setup import HostSetup, read_contracts
from pluginkit.lifecycle.manager import Lifecycle
from pluginkit.lifecycle.store import StateFile
from pluginkit.manifest import ManifestReader, Vocabulary

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.contracts import Contract
    from pluginkit.control.server import ControlServer
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.hooks import CallFailure, HookTable
    from pluginkit.host import Host
    from pluginkit.jobs import Pool
    from pluginkit.lifecycle import Choices, OwnObjects, Providers, Workshop
    from pluginkit.manifest import Capabilities
    from pluginkit.runtimes import Instance, Runtime
    from pluginkit.security.judge import Judge
    from pluginkit.watch.watcher import Watcher

LANGUAGES = frozenset({"python"})
PLUGGY_TYPE = "pluggy"
"""The type of plugins without a contract: their hooks are matched as pluggy matches them."""


T = TypeVar("T")


class made_once(Generic[T]):  # noqa: N801  # it is used as `property` is
    """A property that is made when it is first asked for, by one thread; the others wait for it.

    (`functools.cached_property` lets two threads make two of it since Python 3.12.)
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._lock = threading.RLock()
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        with self._lock:
            made = vars(instance)
            if self._name not in made:
                made[self._name] = self._make(instance)
            value: T = made[self._name]
            return value


class Rooms:
    """What a host consists of."""

    def __init__(
        self,
        setup: HostSetup,
        config: Config | None,
        *,
        contracts: Mapping[str, type],
        hookspecs: Iterable[object],
        project: str,
        functions: Mapping[str, Callable[..., Any]],
        runtimes: Iterable[Runtime],
    ) -> None:
        self.setup = setup
        self.app_name = project if config is None else config.application.app_name
        self.events = EventBus()
        self.store = StateFile(setup.state_dir)
        self._config = config
        self._project = project
        self._given_contracts = contracts
        self._hookspecs = tuple(hookspecs)
        # Such as no config file names.
        self.has_own_contracts = bool(contracts or self._hookspecs)
        self._functions = functions
        self.is_closed = False
        self.grants = HostGrants(setup, config, self.events.publish, approved=self._approved)
        self._own_runtimes = {runtime.name: runtime for runtime in runtimes}
        self.lifecycle = Lifecycle(
            self._workshop,
            look=self.discover,
            circumstances=lambda: setup.circumstances(self.store, self.judge),
            events=self.events,
            providers=self._providers,
        )
        # What is wrong with the host's own contracts is told when it is made.
        if contracts or self._hookspecs:
            _ = self.table

    @made_once
    def contracts(self) -> Mapping[str, Contract]:
        """What plugins are held to, by type."""
        return read_contracts(self._config, self._given_contracts, self._project)

    @made_once
    def table(self) -> HookTable:
        """The host's hooks."""
        from pluginkit.hooks import HookTable

        table = HookTable(
            self._project,
            errors=self.setup.errors,
            on_failure=self._keep,
            timing=self.setup.timing,
        )
        for contract in self.contracts.values():
            table.add_contract(contract.cls, name=contract.type)
        for specs in self._hookspecs:
            table.add_hookspecs(specs)
        return table

    @made_once
    def choices(self) -> Choices:
        """On, off, quarantine."""
        from pluginkit.lifecycle import Choices

        return Choices(self.lifecycle, self.store, self.setup.quarantine)

    @made_once
    def judge(self) -> Judge:
        """Whom the host trusts."""
        return self.setup.judge()

    @made_once
    def objects(self) -> OwnObjects:
        """The host's own objects beside its plugins."""
        from pluginkit.lifecycle import OwnObjects

        return OwnObjects(self.lifecycle)

    @made_once
    def manifests(self) -> ManifestReader:
        """Reads manifests, each as often as it changes."""
        return ManifestReader(self.vocabulary)

    @made_once
    def pool(self) -> Pool:
        """The host's threads for jobs."""
        from pluginkit.host_jobs import make_pool

        if self.is_closed:
            raise StateError("this host is closed, and its pool with it; make a new one")
        return make_pool(self._config, self)

    def settle_jobs(self, timeout: float) -> None:
        """Let the host's own jobs end while the plugins are still there; `timeout` in seconds."""
        self.is_closed = True
        pool = self.used_pool
        if pool is not None:
            from pluginkit.host_jobs import settle

            settle(pool, self.lifecycle.jobs(), timeout)

    def close_pool(self, timeout: float) -> None:
        """Wait for the pool's jobs, `timeout` seconds at most; those that do not end are named in the log."""
        pool = self.used_pool
        if pool is not None:
            report = pool.shutdown(timeout)
            if not report.ok:
                logging.getLogger("pluginkit").warning("the pool of the host was closed: %s", report)

    @property
    def used_pool(self) -> Pool | None:
        """The pool, if anybody has asked for it."""
        pool: Pool | None = vars(self).get("pool")
        return pool

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            types=frozenset({*self.contracts, PLUGGY_TYPE}),
            formats=frozenset({"native", *self._own_runtimes}),
            languages=LANGUAGES,
        )

    def _approved(self, found: Found) -> Capabilities | None:
        """What the lock says that a plugin may have; nothing, if the lock cannot be understood."""
        from pluginkit.manifest import Capabilities
        from pluginkit.security.subject import Refused

        try:
            return self.judge.approved(found.name)
        except Refused:
            return Capabilities()

    def discover(self) -> Catalogue:
        return self.setup.discover(self.manifests)

    def control_server(self, host: Host, control: bool | str) -> ControlServer:
        """The socket by which `host` can be asked from outside; not open yet."""
        from pluginkit.control.identity import Identity
        from pluginkit.control.server import ControlServer

        name = control if isinstance(control, str) else self.app_name
        return ControlServer(host, Identity.of(name, self.setup.config_file, self.setup.plugins_dirs))

    def watcher(self, host: Host) -> Watcher | None:
        """What watches the plugins of `host`, not started yet; None if the configuration switches it off."""
        from pluginkit.watch.watcher import Watcher, WatchOptions

        if self._config is None:
            return Watcher(host)
        keys = self._config.file_watcher
        if not (keys.fw_enabled and keys.fw_watch_plugins):
            return None
        return Watcher(
            host, WatchOptions(quiet=keys.fw_quiet, max_wait=keys.fw_max_wait, polling=keys.fw_polling)
        )

    def _keep(self, failure: CallFailure) -> None:
        # By way of the attribute: the choices are made after the table that it changes.
        self.choices.record_failure(failure)

    def _lent_functions(self) -> Mapping[str, Callable[..., Any]]:
        if self.grants.guard is None:
            return self._functions
        from pluginkit.services.lent import lent

        return {name: lent(function) for name, function in self._functions.items()}

    def _providers(self) -> Providers:
        from pluginkit.lifecycle import Providers

        return Providers(self.contracts)

    def _workshop(self, wire: Callable[[Found, str], Instance | None]) -> Workshop:
        from pluginkit.lifecycle import Workshop
        from pluginkit.runtimes import NativeRuntime
        from pluginkit.services import HostFunctions

        native = NativeRuntime()
        return Workshop(
            owner=self.events,
            table=self.table,
            contracts=self.contracts,
            runtimes={native.name: native, **self._own_runtimes},
            functions=HostFunctions(self._lent_functions()),
            data_dir=self.setup.state_dir / "data",
            wire=wire,
            pool=lambda: self.pool,
            grants=self.grants.wanted,
            publish=self.events.publish,
            marks=self.grants.marks if self.grants.guard is not None else None,
            judge=self.judge,
            handshake=self.setup.handshake,
        )
