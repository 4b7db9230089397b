"""The reload transaction: a new generation beside the old one, checked, then swapped in.

In this order, and the order is the promise:

1. Judge: the plugin and all that need it are looked at anew; one that is unfit ends it here.
2. Build beside: each gets a new generation from one snapshot, wired to the others' new ones;
   contract, settings, `on_load`, `on_start` and `health()` as for a first load.
3. Hand over: `export_state()` of the old, `import_state(data)` of the new.
4. Commit: one assignment for each hook, then the public names. None of it can fail. A call
   that has begun ends on the old version, one that begins now sees only new ones.
5. Retire: when the last old call has ended, `on_stop` and `on_unload` of the old, its resources
   undone, its modules given back.

Whatever fails before 4 undoes the new generations, last first, and the old ones have served all
along without noticing. What fails in 5 is reported and changes nothing.
"""

from __future__ import annotations

import dataclasses
import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.discovery import Found
from pluginkit.errors import PluginkitError, Reason, StateError
from pluginkit.lifecycle.bringup import BringUpFailed, bring_up, hooks_failure, start, step, take_down
from pluginkit.lifecycle.connections import dependents
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.live import settled
from pluginkit.lifecycle.report import ReloadReport
from pluginkit.lifecycle.states import PluginState

if TYPE_CHECKING:
    from pluginkit.hooks import Staged
    from pluginkit.lifecycle.assess import Assessment
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.lifecycle.retire import Ending
    from pluginkit.runtimes import Instance


@dataclass(slots=True, eq=False)
class Successor:
    """One plugin of the transaction: what serves, and what is to take its place."""

    plugin: Plugin
    found: Found
    verdict: Assessment
    old: Live
    old_found: Found
    new: Live | None = None
    is_swapped: bool = False


