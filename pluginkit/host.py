"""`Host`: the one object that a program embeds to become extensible.

It wires the rooms together and holds no logic of its own. It should live as long as the
program does; several hosts in one process know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pluginkit.errors import DuplicateName, StateError, UnknownName
from pluginkit.events import EventBus
from pluginkit.hooks import HookTable, Provider
from pluginkit.host_exit import ExitGuard
from pluginkit.host_setup import DEFAULT_GROUP, ErrorPolicy, read_contracts, resolve
from pluginkit.lifecycle import (
    DEFAULT_TIMEOUT,
    Lifecycle,
    Providers,
    Registered,
    StateFile,
    Workshop,
    contract_error,
)
from pluginkit.manifest import Vocabulary
from pluginkit.runtimes import NativeRuntime
from pluginkit.services import HostFunctions

if TYPE_CHECKING:
    from os import PathLike

    from pluginkit.config import Config
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.hooks import CallFailure, HookRelay
    from pluginkit.lifecycle import LoadReport, Plugin, Plugins, Provision, UnloadReport
    from pluginkit.runtimes import Runtime

C = TypeVar("C")

LANGUAGES = frozenset({"python"})
PLUGGY_TYPE = "pluggy"
"""The type of plugins without a contract: their hooks are matched as pluggy matches them."""


class Host:
    """Plugins found, checked, loaded and called.

    Parameters; those that are given win over `config`:

    - `config`: a `Config`, or the path of a `config.yaml`.
    - `contracts`: type name → class of hookspecs. A plugin of that type is held to it.
    - `hookspecs`: modules or classes of hookspecs as pluggy has them, matched leniently.
    - `plugins_dir`: the directory, or directories, whose subdirectories are plugins.
    - `entry_point_group`: the group of installed plugins; None looks for none.
    - `project`: the project name of the markers; plugins of other pluggy projects load under theirs.
    - `errors`: what a call does about a raising plugin: `record` gives the good results and keeps
      the errors with the plugin, `raise` raises the first, `group` raises all together.
    - `include`, `exclude`, `select`: which plugins are loaded: globs over plugin names, and a function `Found → bool`.
    - `functions`: what plugins may call as `ctx.functions.<name>()`.
    - `state_dir`: where the choices of `enable` and `disable` are kept.
    - `version`: the host's own version, for plugins that ask for a range.
    - `runtimes`: more ways to run plugins, beside the native one.
    - `signals`: close the host on SIGTERM and SIGINT (main thread only).

    >>> from pluginkit import Host, hookimpl, hookspec
    >>> class Animal:
    ...     @hookspec
    ...     def speak(self, is_loud: bool) -> str: "What the animal says."
    >>> class Cat:
    ...     @hookimpl
    ...     def speak(self, is_loud):
    ...         return "MEOW!" if is_loud else "Meow"
    >>> with Host(contracts={"animal": Animal}, entry_point_group=None) as host:
    ...     _ = host.register(Cat(), type="animal")
    ...     host.hook.speak(is_loud=True)
    ['MEOW!']
    """

    def __init__(
        self,
        config: Config | str | PathLike[str] | None = None,
        *,
        contracts: Mapping[str, type] | None = None,
        hookspecs: Iterable[object] = (),
        plugins_dir: str | PathLike[str] | Iterable[str | PathLike[str]] | None = None,
        entry_point_group: str | None = DEFAULT_GROUP,
        project: str = "pluginkit",
        errors: ErrorPolicy | None = None,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        select: Callable[[Found], bool] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        state_dir: str | PathLike[str] | None = None,
        version: str | None = None,
        runtimes: Iterable[Runtime] = (),
        signals: bool = False,
    ) -> None:
        self.config = _read_config(config)
        self.setup = resolve(
            self.config,
            plugins_dir=plugins_dir,
            entry_point_group=entry_point_group,
            include=include,
            exclude=exclude,
            select=select,
            state_dir=state_dir,
            version=version,
            errors=errors,
        )
        self.contracts = read_contracts(self.config, contracts or {}, project)
        self.events = EventBus()
        self.runtimes = {runtime.name: runtime for runtime in (NativeRuntime(), *runtimes)}
        self._table = HookTable(
            project, errors=self.setup.errors, on_failure=self._on_call_failure, timing=self.setup.timing
        )
        for contract in self.contracts.values():
            self._table.add_contract(contract.cls, name=contract.type)
        for specs in hookspecs:
            self._table.add_hookspecs(specs)
        self._functions = HostFunctions(functions or {})
        self._store = StateFile(self.setup.state_dir)
        self._providers = Providers(self.contracts)
        self._lifecycle = Lifecycle(
            self._make_workshop,
            look=self.discover,
            circumstances=lambda: self.setup.circumstances(self._store),
            events=self.events,
            store=self._store,
            providers=self._providers,
        )
        self._exit = ExitGuard(self, signals=signals)
        self._is_closed = False

    @classmethod
    def from_config(cls, path: str | PathLike[str] | None = None, **arguments: Any) -> Self:
        """A host as `config.yaml` describes it; keyword arguments win over the file.

        Without `path` the built-in defaults hold, for the current directory. Raises
        `ConfigError` with every wrong key.
        """
        from pluginkit.config import Config

        return cls(Config.load(None if path is None else Path(path)), **arguments)

    # The life of the host

    @overload
    def load(self) -> LoadReport: ...
    @overload
    def load(self, name: str) -> Plugin: ...
    def load(self, name: str | None = None) -> LoadReport | Plugin:
        """Load all plugins that are fit, or the one called `name` with those that it requires.

        Loading all gives a `LoadReport` and raises nothing for a broken plugin. Loading one
        gives its `Plugin`, and raises `LoadError` if it cannot be loaded, `UnknownName` if there
        is none.
        """
        self._require_open()
        self._exit.arm()
        return self._lifecycle.load_all() if name is None else self._lifecycle.load(name)

    def start(self) -> Self:
        """Run `on_start` of all loaded plugins; those loaded from now on are started at once."""
        self._require_open()
        self._exit.arm()
        self._lifecycle.start_all()
        return self

    def close(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Stop and unload everything in reverse order, within `timeout` seconds for all threads.

        A failing plugin does not keep the others from being closed. Raises `CloseErrors` with
        all failures at the end. Further calls do nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        errors = self._lifecycle.close_all(timeout)
        self._exit.disarm()
        if errors is not None:
            raise errors

    def __enter__(self) -> Self:
        self.load()
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def _require_open(self) -> None:
        if self._is_closed:
            raise StateError("this host is closed; make a new one")

    # Hooks

    @property
    def hook(self) -> HookRelay:
        """The hooks by name: `host.hook.speak(is_loud=True)`."""
        return self._table.hook

    def hooks(self, contract: type[C]) -> C:
        """The hooks of a contract as type checkers should see them.

        `host.hooks(Animal).speak(is_loud=True)` is `host.hook.speak(is_loud=True)`, with names
        and types of arguments and results checked by mypy and pyright.
        """
        return self._table.view(contract)

    # Plugins

    @property
    def plugins(self) -> Plugins:
        """All plugins by name, broken and disabled ones too."""
        return self._lifecycle.plugins

    def discover(self) -> Catalogue:
        """Look for plugins now. Nothing is imported, nothing of this host changes."""
        return self.setup.discover(self.vocabulary)

    def refresh(self) -> Plugins:
        """Look for plugins and judge those that are not loaded; imports nothing. Gives `plugins`."""
        self._lifecycle.refresh()
        return self.plugins

    @property
    def vocabulary(self) -> Vocabulary:
        """The types, formats and languages that a manifest may name on this host."""
        return Vocabulary(
            types=frozenset({*self.contracts, PLUGGY_TYPE}),
            formats=frozenset(self.runtimes),
            languages=LANGUAGES,
        )

    def unload(self, name: str, *, cascade: bool = False, timeout: float = DEFAULT_TIMEOUT) -> UnloadReport:
        """Take one plugin out and report what is left of it.

        Raises `StateError` if it is not loaded, or if others need it and `cascade` is False.
        """
        self._require_open()
        return self._lifecycle.unload(name, cascade=cascade, timeout=timeout)

    def enable(self, name: str) -> Plugin:
        """Undo `disable`, for later runs too; on a host with loaded plugins it is loaded at once.

        Raises `StateError` if the plugin's config file, which is named, says `enabled: false`.
        """
        self._require_open()
        return self._lifecycle.enable(name, load=self._exit.is_armed)

    def disable(self, name: str, *, cascade: bool = False) -> Plugin:
        """Switch a plugin off, for later runs too; it is unloaded if it is loaded."""
        self._require_open()
        return self._lifecycle.disable(name, cascade=cascade)

    def dispense(self, name: str, implementation: str) -> Any:
        """One of the named implementations that a plugin's manifest lists; made once per generation.

        Raises `UnknownName` for the plugin, `UnknownSymbol` for the implementation, `StateError`
        if the plugin is not loaded.
        """
        return self.plugins[name].dispense(implementation)

    # The host's own objects

    def register(
        self,
        target: Any,
        *,
        type: str | None = None,
        name: str | None = None,
        version: str | None = None,
        author: str = "",
        description: str = "",
    ) -> Registered:
        """Put an object of the host's own beside the plugins; in hook calls it comes before them.

        With a `type` it is held to that contract and found by `providers(type)`. Raises
        `ContractError` if it does not fulfil it, `DuplicateName` if the name, or the one place
        of an exclusive type, is taken.
        """
        self._require_open()
        title = name or _name_of(target)
        with self._lifecycle.operation():
            self._providers.require_known_type(type)
            self._providers.require_free_name(title, self.plugins)
            taken = self._providers.check_exclusive(type, title, self.plugins.values())
            if taken is not None:
                raise DuplicateName(f"{title!r} cannot be registered: {taken}")
            breaches = self._lifecycle.workshop.breaches(type, title, target)
            if breaches:
                raise contract_error(title, str(type), breaches)
            provider = Provider(title, target, version=version, host=True, lenient=type is None)
            staged = self._table.stage(add=[provider])
            registered = Registered(title, type, target, provider, version, author, description)
            self._providers.add(registered)
            self._table.commit(staged)
            self._lifecycle.announce("registered", title)
        return registered

    def unregister(self, name: str) -> Any:
        """Take an object out that `register` put in, and give it back. Raises `UnknownName`."""
        with self._lifecycle.operation():
            registered = self._providers.get(name)
            staged = self._table.stage(remove=[registered.provider])
            self._providers.remove(name)
            self._table.commit(staged)
            self._lifecycle.announce("unregistered", name)
        return registered.object

    def get(self, name: str) -> Any:
        """The object registered, or the instance of the plugin loaded, under `name`."""
        if name in self._providers:
            return self._providers.get(name).object
        plugin = self.plugins.get(name)
        if plugin is None or plugin.instance is None:
            names = [*(r.name for r in self._providers.objects()), *self.plugins]
            raise UnknownName("registered object or loaded plugin", name, names)
        return plugin.instance

    def providers(self, type: str) -> tuple[Provision, ...]:
        """All who provide a type: the host's own objects first, then plugins by priority and name."""
        self._providers.require_known_type(type)
        return self._providers.of_type(type, self.plugins.values())

    def provider(self, type: str) -> Any:
        """The object of the first provider of a type. Raises `UnknownName` if nothing provides it."""
        provisions = self.providers(type)
        if not provisions:
            provided = {p.type for p in self.plugins.values() if p.type and p.state.is_live}
            raise UnknownName("provided type", type, provided)
        return provisions[0].object

    # Wiring

    def _make_workshop(self, wire: Any) -> Workshop:
        return Workshop(
            owner=self.events,
            table=self._table,
            contracts=self.contracts,
            runtimes=self.runtimes,
            functions=self._functions,
            data_dir=self.setup.state_dir / "data",
            wire=wire,
        )

    def _on_call_failure(self, failure: CallFailure) -> None:
        self._lifecycle.record_failure(failure)


def _read_config(config: Config | str | PathLike[str] | None) -> Config | None:
    if config is None or not (isinstance(config, str) or hasattr(config, "__fspath__")):
        return config
    from pluginkit.config import Config

    return Config.load(Path(config))


def _name_of(target: object) -> str:
    """A readable name for an object that was registered without one."""
    name = getattr(target, "__name__", None) or type(target).__name__
    return str(name).rpartition(".")[2]
