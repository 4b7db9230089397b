"""`Plugin`: the host's handle on one plugin, the same object from discovery to unload."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from pluginkit.discovery import Found
from pluginkit.errors import PluginkitError, Reason, StateError, UnknownSymbol
from pluginkit.lifecycle.states import PluginState, may_follow

if TYPE_CHECKING:
    from pluginkit.discovery import Broken, Origin
    from pluginkit.lifecycle.failure import Failure
    from pluginkit.lifecycle.live import Live
    from pluginkit.manifest import Manifest

KEPT_ERRORS = 20
"""How many of the latest errors in calls are kept per plugin."""


class Plugin:
    """One plugin of a host: its name, what it is, the state it is in and why.

    The handle stays valid over unload and reload. It is read by any thread; only the host
    changes it.
    """

    def __init__(self, name: str, source: Found | Broken, state: PluginState, reason: Reason | None) -> None:
        self.name = name
        self._source = source
        self._state = state
        self._reason = reason
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._errors: deque[Failure] = deque(maxlen=KEPT_ERRORS)
        self.error_count = 0
        self.failure: Failure | None = None
        self.notices: tuple[str, ...] = ()
        self.priority = source.manifest.priority if isinstance(source, Found) else 50

    def __repr__(self) -> str:
        return f"<Plugin {self.name!r} {self.version or '?'} {self._state}>"

    @property
    def state(self) -> PluginState:
        return self._state

    @property
    def reason(self) -> Reason | None:
        """Why it is in this state, where that needs saying: a stable code and a sentence."""
        return self._reason

    @property
    def manifest(self) -> Manifest | None:
        """What the plugin says of itself; None if that cannot be read."""
        return self._source.manifest if isinstance(self._source, Found) else None

    @property
    def version(self) -> str | None:
        return None if self.manifest is None else str(self.manifest.version)

    @property
    def type(self) -> str | None:
        return None if self.manifest is None else self.manifest.type

    @property
    def runtime(self) -> str | None:
        """The manifest's `format`: how the plugin is run."""
        return None if self.manifest is None else self.manifest.format

    @property
    def origin(self) -> Origin:
        return self._source.origin

    @property
    def source(self) -> Found | Broken:
        """What discovery found."""
        return self._source

    @property
    def generation(self) -> int | None:
        """The number of the generation that serves; None when the plugin is not loaded."""
        live = self._live
        return None if live is None else live.instance.number

    @property
    def reloadable(self) -> bool:
        """Whether its code can be replaced while the host runs; False for what is not loaded."""
        live = self._live
        return live is not None and live.instance.reloadable

    @property
    def instance(self) -> Any:
        """The object that the entry point gave, or None when the plugin is not loaded."""
        live = self._live
        return None if live is None else live.target

    @property
    def errors(self) -> tuple[Failure, ...]:
        """The latest errors that its hook implementations raised, oldest first."""
        return tuple(self._errors)

    def call(self, hook: str, /, **arguments: Any) -> Any:
        """Call this plugin's implementation of `hook` alone, and return what it returns.

        Raises what the implementation raises, `UnknownSymbol` if the plugin does not implement
        the hook, `StateError` if it is not loaded.
        """
        return self._require_live().call(hook, arguments)

    def get(self, symbol: str) -> Any:
        """Look up a name that the plugin exports: `Cat` in its entry module, or `cat.utils:helper`.

        Raises `UnknownSymbol` if there is none, `StateError` if the plugin is not loaded.
        """
        instance = self._require_live().instance
        try:
            return instance.symbol(symbol)
        except (AttributeError, ImportError) as error:
            if isinstance(error, ImportError) and ":" not in symbol:
                raise
            raise UnknownSymbol(self.name, symbol, instance.symbols()) from error

    def dispense(self, implementation: str) -> Any:
        """One of the implementations that the manifest names; made once per generation.

        Raises `UnknownSymbol` if there is none of that name, `StateError` if it is not loaded.
        """
        live = self._require_live()
        known = self.manifest.implementations if self.manifest is not None else {}
        if implementation not in known:
            raise UnknownSymbol(self.name, implementation, known, kind="implementation")
        if implementation not in live.dispensed:
            # Not under a lock: the plugin's constructor may call anything.
            made = live.instance.create(known[implementation], live.context)
            live.dispensed.setdefault(implementation, made)
        return live.dispensed[implementation]

    def _require_live(self) -> Live:
        live = self._live
        if live is None or not live.is_hooked:
            why = f": {self._reason}" if self._reason is not None else ""
            raise StateError(f"plugin {self.name!r} is {self._state}, not loaded{why}")
        return live

    # Only the lifecycle calls what follows, under the host's lock.

    def _move(self, state: PluginState, reason: Reason | None = None) -> None:
        if not may_follow(self._state, state):
            raise PluginkitError(
                f"plugin {self.name!r} cannot go from {self._state} to {state}: a bug in pluginkit"
            )
        self._state, self._reason = state, reason

    def _reassess(self, source: Found | Broken, state: PluginState, reason: Reason | None) -> None:
        self._move(state, reason)
        self._source = source

    def _replace(self, source: Found, live: Live, priority: int) -> None:
        self._source = source
        self._live = live
        self.priority = priority

    def _keep_error(self, failure: Failure) -> None:
        with self._lock:
            self.error_count += 1
            self._errors.append(failure)


def describe(plugin: Plugin) -> dict[str, object]:
    """The row that `list --json` gives of a plugin: always the same keys, null where nothing is."""
    reason = plugin.reason
    return {
        "name": plugin.name,
        "version": plugin.version,
        "type": plugin.type,
        "state": str(plugin.state),
        "reason": None if reason is None else {"code": reason.code, "text": reason.text},
        "origin": str(plugin.origin),
        "runtime": plugin.runtime,
        "generation": plugin.generation,
        "priority": plugin.priority,
        "reloadable": plugin.reloadable,
        "errors": plugin.error_count,
    }
