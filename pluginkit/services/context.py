"""`PluginContext`: what one plugin is handed, and the only door through which it takes things.

It should live as long as one generation of the plugin does. What is registered through it is
undone when the plugin is unloaded, when its load fails, and when a newer generation replaces
it; what a plugin takes past it, nobody can give back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UnknownName
from pluginkit.services.stop import StopToken
from pluginkit.services.undo import UndoStack

if TYPE_CHECKING:
    from pluginkit.config import Settings


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
    - `settings`: its settings, checked, with the defaults of its schema.
    - `hook`: the host's hooks, `ctx.hook.speak(is_loud=True)`.
    - `functions`: what the host lends, `ctx.functions.now()`.
    - `stop`: the stop token; long work has to ask it.
    - `log`: a standard logger named `pluginkit.plugin.<name>`.
    - `data_dir`: the plugin's own directory for files; made when it is first asked for.
    """

    def __init__(
        self,
        *,
        name: str,
        version: str,
        generation: int | None,
        settings: Settings,
        hook: Any,
        functions: HostFunctions,
        data_dir: Path,
    ) -> None:
        self.name = name
        self.version = version
        self.generation = generation
        self.settings = settings
        self.hook = hook
        self.functions = functions
        self.stop = StopToken()
        self.log = logging.getLogger(f"pluginkit.plugin.{name}")
        self._data_dir = data_dir
        self._undo = UndoStack(f"plugin {name!r}")
        self._threads: list[threading.Thread] = []

    def __repr__(self) -> str:
        return f"<PluginContext of {self.name!r} {self.version}, generation {self.generation}>"

    @property
    def data_dir(self) -> Path:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        return self._data_dir

    def callback(self, undo: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Have `undo(*args, **kwargs)` called when the plugin is unloaded; last registered, first run.

        Raises `StateError` when the plugin is unloaded already.
        """
        self._undo.push(lambda: undo(*args, **kwargs))

    def thread(self, target: Callable[..., Any], /, *args: Any, name: str | None = None) -> threading.Thread:
        """Start a daemon thread that ends with the plugin.

        On unload the stop token is set and the thread is waited for; one that does not end is
        named in the report. `target` has to watch `ctx.stop`: a thread cannot be killed.
        """
        title = name or getattr(target, "__name__", "thread")
        thread = threading.Thread(
            target=target, args=args, name=f"pluginkit-{self.name}-{title}", daemon=True
        )
        self._undo.require_open()
        thread.start()
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        return thread

    def close(self, timeout: float) -> list[BaseException]:
        """Set the stop token, undo all that was registered, wait `timeout` seconds for threads."""
        import time

        self.stop.set()
        deadline = time.monotonic() + timeout
        errors = self._undo.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return errors
