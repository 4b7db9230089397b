"""One plugin of a reload: what serves, what is to take its place, and the steps in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.errors import StateError
from pluginkit.lifecycle import hand_over
from pluginkit.lifecycle.bringup import build, create, halt, load, start, take_down

if TYPE_CHECKING:
    from pluginkit.config import Settings
    from pluginkit.discovery import Found
    from pluginkit.lifecycle.assess import Assessment
    from pluginkit.lifecycle.bringup import Halted, Workshop
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.manifest import ReloadMode
    from pluginkit.snapshot import Snapshot


@dataclass(slots=True, eq=False)
class Successor:
    """One plugin of the transaction. `found` and `files` are what was judged, and what is run."""

    plugin: Plugin
    found: Found
    verdict: Assessment
    files: Snapshot
    old: Live
    old_found: Found
    new: Live | None = None
    state: hand_over.State | None = None
    is_swapped: bool = False
    was_started: bool = False
    halted: Halted | None = None

    @property
    def mode(self) -> ReloadMode:
        """How the plugin wants to be replaced. The old version knows what it holds; the new, what it needs."""
        modes = {self.old_found.manifest.reload, self.found.manifest.reload}
        return "stop_first" if "stop_first" in modes else "gated" if "gated" in modes else "beside"

    @property
    def settings(self) -> Settings:
        if self.verdict.settings is None:
            raise StateError(f"plugin {self.plugin.name!r} was not judged")
        return self.verdict.settings

    @property
    def is_unchanged(self) -> bool:
        return (
            self.found.manifest == self.old_found.manifest
            and self.verdict.settings == self.old.context.settings
            and self.old.instance.is_current(self.found, self.files)
        )

    def build(self, workshop: Workshop) -> Live:
        """Import, create and check the new version. Raises `BringUpFailed`."""
        self.was_started = self.old.started
        self.new = build(
            workshop, self.found, self.settings, self.verdict.priority, self.files, replaces=self.old
        )
        return self.new

    def bring_to_life(self) -> None:
        """`on_load`, `on_start` and `health()` of the new version. Raises `BringUpFailed`."""
        new = self._built()
        load(self.found, new)
        if self.was_started:
            start(self.found, new)
        hand_over.check_health(self.found, new)

    def take_state(self) -> None:
        """Ask the old version for its state. Raises `BringUpFailed`."""
        self.state = hand_over.export_state(self.old_found, self.old)

    def give_state(self) -> None:
        """Give it to the new one. Raises `BringUpFailed`."""
        hand_over.import_state(self.found, self._built(), self.state)

    def undo(self) -> None:
        """Take down what was built and does not serve."""
        new, self.new = self.new, None
        if new is not None and not self.is_swapped:
            take_down(self.found, new, timeout=0.0)

    # Where old and new cannot live side by side

    def halt_old(self, timeout: float) -> None:
        """End the old version, so that the new one can have what it held; what fails is in `halted`."""
        self.halted = halt(self.old_found, self.old, timeout)
        if self.halted.passing is not None:
            raise self.halted.passing

    def revive(self, workshop: Workshop) -> Live:
        """A fresh object of the old version, with its old state, started. Raises `BringUpFailed`."""
        settings, priority = self.old.context.settings, self.old.provider.priority
        live = create(workshop, self.old_found, settings, priority, self.old.instance, replaces=self.old)
        try:
            load(self.old_found, live)
            if self.was_started:
                start(self.old_found, live)
            hand_over.import_state(self.old_found, live, self.state)
        except BaseException:
            take_down(self.old_found, live, timeout=0.0)
            raise
        return live

    def _built(self) -> Live:
        if self.new is None:
            raise StateError(f"plugin {self.plugin.name!r}: there is no new version yet")
        return self.new