class Reload:
    """One transaction over a plugin and all that need it. Used once, under the host's lock."""

    def __init__(self, lifecycle: Lifecycle, name: str) -> None:
        self._lifecycle = lifecycle
        self._table = lifecycle.workshop.table
        self.plugin = lifecycle.plugins[name]
        self._successors: list[Successor] = []

    def run(self, *, force: bool, check: bool, timeout: float) -> ReloadReport:
        """Go through the steps; a failure is part of the report, never raised."""
        began = time.perf_counter()
        old_generation = self.plugin.generation
        endings: list[Ending] = []
        failure: Failure | None = None
        is_unchanged = False
        try:
            self._judge()
            is_unchanged = not force and self._is_unchanged()
            if not is_unchanged:
                with self._lifecycle.occupied(*(one.plugin.name for one in self._successors)):
                    self._build()
                    staged = self._stage()
                    if check:
                        self._undo()
                    else:
                        self._commit(staged)
                        endings = self._retire(staged, timeout)
        except BringUpFailed as error:
            self._undo()
            failure = error.failure
        except BaseException:
            self._undo()
            raise
        return self._report(began, old_generation, failure, endings, is_unchanged=is_unchanged, check=check)

    # 1

    def _judge(self) -> None:
        lifecycle = self._lifecycle
        group = {self.plugin.name, *(other.name for other in dependents(lifecycle, self.plugin.name))}
        for plugin in lifecycle.in_load_order():
            if plugin.name not in group:
                continue
            verdict = lifecycle.plan.assessments.get(plugin.name)
            if verdict is None:
                raise _unfit(plugin.name, Reason("gone", "its files are not there any more"))
            if verdict.state is not PluginState.DISCOVERED or not isinstance(verdict.source, Found):
                raise _unfit(plugin.name, verdict.reason or Reason("not-loadable", f"is {verdict.state}"))
            old, before = plugin._live, plugin.source
            if old is None or not isinstance(before, Found):
                raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
            if not old.instance.reloadable:
                text = "the host has imported its package itself; only a restart of the host brings new code"
                raise _unfit(plugin.name, Reason("not-reloadable", text))
            self._successors.append(Successor(plugin, verdict.source, verdict, old, before))

    def _is_unchanged(self) -> bool:
        return all(
            successor.found.manifest == successor.old_found.manifest
            and successor.verdict.settings == successor.old.context.settings
            and successor.old.instance.is_current(successor.found)
            for successor in self._successors
        )

    # 2 and 3

    def _build(self) -> None:
        built: dict[str, Instance] = {}
        usual = self._lifecycle.workshop

        def wire(found: Found, head: str) -> Instance | None:
            # Only these generations see each other; running code goes on with what serves.
            return built.get(head) or usual.wire(found, head)

        workshop = dataclasses.replace(usual, wire=wire)
        for successor in self._successors:
            settings = successor.verdict.settings
            if settings is None:
                raise StateError(f"plugin {successor.plugin.name!r} was not judged")
            successor.new = bring_up(
                workshop,
                successor.found,
                settings,
                successor.verdict.priority,
                replaces=successor.old,
            )
            built[successor.found.package] = successor.new.instance
            if successor.old.started:
                start(successor.found, successor.new)
            _check_health(successor.found, successor.new)
            _hand_over(successor.found, successor.old, successor.new)

    # 4

    def _stage(self) -> Staged:
        if self._lifecycle.is_closed or any(one.plugin._live is not one.old for one in self._successors):
            reason = Reason("overtaken", "the host was closed, or the plugin taken out, during the reload")
            raise _unfit(self.plugin.name, reason)
        try:
            return self._table.stage(
                remove=[one.old.provider for one in self._successors if one.old.is_hooked],
                add=[one.new.provider for one in self._successors if one.new is not None],
            )
        except PluginkitError as error:
            raise BringUpFailed(hooks_failure(self.plugin.name, error), error) from error

    def _commit(self, staged: Staged) -> None:
        self._table.commit(staged)
        lifecycle = self._lifecycle
        for successor in self._successors:
            plugin, new = successor.plugin, successor.new
            if new is None:
                continue
            new.is_hooked, successor.is_swapped = True, True
            new.instance.commit()
            lifecycle.packages.pop(successor.old_found.package, None)
            lifecycle.packages[successor.found.package] = plugin
            plugin._replace(successor.found, new, successor.verdict.priority)
            if plugin.state is PluginState.QUARANTINED:
                plugin._move(PluginState.RUNNING if new.started else PluginState.LOADED)
            plugin.notices = (*successor.found.notices, *staged.warnings)
            lifecycle.publish("reloaded", plugin.name, version=plugin.version, generation=plugin.generation)

    # 5

    def _retire(self, staged: Staged, timeout: float) -> list[Ending]:
        retirements = {retirement.plugin: retirement for retirement in staged.retired}
        deadline = time.monotonic() + timeout
        endings = []
        for successor in reversed(self._successors):
            left = max(0.0, deadline - time.monotonic())
            retirement = retirements.get(successor.plugin.name, successor.old.retirement)
            endings.append(
                self._lifecycle.retiring.retire(successor.old_found, successor.old, retirement, left)
            )
        return endings

    def _undo(self) -> None:
        for successor in reversed(self._successors):
            if successor.new is not None and not successor.is_swapped:
                take_down(successor.found, successor.new, timeout=0.0)
                successor.new = None

    def _report(
        self,
        began: float,
        old_generation: int | None,
        failure: Failure | None,
        endings: list[Ending],
        *,
        is_unchanged: bool,
        check: bool,
    ) -> ReloadReport:
        if not check and not is_unchanged:
            self.plugin.failure = failure
        names = tuple(successor.plugin.name for successor in self._successors)
        self._successors = []
        passing = [ending.passing for ending in endings if ending.passing is not None]
        if passing:
            raise passing[0]
        if endings:
            # Only a collection proves that nobody else refers to the old modules.
            gc.collect()
        return ReloadReport(
            plugin=self.plugin.name,
            ok=failure is None,
            old_generation=old_generation,
            new_generation=self.plugin.generation,
            seconds=time.perf_counter() - began,
            together=names,
            failure=failure,
            is_unchanged=is_unchanged,
            is_check=check,
            running=tuple(leftover for ending in endings for leftover in ending.running),
            alive=tuple(name for ending in endings if ending.is_drained for name in ending.alive()),
            problems=tuple(problem for ending in endings for problem in ending.failures),
        )


def _unfit(plugin: str, reason: Reason) -> BringUpFailed:
    return BringUpFailed(Failure(plugin, "assess", reason), StateError(str(reason)))


def _check_health(found: Found, live: Live) -> None:
    with step(found, "health", "unhealthy"), live.instance.entered():
        health = getattr(live.target, "health", None)
        if callable(health) and settled("health", health()) is False:
            raise RuntimeError("health() says False")


def _hand_over(found: Found, old: Live, new: Live) -> None:
    state: Any = None
    with step(found, "export_state", "hand-over-failed"), old.instance.entered():
        give = getattr(old.target, "export_state", None)
        if not callable(give):
            return
        state = settled("export_state", give())
    with step(found, "import_state", "hand-over-failed"), new.instance.entered():
        take = getattr(new.target, "import_state", None)
        if callable(take):
            settled("import_state", take(state))
