"""What an operation did, told completely: nothing that went wrong is swallowed."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pluginkit.errors import PluginkitError

if TYPE_CHECKING:
    from pluginkit.errors import Reason
    from pluginkit.lifecycle.failure import Failure
    from pluginkit.lifecycle.retire import Ending
    from pluginkit.lifecycle.states import PluginState
    from pluginkit.runtimes import Leftover


@dataclass(frozen=True, slots=True)
class Skipped:
    """A plugin that was not loaded, on purpose."""

    plugin: str
    state: PluginState
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading all plugins came to.

    `loaded` and `failed` are what this call did; `skipped` are plugins that are switched off,
    incompatible or in conflict; `warnings` are for the plugins' authors; `seconds` is the time
    it took.
    """

    loaded: tuple[str, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether no plugin failed."""
        return not self.failed

    def raise_for_failures(self) -> None:
        """For hosts that cannot do without their plugins: raise `LoadFailures` unless `ok`."""
        if self.failed:
            raise LoadFailures(self)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} loaded, {len(self.failed)} failed, {len(self.skipped)} skipped"]
        return "\n".join([*lines, *map(str, self.failed)])


class LoadFailures(PluginkitError):
    """Some plugins could not be loaded; `report` says which, where and why."""

    def __init__(self, report: LoadReport) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True, slots=True)
class UnloadReport:
    """What unloading one plugin left behind.

    `running` are threads, timers and tasks that still execute its code, and files that it has left
    open; `alive` are modules that somebody still refers to, `holders` who, as far as that can be told
    by name; `failures` are steps that raised. All empty = it is gone.
    """

    plugin: str
    generation: int | None
    failures: tuple[Failure, ...]
    running: tuple[Leftover, ...]
    alive: tuple[str, ...]
    holders: tuple[str, ...]
    seconds: float

    @property
    def is_gone(self) -> bool:
        return not (self.running or self.alive)

    def __str__(self) -> str:
        if self.is_gone and not self.failures:
            return f"{self.plugin}: unloaded, nothing left"
        rest = [f"left behind: {leftover}" for leftover in self.running]
        rest += [f"still referred to: module {name}" for name in self.alive]
        rest += [f"held by {name}" for name in self.holders]
        rest += [str(failure) for failure in self.failures]
        return "\n  ".join([f"{self.plugin}: unloaded", *rest])


@dataclass(frozen=True, slots=True)
class ReconfigureReport:
    """What became of new settings: `ok` says whether the plugin has them, or had them already."""

    plugin: str
    ok: bool
    is_unchanged: bool = False
    failure: Failure | None = None

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.plugin}: the settings stay as they were: {self.failure}"
        return f"{self.plugin}: {'the settings are unchanged' if self.is_unchanged else 'has new settings'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadOptions:
    """How a reload is to be done: `force` even if nothing has changed, `check` all but the commit.

    `timeout` is how many seconds to wait for calls of the old version, `quiet` how many must have
    passed since the newest change of the files.
    """

    force: bool = False
    check: bool = False
    timeout: float = 0.0
    quiet: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReport:
    """What a reload came to.

    `ok` says whether the plugin's present code serves. `together` are all that moved in the same
    transaction, `failure` is the step that failed; then the old generation serves as before.
    `is_unchanged`: the files are what serves already, so nothing was done. `is_check`: nothing was
    meant to be committed. `running`, `alive` and `problems` are about the old generation: what
    still runs in it, which of its modules somebody refers to at this moment, what failed while it
    was ended.
    """

    plugin: str
    ok: bool
    old_generation: int | None
    new_generation: int | None
    seconds: float
    together: tuple[str, ...] = ()
    failure: Failure | None = None
    is_unchanged: bool = False
    is_check: bool = False
    running: tuple[Leftover, ...] = ()
    problems: tuple[Failure, ...] = ()
    _endings: tuple[Ending, ...] = field(default=(), repr=False, compare=False)

    @property
    def alive(self) -> tuple[str, ...]:
        """The modules of the old generations that somebody still refers to, as of now.

        Who asks pays for a garbage collection if it takes one to tell: modules refer to each other
        in circles, and only a collection proves that nobody else refers to them.
        """
        if any(ending.alive() for ending in self._endings):
            gc.collect()
        return tuple(name for ending in self._endings for name in ending.alive())

    @property
    def holders(self) -> tuple[str, ...]:
        """Who refers to those modules, as far as that can be told by name; takes a while."""
        return tuple(name for ending in self._endings if ending.alive() for name in ending.holders())

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.plugin}: generation {self.old_generation} serves on: {self.failure}"
        if self.is_unchanged:
            return f"{self.plugin}: unchanged, generation {self.old_generation} serves on"
        if self.is_check:
            return f"{self.plugin}: the new version would load; generation {self.old_generation} serves on"
        took = f"{self.seconds * 1000:.1f} ms"
        return f"{self.plugin}: generation {self.old_generation} → {self.new_generation} in {took}"


class CloseErrors(ExceptionGroup[Exception]):
    """What went wrong while a host was closed; everything was closed all the same."""


class StepFailed(PluginkitError):
    """One failed step as an exception, for `CloseErrors`; `failure` has the details."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure
