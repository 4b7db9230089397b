"""One interface over all ways to run a plugin; `format` in the manifest picks one.

A runtime opens a plugin that discovery found; the instance that it gives is one generation.
Opening does the risky part (reading, importing, starting a process) and must leave nothing
behind when it fails. Nothing in here knows hooks: whatever `target` is, its hook
implementations are found on it by the host's markers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pluginkit.discovery import Found
    from pluginkit.manifest import Entrypoint
    from pluginkit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of a plugin that still runs or lives after it should be gone."""

    kind: str
    name: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} in {self.where}" if self.where else f"{self.kind} {self.name!r}"


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """All that a runtime needs to bring one plugin up.

    `snapshot` holds the files to run, whatever happens on disk meanwhile. `owner` is the host,
    `wire` answers which instance another plugin's package name means, `previous` is the instance
    that this one replaces, if any; `marks` says whose code it is to whoever looks at its frames.
    """

    found: Found
    snapshot: Snapshot
    owner: object
    wire: Callable[[str], Instance | None]
    previous: Instance | None = None
    marks: Mapping[str, object] | None = None


class Instance(Protocol):
    """One running generation of one plugin."""

    @property
    def number(self) -> int | None:
        """The generation's number, or None where the plugin is used as the host imported it."""
        ...

    @property
    def reloadable(self) -> bool:
        """Whether a newer version can take its place while the host runs."""
        ...

    @property
    def public_name(self) -> str | None:
        """The module name that the rest of the program sees the plugin under, if there is one."""
        ...

    def imports(self, other: Instance) -> bool:
        """Whether code of this instance has imported `other`."""
        ...

    def commit(self) -> None:
        """Make this the instance that outsiders' imports mean; cannot fail."""
        ...

    def is_current(self, found: Found, snapshot: Snapshot) -> bool:
        """Whether `found`, with the files of `snapshot`, is what this instance runs."""
        ...

    def entered(self) -> AbstractContextManager[None]:
        """While the block runs, the plugin's public names mean this instance in this thread."""
        ...

    def create(self, entrypoint: Entrypoint, context: object) -> Any:
        """Make the object that an entry point of the plugin names; classes are called."""
        ...

    def symbol(self, name: str) -> Any:
        """Look a name up in the plugin, `attribute` or `module:attribute`; AttributeError if absent."""
        ...

    def symbols(self) -> Mapping[str, object]:
        """The public names of the plugin's entry module."""
        ...

    def running(self) -> tuple[Leftover, ...]:
        """Threads and tasks that are executing the plugin's code now."""
        ...

    def alive(self) -> tuple[str, ...]:
        """What should be gone after `close()` and is still held by somebody."""
        ...

    def holders(self) -> tuple[str, ...]:
        """Who holds what should be gone, by name, as far as that can be told."""
        ...

    def left_open(self, target: object) -> tuple[Leftover, ...]:
        """Files and sockets that the plugin, whose object is `target`, has left open."""
        ...

    def close(self) -> None:
        """Give everything back that opening took. Idempotent."""
        ...


class Runtime(Protocol):
    """A way to run plugins; registered with the host under the manifest's `format`."""

    @property
    def name(self) -> str: ...

    def open(self, request: OpenRequest) -> Instance:
        """Bring the plugin's code up. Raises whatever the plugin's code raises, or ImportError."""
        ...
