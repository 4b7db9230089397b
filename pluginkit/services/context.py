"""`PluginContext`: what one plugin is handed, and the only door through which it takes things.

It should live as long as one generation of the plugin does. What is registered through it is
undone when the plugin is unloaded, when its load fails, and when a newer generation replaces
it; what a plugin takes past it, nobody can give back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pluginkit.errors import StateError, UnknownName, UsageError
from pluginkit.services import registrations
from pluginkit.services.background import BackgroundTask, Timer
from pluginkit.services.granted import GrantedServices
from pluginkit.services.stop import StopToken
from pluginkit.services.undo import UndoStack

if TYPE_CHECKING:
    import asyncio

    from pluginkit.config import Settings
    from pluginkit.jobs import Pool
    from pluginkit.security import Grants
    from pluginkit.services.files import FileService
    from pluginkit.services.gate import Publish
    from pluginkit.services.jobs import PluginJobs
    from pluginkit.services.network import NetworkService
    from pluginkit.services.processes import ProcessService
    from pluginkit.services.registrations import Undo


class HostFunctions(Mapping[str, Callable[..., Any]]):
    """The functions that the host lends to its plugins, by name and as attributes.

    >>> functions = HostFunctions({"now": lambda: 12})
    >>> functions.now(), functions["now"]()
    (12, 12)
    """

    __slots__ = ("_functions",)

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = MappingProxyType(dict(functions))

    def __getitem__(self, name: str) -> Callable[..., Any]:
        try:
            return self._functions[name]
        except KeyError:
            raise UnknownName("host function", name, self._functions) from None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "_functions":
            # A copy in the making has none yet.
            raise AttributeError(name)
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(str(UnknownName("host function", name, self._functions))) from None

    def __iter__(self) -> Any:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __contains__(self, name: object) -> bool:
        return name in self._functions


class PluginContext:
    """What one generation of one plugin is handed.

    - `name`, `version`, `generation`: who the plugin is; `generation` is None for objects that
      the host registered itself.
    - `protocol_version`: the version of the host's protocol that both speak; None if the plugin's
      manifest has no `handshake`.
    - `settings`: its settings, checked, with the defaults of its schema.
    - `hook`: the host's hooks, `ctx.hook.speak(is_loud=True)`.
    - `functions`: what the host lends, `ctx.functions.now()`.
    - `stop`: the stop token; long work has to ask it.
    - `log`: a standard logger named `pluginkit.plugin.<name>`.
    - `data_dir`: the plugin's own directory for files; made when it is first asked for.
    - `jobs`: the host's pool: `ctx.jobs.submit(fetch, url)`; see `pluginkit.jobs`.
    - `fs`, `net`, `process`: files, connections and programs, as far as the plugin is granted them;
      `grants` says how far that is.

    What its methods register is undone when the plugin is unloaded, when it fails to load, and when
    a newer version replaces it: last registered, first undone. All of them raise `StateError` when
    the plugin is unloaded already, and register nothing then.
    """

    def __init__(  # noqa: PLR0913  # all that a plugin is handed
        self,
        *,
        name: str,
        version: str,
        generation: int | None,
        settings: Settings,
        hook: Any,
        functions: HostFunctions,
        data_dir: Path,
        pool: Callable[[], Pool] | None = None,
        grants: Grants | None = None,
        publish: Publish | None = None,
        protocol_version: int | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.generation = generation
        self.protocol_version = protocol_version
        self.settings = settings
        self.hook = hook
        self.functions = functions
        self.stop = StopToken()
        self.log = logging.getLogger(f"pluginkit.plugin.{name}")
        self._data_dir = data_dir
        self._pool = pool
        self._jobs: PluginJobs | None = None
        self._jobs_lock = threading.Lock()
        self._undo = UndoStack(f"plugin {name!r}")
        self._background: list[threading.Thread | BackgroundTask] = []
        self._publish = publish
        self._granted: GrantedServices | None = None
        if grants is not None:
            self._granted = GrantedServices(grants, publish, self._undo)

    def __repr__(self) -> str:
        return f"<PluginContext of {self.name!r} {self.version}, generation {self.generation}>"

    @property
    def data_dir(self) -> Path:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        return self._data_dir

    def callback(self, undo: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Have `undo(*args, **kwargs)` called when the plugin is unloaded; last registered, first run."""
        self._undo.push(lambda: undo(*args, **kwargs))

    # What the plugin is granted

    @property
    def grants(self) -> Grants:
        """What the plugin may do with `fs`, `net` and `process`; the same as long as this generation lives."""
        return self._services.grants

    @property
    def fs(self) -> FileService:
        """Files, as far as the plugin's filesystem grants go: `ctx.fs.read_text("notes.txt")`."""
        return self._services.fs

    @property
    def net(self) -> NetworkService:
        """Connections, as far as its network grants go: `ctx.net.connect("api.example.com", 443)`."""
        return self._services.net

    @property
    def process(self) -> ProcessService:
        """Programs, as far as its process grants go: `ctx.process.run(["/usr/bin/git", "pull"])`."""
        return self._services.process

    @property
    def _services(self) -> GrantedServices:
        with self._jobs_lock:
            if self._granted is None:
                self._granted = GrantedServices(self._no_grants(), self._publish, self._undo)
            return self._granted

    def _no_grants(self) -> Grants:
        from pluginkit.manifest import Capabilities
        from pluginkit.security import Places, PluginPolicy, effective

        places = Places(data=self._data_dir, cache=self._data_dir.with_name(f"{self._data_dir.name}.cache"))
        return effective(self.name, Capabilities(), PluginPolicy(), places)

    # Work beside the calls

    @property
    def jobs(self) -> PluginJobs:
        """The host's pool, for jobs that carry the plugin's name and end with it.

        Unloading cancels them and waits; a reload lets those that were submitted run to their end on
        this version. Raises `UsageError` if there is no host with a pool behind this context.
        """
        with self._jobs_lock:
            if self._jobs is None:
                if self._pool is None:
                    raise UsageError(f"plugin {self.name!r}: there is no pool behind this context")
                from pluginkit.services.jobs import PluginJobs

                self._jobs = PluginJobs(self.name, self._pool)
            return self._jobs

    def thread(self, target: Callable[..., Any], /, *args: Any, name: str | None = None) -> threading.Thread:
        """Start a daemon thread that ends with the plugin.

        On unload the stop token is set and the thread is waited for; one that does not end is
        named in the report. `target` has to watch `ctx.stop`: a thread cannot be killed.
        """
        thread = threading.Thread(
            target=target, args=args, name=self._title(target, name, "thread"), daemon=True
        )
        self._undo.require_open()
        thread.start()
        self._keep(thread)
        return thread

    def timer(
        self,
        function: Callable[[], Any],
        *,
        interval: float | None = None,
        delay: float | None = None,
        name: str | None = None,
    ) -> Timer:
        """Call `function` after `delay` seconds, or every `interval` seconds, in a thread of its own.

        With both the first call comes after `delay`. A call that raises is logged, and the next one
        comes all the same. Raises ValueError if neither is given, or one is negative.
        """
        self._undo.require_open()
        title = self._title(function, name, "timer")
        timer = Timer(function, interval=interval, delay=delay, name=title, log=self.log)
        self._keep(timer.thread)
        self._registered(timer.cancel)
        return timer

    def task(
        self,
        work: Coroutine[Any, Any, Any],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        name: str | None = None,
    ) -> BackgroundTask:
        """Run a coroutine as a task of `loop`, or of the loop that runs in this thread.

        On unload it is cancelled and, unless the loop runs in the unloading thread, waited for.
        Raises `StateError` if there is no loop.
        """
        try:
            self._undo.require_open()
        except StateError:
            work.close()
            raise
        task = BackgroundTask(work, loop, name=self._title(work, name, "task"))
        self._keep(task)
        self._registered(task.cancel)
        return task

    # What belongs to the whole process

    def handler(self, logger: logging.Logger | str, handler: logging.Handler) -> None:
        """Add a log handler to a logger, which may be given by its name; undone, it is closed, too."""
        logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._undo.require_open()
        self._registered(registrations.add_handler(logger, handler))

    def signal(self, number: int, handler: Callable[[int, Any], Any]) -> None:
        """Have `handler(number, frame)` called, in the main thread, when a signal comes.

        The first handler of a signal has to be set in the main thread (`StateError` otherwise);
        later versions of the plugin may be loaded in any.
        """
        self._undo.require_open()
        self._registered(registrations.set_signal(number, handler))

    def atexit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Have `function(*args, **kwargs)` called at the end of the interpreter, unless unloaded before."""
        self._undo.require_open()
        self._registered(registrations.at_exit(function, *args, **kwargs))

    def patch(self, target: Any, name: str, new: Any) -> None:
        """Put `new` in the place of the attribute `name`, which must exist (AttributeError).

        What others have put there since stays there when it is undone.
        """
        self._undo.require_open()
        self._registered(registrations.patch(target, name, new))

    def wrap(self, target: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put `make(original)` in the place of a function, which must exist (AttributeError).

        `make` is called again when a wrapper below goes: a new version of a plugin never wraps the
        old one's wrapper.
        """
        self._undo.require_open()
        self._registered(registrations.wrap(target, name, make))

    def append(self, items: list[Any], item: Any) -> None:
        """Append to a list; that very item is taken out again, wherever it stands by then."""
        self._undo.require_open()
        self._registered(registrations.append(items, item))

    def register(self, dispatcher: Any, type: type, function: Callable[..., Any]) -> None:
        """Register `function` for a type with a `functools.singledispatch` function of somebody else's.

        Raises TypeError if it is none.
        """
        self._undo.require_open()
        self._registered(registrations.register(dispatcher, type, function))

    # The end

    def close(self, timeout: float) -> list[BaseException]:
        """Set the stop token, undo all that was registered, wait `timeout` seconds for threads and tasks."""
        import time

        self.stop.set()
        deadline = time.monotonic() + timeout
        if self._jobs is not None:
            self._jobs.join(deadline)
        errors = self._undo.close()
        for work in self._background:
            if work is not threading.current_thread():
                work.join(max(0.0, deadline - time.monotonic()))
        return errors

    def _registered(self, undo: Undo) -> None:
        """Remember an undo; for a plugin that has been unloaded meanwhile it is done at once."""
        try:
            self._undo.push(undo)
        except StateError:
            undo()
            raise

    def _keep(self, work: threading.Thread | BackgroundTask) -> None:
        self._background = [*(one for one in self._background if one.is_alive()), work]

    def _title(self, work: Any, name: str | None, kind: str) -> str:
        return f"pluginkit-{self.name}-{name or getattr(work, '__name__', kind)}"
