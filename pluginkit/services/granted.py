"""The granted services of one generation, each made when it is first used; none costs a plugin that asks for none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pluginkit.errors import StateError
from pluginkit.services.gate import Gate, Publish

if TYPE_CHECKING:
    from pluginkit.security import Grants
    from pluginkit.services.files import FileService
    from pluginkit.services.network import NetworkService
    from pluginkit.services.processes import ProcessService
    from pluginkit.services.undo import UndoStack


class _Closeable(Protocol):
    def close(self) -> object: ...


S = TypeVar("S", bound=_Closeable)


class GrantedServices:
    """`fs`, `net` and `process` of one plugin context; what they hold is undone with `undo`.

    What the manifest names is taken hold of at once: a grant means what was there at load.
    """

    def __init__(self, grants: Grants, publish: Publish | None, undo: UndoStack) -> None:
        self.grants = grants
        self._publish = publish
        self._undo = undo
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        if grants.requested.filesystem:
            _ = self.fs
        if grants.requested.exec:
            _ = self.process

    @property
    def gate(self) -> Gate:
        return self._once("gate", lambda: Gate(self.grants.plugin, self._publish))

    @property
    def fs(self) -> FileService:
        from pluginkit.services.files import FileService

        return self._once("fs", lambda: FileService(self.grants, self.gate))

    @property
    def net(self) -> NetworkService:
        from pluginkit.services.network import NetworkService

        return self._once("net", lambda: NetworkService(self.grants, self.gate))

    @property
    def process(self) -> ProcessService:
        from pluginkit.services.processes import ProcessService

        return self._once("process", lambda: ProcessService(self.grants, self.gate, self.fs))

    def _once(self, name: str, make: Callable[[], S]) -> S:
        with self._lock:
            made: S | None = self._made.get(name)
            if made is None:
                made = make()
                try:
                    self._undo.push(made.close)
                except StateError:
                    made.close()
                    raise
                self._made[name] = made
            return made
