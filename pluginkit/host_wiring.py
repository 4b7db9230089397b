"""The rooms of one host, connected. Imported when the first host is made: it pulls them all in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pluginkit.events import EventBus
from pluginkit.hooks import HookTable
from pluginkit.host_setup import HostSetup, read_contracts
from pluginkit.lifecycle import Choices, Lifecycle, OwnObjects, Providers, StateFile, Workshop
from pluginkit.manifest import Vocabulary
from pluginkit.runtimes import NativeRuntime, Runtime
from pluginkit.services import HostFunctions

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.control.server import ControlServer
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.hooks import CallFailure
    from pluginkit.host import Host
    from pluginkit.runtimes import Instance

LANGUAGES = frozenset({"python"})
PLUGGY_TYPE = "pluggy"
"""The type of plugins without a contract: their hooks are matched as pluggy matches them."""


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
        self.contracts = read_contracts(config, contracts, project)
        self.events = EventBus()
        self.runtimes = {runtime.name: runtime for runtime in (NativeRuntime(), *runtimes)}
        self.table = HookTable(
            project,
            errors=setup.errors,
            on_failure=self._keep,
            timing=setup.timing,
        )
        for contract in self.contracts.values():
            self.table.add_contract(contract.cls, name=contract.type)
        for specs in hookspecs:
            self.table.add_hookspecs(specs)
        self.functions = HostFunctions(functions)
        self.store = StateFile(setup.state_dir)
        self.lifecycle = Lifecycle(
            self._workshop,
            look=self.discover,
            circumstances=lambda: setup.circumstances(self.store),
            events=self.events,
            providers=Providers(self.contracts),
        )
        self.choices = Choices(self.lifecycle, self.store, setup.quarantine)
        self.objects = OwnObjects(self.lifecycle)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            types=frozenset({*self.contracts, PLUGGY_TYPE}),
            formats=frozenset(self.runtimes),
            languages=LANGUAGES,
        )

    def discover(self) -> Catalogue:
        return self.setup.discover(self.vocabulary)

    def control_server(self, host: Host, control: bool | str) -> ControlServer:
        """The socket by which `host` can be asked from outside; not open yet."""
        from pluginkit.control.identity import Identity
        from pluginkit.control.server import ControlServer

        name = control if isinstance(control, str) else self.app_name
        return ControlServer(host, Identity.of(name, self.setup.config_file, self.setup.plugins_dirs))

    def _keep(self, failure: CallFailure) -> None:
        # By way of the attribute: the choices are made after the table that it changes.
        self.choices.record_failure(failure)

    def _workshop(self, wire: Callable[[Found, str], Instance | None]) -> Workshop:
        return Workshop(
            owner=self.events,
            table=self.table,
            contracts=self.contracts,
            runtimes=self.runtimes,
            functions=self.functions,
            data_dir=self.setup.state_dir / "data",
            wire=wire,
        )
