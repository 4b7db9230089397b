"""`Host`: the one object that a program embeds to become extensible.

It wires the rooms together and holds no logic of its own. It should live as long as the
program does; several hosts in one process know nothing of each other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pluginkit.defaults import CLOSE_TIMEOUT, ENTRY_POINT_GROUP
from pluginkit.host_logs import Logging
from pluginkit.host_submitting import Submitting

if TYPE_CHECKING:
    from os import PathLike

    from pluginkit.config import Config
    from pluginkit.contracts import Contract
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.events import EventBus
    from pluginkit.hooks import CallMetrics, HookRelay
    from pluginkit.hooks.pins import Pin
    from pluginkit.host_setup import ErrorPolicy
    from pluginkit.lifecycle import (
        LoadReport,
        Plugin,
        Plugins,
        Provision,
        ReconfigureReport,
        Registered,
        ReloadReport,
        RescanReport,
        UnloadReport,
    )
    from pluginkit.lifecycle.collecting import Retired
    from pluginkit.manifest import Handshake, Vocabulary
    from pluginkit.queue import PersistentQueue
    from pluginkit.runtimes import Runtime
    from pluginkit.security import Grants
    from pluginkit.watch.health import WatcherHealth

C = TypeVar("C")


class Host(Submitting, Logging):
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
    - `quarantine`: `(5, 60.0)` takes a plugin out of the hooks that failed 5 times within 60 seconds.
    - `include`, `exclude`, `select`: which plugins are loaded: globs over plugin names, and a function `Found → bool`.
    - `functions`: what plugins may call as `ctx.functions.<name>()`.
    - `state_dir`: where the choices of `enable` and `disable` are kept.
    - `version`: the host's own version, for plugins that ask for a range.
    - `handshake`: the protocol versions that the host speaks with its plugins, and their cookie, for
      those whose manifests have a `handshake`; without it protocol 1 and no cookie.
    - `runtimes`: more ways to run plugins, beside the native one.
    - `strict`: a plugin that looks a setting up with the wrong type gets an error, not the default.
    - `signals`: close the host on SIGTERM and SIGINT, look for plugins again on SIGHUP (main thread only).
    - `control`: let `pluginkit list`, `reload` and the like act on this host while it runs, by a socket
      that only the same user can use; a text is the name that tells it from others of the same config.
    - `watch`: load, reload and unload plugins by itself when their files change or pip installs, upgrades or
      removes them, as `file_watcher` of the config says: what is switched off there stays off.

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

    def __init__(  # noqa: PLR0913  # each has a default; the docstring groups them
        self,
        config: Config | str | PathLike[str] | None = None,
        *,
        contracts: Mapping[str, type] | None = None,
        hookspecs: Iterable[object] = (),
        plugins_dir: str | PathLike[str] | Iterable[str | PathLike[str]] | None = None,
        entry_point_group: str | None = ENTRY_POINT_GROUP,
        project: str = "pluginkit",
        errors: ErrorPolicy | None = None,
        quarantine: tuple[int, float] | None = None,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        select: Callable[[Found], bool] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        state_dir: str | PathLike[str] | None = None,
        version: str | None = None,
        handshake: Handshake | None = None,
        runtimes: Iterable[Runtime] = (),
        strict: bool = False,
        signals: bool = False,
        control: bool | str = False,
        watch: bool = False,
    ) -> None:
        # Imported here: a plugin that imports pluginkit for its markers pays for no host.
        from pluginkit.host_exit import ExitGuard
        from pluginkit.host_setup import read_config, resolve
        from pluginkit.host_wiring import Rooms

        self.config = read_config(config)
        self.setup = resolve(
            self.config,
            plugins_dir=plugins_dir,
            entry_point_group=entry_point_group,
            include=include,
            exclude=exclude,
            select=select,
            state_dir=state_dir,
            version=version,
            handshake=handshake,
            errors=errors,
            quarantine=quarantine,
            strict=strict,
        )
        self._rooms = Rooms(
            self.setup,
            self.config,
            contracts=contracts or {},
            hookspecs=hookspecs,
            project=project,
            functions=functions or {},
            runtimes=runtimes,
        )
        self._lifecycle = self._rooms.lifecycle
        self._exit = ExitGuard(self, signals=signals)
        self._control = self._rooms.control_server(self, control) if control else None
        self._watcher = self._rooms.watcher(self) if watch else None
        self._is_closed = False
        self.queue: PersistentQueue | None = None

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
        if self._control is not None:
            self._control.start()
        if self._watcher is not None:
            self._watcher.start()
        return self

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Stop and unload everything in reverse order, within `timeout` seconds for all threads.

        The host's own jobs may end first, for half of that time; those of a plugin end with it.
        A failing plugin does not keep the others from being closed. Raises `CloseErrors` with
        all failures at the end. Further calls do nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        deadline = time.monotonic() + timeout

        def left() -> float:
            return max(0.0, deadline - time.monotonic())

        with ExitStack() as last_first:
            last_first.callback(self._exit.disarm)
            if self._watcher is not None:
                self._watcher.stop(timeout / 2)
            if self._control is not None:
                self._control.stop()
                last_first.callback(self._control.join)
            last_first.callback(self._rooms.grants.close)
            last_first.callback(lambda: self._rooms.close_pool(left()))
            self._rooms.settle_jobs(timeout / 2)
            errors = self._lifecycle.close_all(left())
        if errors is not None:
            raise errors

    def __enter__(self) -> Self:
        try:
            for failure in self.load().failed:
                # Who uses the host in a `with` block does not see the report.
                logging.getLogger("pluginkit").error("%s", str(failure))
            return self.start()
        except BaseException:
            # Ctrl-C, say: `with` would not call `__exit__`.
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def _require_open(self) -> None:
        if self._is_closed:
            from pluginkit.errors import StateError

            raise StateError("this host is closed; make a new one")

    # Hooks

    @property
    def hook(self) -> HookRelay:
        """The hooks by name: `host.hook.speak(is_loud=True)`."""
        return self._rooms.table.hook

    def hooks(self, contract: type[C]) -> C:
        """The hooks of a contract as type checkers should see them.

        `host.hooks(Animal).speak(is_loud=True)` is `host.hook.speak(is_loud=True)`, with names
        and types of arguments and results checked by mypy and pyright.
        """
        return self._rooms.table.view(contract)

    def metrics(self) -> tuple[CallMetrics, ...]:
        """Calls, errors and seconds by plugin and hook, counted while `timing` is on."""
        return self._rooms.table.metrics()

    @property
    def timing(self) -> bool:
        """Whether calls are counted and timed. Off, it costs nothing: the code is not there."""
        return self._rooms.table.timing

    @timing.setter
    def timing(self, timing: bool) -> None:
        self._rooms.table.timing = timing

    # Plugins

    @property
    def plugins(self) -> Plugins:
        """All plugins by name, broken and disabled ones too."""
        return self._lifecycle.plugins

    def discover(self) -> Catalogue:
        """Look for plugins now. Nothing is imported, nothing of this host changes."""
        return self._rooms.discover()

    def refresh(self) -> Plugins:
        """Look for plugins and judge those that are not loaded; imports nothing. Gives `plugins`."""
        self._lifecycle.refresh()
        return self.plugins

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """What the host asks of plugins, by type; the built-in `execute` among them."""
        return self._rooms.contracts

    @property
    def vocabulary(self) -> Vocabulary:
        """The types, formats and languages that a manifest may name on this host."""
        return self._rooms.vocabulary

    @property
    def events(self) -> EventBus:
        """What happens to plugins: `host.events.subscribe(callback, kinds=["loaded"])`."""
        return self._rooms.events

    def unload(self, name: str, *, cascade: bool = False, timeout: float = CLOSE_TIMEOUT) -> UnloadReport:
        """Take one plugin out and report what is left of it.

        Raises `StateError` if it is not loaded, or if others need it and `cascade` is False.
        """
        self._require_open()
        return self._lifecycle.unload(name, cascade=cascade, timeout=timeout)

    def reload(
        self,
        name: str,
        *,
        force: bool = False,
        check: bool = False,
        timeout: float = CLOSE_TIMEOUT,
        quiet: float = 0.0,
    ) -> ReloadReport:
        """Have a plugin's present files serve in the place of the code that is loaded.

        The new code is imported, checked and started beside the old; only then is it swapped in,
        together with the plugins that need it. Calls that have begun end on the old version. If
        any step fails, the old version serves on and the report says why: `report.ok` is False.

        `force` reloads unchanged files too, `check` does everything but the swap, `timeout` is how
        many seconds to wait for calls that run in the old version. The files count as written when
        `quiet` seconds have passed since the newest change; a plugin whose files do not come to rest
        for 5 seconds is not reloaded. Raises `StateError` if the plugin is not loaded, `UnknownName`
        if there is none.
        """
        self._require_open()
        from pluginkit.lifecycle import ReloadOptions

        options = ReloadOptions(force=force, check=check, timeout=timeout, quiet=quiet)
        return self._lifecycle.reload(name, options)

    def rescan(
        self, *, apply: bool = False, quiet: float = 0.0, only: Iterable[str] | None = None
    ) -> RescanReport:
        """Look what has changed, by content, since each plugin was last loaded, reloaded or tried.

        Finds plugins that were installed or dropped in meanwhile, too. Only with `apply` anything
        is done about it: new ones are loaded, changed ones reloaded, those that are gone or switched
        off unloaded, new settings delivered. What fails is in the report, never raised. `quiet` as
        in `reload`. `only` names the plugins whose files are to be read; those of the others that
        serve are taken as they were.
        """
        self._require_open()
        return self._lifecycle.rescan(apply=apply, quiet=quiet, only=only)

    def watching(self) -> WatcherHealth | None:
        """How the watcher of this host does: what is watched and how, what came last; None without one."""
        return None if self._watcher is None else self._watcher.health()

    def reconfigure(self, name: str) -> ReconfigureReport:
        """Give a running plugin the settings that its config file has now.

        They are checked first; then the plugin's `on_config(settings)` is called, if it has one. If
        either refuses them, the old ones stay in force, and the report says why. Raises `StateError`
        if the plugin is not loaded, `UnknownName` if there is none.
        """
        self._require_open()
        return self._lifecycle.reconfigure(name)

    def lingering(self) -> tuple[Retired, ...]:
        """Old versions of plugins that are not gone: calls still run in them, or somebody refers to them.

        Each has `plugin`, `generation`, `running` (what still runs, as in a report) and `alive()`, the
        names of its modules. Gives what is known; it collects no garbage.
        """
        return self._lifecycle.lingering()

    def grants(self, name: str) -> Grants | None:
        """What a plugin is granted, loaded or not; None if its manifest cannot be read. It is not run."""
        return self._rooms.grants.standing(self.plugins[name])

    def pinned(self) -> Pin:
        """A block for which every hook stays as it is: `with host.pinned():`.

        All hook calls of the block, and of tasks and threads that it starts with a copy of its
        context, run on the versions of its beginning, whatever is loaded, reloaded or unloaded
        meanwhile; the old versions are retired when the block has ended. Without it each call takes
        the versions of its own beginning.
        """
        return self._rooms.table.pinned()

    def enable(self, name: str) -> Plugin:
        """Undo `disable`, for later runs too; on a host with loaded plugins it is loaded at once.

        Raises `StateError` if the plugin's config file, which is named, says `enabled: false`.
        """
        self._require_open()
        return self._rooms.choices.enable(name, load=self._exit.is_armed)

    def disable(self, name: str, *, cascade: bool = False) -> Plugin:
        """Switch a plugin off, for later runs too; it is unloaded if it is loaded."""
        self._require_open()
        return self._rooms.choices.disable(name, cascade=cascade)

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
        return self._rooms.objects.register(
            name or _name_of(target),
            target,
            type_name=type,
            version=version,
            author=author,
            description=description,
        )

    def unregister(self, name: str) -> Any:
        """Take an object out that `register` put in, and give it back. Raises `UnknownName`."""
        return self._rooms.objects.unregister(name)

    def get(self, name: str) -> Any:
        """The object registered, or the instance of the plugin loaded, under `name`.

        Raises `UnknownName`, with the nearest name, if there is neither.
        """
        return self._rooms.objects.get(name)

    def providers(self, type: str) -> tuple[Provision, ...]:
        """All who provide a type: the host's own objects first, then plugins by priority and name."""
        return self._rooms.objects.of_type(type)

    def provider(self, type: str) -> Any:
        """The object of the first provider of a type. Raises `UnknownName` if nothing provides it."""
        return self._rooms.objects.first_of_type(type)


def _name_of(target: object) -> str:
    """A readable name for an object that was registered without one."""
    name = getattr(target, "__name__", None) or type(target).__name__
    return str(name).rpartition(".")[2]
