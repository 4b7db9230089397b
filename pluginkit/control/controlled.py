"""What the socket needs of a host. `Host` has all of it; this room knows no more of it than this."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

if TYPE_CHECKING:
    from pluginkit.contracts import Contract
    from pluginkit.events import EventBus
    from pluginkit.hooks import HookRelay
    from pluginkit.lifecycle import (
        LoadReport,
        Plugin,
        Plugins,
        ReconfigureReport,
        ReloadReport,
        RescanReport,
        UnloadReport,
    )
    from pluginkit.lifecycle.collecting import Retired


class Setup(Protocol):
    """Where a host looks, and what it runs on."""

    @property
    def plugin_configs_dir(self) -> Path | None: ...
    @property
    def pluginkit_version(self) -> str: ...


class Controlled(Protocol):
    """A host, as far as it can be asked from outside."""

    @property
    def setup(self) -> Setup: ...
    @property
    def plugins(self) -> Plugins: ...
    @property
    def contracts(self) -> Mapping[str, Contract]: ...
    @property
    def hook(self) -> HookRelay: ...
    @property
    def events(self) -> EventBus: ...

    def refresh(self) -> Plugins: ...
    def lingering(self) -> tuple[Retired, ...]: ...
    @overload
    def load(self) -> LoadReport: ...
    @overload
    def load(self, name: str) -> Plugin: ...
    def unload(self, name: str, *, cascade: bool = ..., timeout: float = ...) -> UnloadReport: ...
    def reload(
        self, name: str, *, force: bool = ..., check: bool = ..., timeout: float = ..., quiet: float = ...
    ) -> ReloadReport: ...
    def rescan(self, *, apply: bool = ..., quiet: float = ...) -> RescanReport: ...
    def reconfigure(self, name: str) -> ReconfigureReport: ...
    def enable(self, name: str) -> Plugin: ...
    def disable(self, name: str, *, cascade: bool = ...) -> Plugin: ...
