"""What the watcher needs of a host. `Host` has all of it; this room knows no more of it than this."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pluginkit.events import EventBus
    from pluginkit.lifecycle import Plugins, RescanReport


class Setup(Protocol):
    """Where a host looks."""

    @property
    def plugins_dirs(self) -> tuple[Path, ...]: ...
    @property
    def plugin_configs_dir(self) -> Path | None: ...
    @property
    def entry_point_group(self) -> str | None: ...


class Watched(Protocol):
    """A host, as far as it is brought up to date."""

    @property
    def setup(self) -> Setup: ...
    @property
    def plugins(self) -> Plugins: ...
    @property
    def events(self) -> EventBus: ...

    def rescan(
        self, *, apply: bool = ..., quiet: float = ..., only: Iterable[str] | None = ...
    ) -> RescanReport: ...
