"""`Host`'s part about its log: the chain, if there is one, and what names a plugin's records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pluginkit import field_names as names

if TYPE_CHECKING:
    from loguru import Logger

    from pluginkit.host_wiring import Rooms
    from pluginkit.lifecycle import Plugins
    from pluginkit.logs import LogChain


class Logging:
    """What every host has for its log; nothing of it is made before it is asked for."""

    logs: LogChain | None = None
    """The log chain of this host, if the program or `pluginkit run` has given it one; see `attach_logs`."""

    _rooms: Rooms

    @property
    def log(self) -> Logger:
        """The program's loguru logger, bound to the host's name: `host.log.info("ready")`."""
        from loguru import logger

        return logger.bind(app=self._rooms.app_name)

    def attach_logs(self, chain: LogChain) -> Callable[[], None]:
        """Make a chain this host's: records of its plugins and jobs carry their names and ids. Gives the undo.

        The chain stays the program's to close.
        """
        chain.name_plugins(_Names(self._rooms.lifecycle.plugins).of)
        undo = chain.add_context(_job_fields)
        self.logs = chain

        def detach() -> None:
            undo()
            chain.name_plugins()
            self.logs = None

        return detach


class _Names:
    """Generations and the plugins whose they are. What was found is kept as long as the generation is: old ones log, too."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._known: WeakKeyDictionary[Any, Mapping[str, Any]] = WeakKeyDictionary()

    def of(self, generation: Any) -> Mapping[str, Any]:
        number: int = generation.number
        found = self._known.get(generation)
        if found is not None:
            return found
        for plugin in self._plugins.everything():
            if plugin.name.replace("-", "_").casefold() != generation.package.casefold():
                continue
            fields = {
                names.PLUGIN: plugin.name,
                names.PLUGIN_VERSION: str(plugin.version),
                names.GENERATION: number,
            }
            # While it is imported, the version is still that of the one before.
            if plugin.generation == number:
                self._known[generation] = fields
            return fields
        return {names.PLUGIN: generation.package, names.GENERATION: number}


def _job_fields() -> Mapping[str, Any]:
    import sys

    # Without a pool there is no job, and nothing to import.
    workers = sys.modules.get("pluginkit.jobs.workers")
    worker = None if workers is None else workers.current_worker()
    if worker is None or worker.job is None:
        return {}
    from pluginkit.jobs.keys import log_fields

    return log_fields(worker.job)
