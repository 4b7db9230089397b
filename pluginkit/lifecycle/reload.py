"""The reload transaction: a new generation beside the old one, checked, then swapped in.

In this order, and the order is the promise:

1. Judge: the plugin and all that need it are looked at anew, and their files are read, once; one
   that is unfit ends it here.
2. Build beside: each gets a new generation out of those files, wired to the others' new ones;
   contract, settings, `on_load`, `on_start` and `health()` as for a first load.
3. Hand over: `export_state()` of the old, `import_state(data)` of the new.
4. Commit: one assignment for each hook, then the public names. None of it can fail. A call
   that has begun ends on the old version, one that begins now sees only new ones.
5. Retire: when the last old call has ended, `on_stop` and `on_unload` of the old, its resources
   undone, its modules given back.

Whatever fails before 4 undoes the new generations, last first, and the old ones have served all
along without noticing. What fails in 5 is reported and changes nothing.

A plugin whose manifest says `reload: gated` has calls wait from before 3 until after 4, so that
no call changes the state that has been handed over. With `reload: stop_first` the gate is closed
once the new generations have been imported and checked; then the old ones are stopped before the
new ones' `on_load`. If that fails, the old ones are started again, with their state; if even that
fails, the plugin is out of service, and the report says both.
"""

from __future__ import annotations

import dataclasses
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluginkit.discovery import Found
from pluginkit.errors import PluginkitError, Reason, StateError
from pluginkit.lifecycle.bringup import BringUpFailed, hooks_failure, read_files
from pluginkit.lifecycle.connections import dependents
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.in_flight import wait_for_calls
from pluginkit.lifecycle.report import ReloadReport
from pluginkit.lifecycle.rescan import Sight
from pluginkit.lifecycle.states import PluginState
from pluginkit.lifecycle.successor import Successor
from pluginkit.lifecycle.unloads import drop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluginkit.hooks import Staged
    from pluginkit.lifecycle.bringup import Workshop
    from pluginkit.lifecycle.live import Live
    from pluginkit.lifecycle.manager import Lifecycle
    from pluginkit.lifecycle.report import ReloadOptions
    from pluginkit.lifecycle.retire import Ending
    from pluginkit.runtimes import Instance


class Reload:
    """One transaction over a plugin and all that need it. Used once, under the host's lock."""

    def __init__(self, lifecycle: Lifecycle, name: str, options: ReloadOptions) -> None:
        self._lifecycle = lifecycle
        self._table = lifecycle.workshop.table
        self._options = options
        self._deadline = time.monotonic() + options.timeout
        self.plugin = lifecycle.plugins[name]
        self._successors: list[Successor] = []
        self._problems: list[Failure] = []

    def run(self) -> ReloadReport:
        """Go through the steps; a failure is part of the report, never raised."""
        began = time.perf_counter()
        old_generation = self.plugin.generation
        endings: list[Ending] = []
        failure: Failure | None = None
        is_unchanged = False
        try:
            self._judge()
            is_unchanged = not self._options.force and all(one.is_unchanged for one in self._successors)
            if not is_unchanged:
                with self._lifecycle.occupied(*(one.plugin.name for one in self._successors)):
                    endings = self._replace()
        except BringUpFailed as error:
            self._undo()
            failure = error.failure
        except BaseException:
            self._undo()
            raise
        return self._report(began, old_generation, failure, endings, is_unchanged=is_unchanged)

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
            found = verdict.source
            if verdict.state is not PluginState.DISCOVERED or not isinstance(found, Found):
                raise _unfit(plugin.name, verdict.reason or Reason("not-loadable", f"is {verdict.state}"))
            old, before = plugin._live, plugin.source
            if old is None or not isinstance(before, Found):
                raise StateError(f"plugin {plugin.name!r} is {plugin.state}, not loaded")
            if not old.instance.reloadable:
                text = "the host has imported its package itself; only a restart of the host brings new code"
                raise _unfit(plugin.name, Reason("not-reloadable", text))
            files = read_files(lifecycle.workshop, found, self._options.quiet)
            if not self._options.check:
                lifecycle.seen[plugin.name] = Sight.of(verdict, files)
            self._successors.append(Successor(plugin, found, verdict, files, old, before))

    # 2 to 4, in the order that the plugins wish for

    def _replace(self) -> list[Ending]:
        modes = {successor.mode for successor in self._successors}
        if self._options.check:
            self._rehearse(stops_first="stop_first" in modes)
            return []
        if "stop_first" in modes:
            self._build()
            with self._closed_gate():
                self._stop_old()
                try:
                    for successor in self._successors:
                        successor.bring_to_life()
                        successor.give_state()
                    staged = self._stage()
                except BaseException:
                    self._undo()
                    self._revive_old()
                    raise
                self._commit(staged)
        elif "gated" in modes:
            self._build(with_life=True)
            with self._closed_gate():
                self._hand_over()
                staged = self._stage()
                self._commit(staged)
        else:
            self._build(with_life=True)
            self._hand_over()
            staged = self._stage()
            self._commit(staged)
        return self._retire(staged)

    def _rehearse(self, *, stops_first: bool) -> None:
        """Everything that can be done while the old versions have what they hold; then undo it."""
        self._build(with_life=not stops_first)
        if not stops_first:
            self._hand_over()
            self._stage()
        self._undo()

    def _build(self, *, with_life: bool = False) -> None:
        workshop = self._new_workshop()
        for successor in self._successors:
            self._built[successor.found.package] = successor.build(workshop).instance
            if with_life:
                successor.bring_to_life()

    def _new_workshop(self) -> Workshop:
        self._built: dict[str, Instance] = {}
        built, usual = self._built, self._lifecycle.workshop

        def wire(found: Found, head: str) -> Instance | None:
            # Only these generations see each other; running code goes on with what serves.
            return built.get(head) or usual.wire(found, head)

        return dataclasses.replace(usual, wire=wire)

    def _hand_over(self) -> None:
        for successor in self._successors:
            successor.take_state()
            successor.give_state()

    @contextmanager
    def _closed_gate(self) -> Iterator[None]:
        """Hold calls of the plugins' hooks back for the block, which begins when no call and no job runs."""
        self._wait_for_jobs()
        providers = [one.old.provider for one in self._successors if one.old.is_hooked]
        gate = self._table.close_gate(providers)
        try:
            if not wait_for_calls(gate, self._table, providers, self._deadline):
                raise self._not_drained("calls")
            self._wait_for_jobs()  # those of the last calls
            yield
        finally:
            gate.open()

    def _wait_for_jobs(self) -> None:
        for successor in self._successors:
            jobs = successor.old.context._jobs
            if jobs is not None and not jobs.wait(max(0.0, self._deadline - time.monotonic())):
                raise self._not_drained("jobs")

    def _not_drained(self, what: str) -> BringUpFailed:
        text = f"{what} still run in the old version after {self._options.timeout:g} s"
        reason = Reason("calls-running", text)
        return BringUpFailed(Failure(self.plugin.name, "drain", reason), StateError(text))

    def _stop_old(self) -> None:
        """End the old versions that hold what the new ones need; those who need them first."""
        stopping = [one for one in self._successors if one.mode == "stop_first"]
        for successor in self._successors:
            successor.take_state()
        try:
            for successor in reversed(stopping):
                successor.halt_old(max(0.0, self._deadline - time.monotonic()))
                self._problems += successor.halted.failures if successor.halted is not None else ()
        except BaseException:
            self._revive_old()
            raise

    def _revive_old(self) -> None:
        """Start those again that were stopped; the first loaded first."""
        for successor in self._successors:
            if successor.halted is None:
                continue
            plugin, old = successor.plugin, successor.old
            try:
                live = successor.revive(self._lifecycle.workshop)
                if old.is_hooked:
                    self._table.commit(self._table.stage(remove=[old.provider], add=[live.provider]))
            except (BringUpFailed, PluginkitError) as error:
                failure = (
                    error.failure if isinstance(error, BringUpFailed) else hooks_failure(plugin.name, error)
                )
                self._problems += drop(self._lifecycle, plugin, failure)
            else:
                live.is_hooked, old.is_hooked = old.is_hooked, False
                plugin._replace(successor.old_found, live, live.provider.priority)

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
        for successor in self._successors:
            if successor.new is not None:
                self._take_over(successor, successor.new, staged)

    def _take_over(self, successor: Successor, new: Live, staged: Staged) -> None:
        plugin, lifecycle = successor.plugin, self._lifecycle
        new.is_hooked, successor.is_swapped = True, True
        new.instance.commit()
        lifecycle.packages.pop(successor.old_found.package, None)
        lifecycle.packages[successor.found.package] = plugin
        plugin._replace(successor.found, new, successor.verdict.priority)
        if plugin.state is PluginState.QUARANTINED:
            plugin._move(PluginState.RUNNING if new.started else PluginState.LOADED)
        plugin.notices = (*successor.found.notices, *staged.warnings)
        lifecycle.publish("reloaded", plugin.name, version=plugin.version, generation=plugin.generation)
        lifecycle.publish_grants(plugin, new)

    # 5

    def _retire(self, staged: Staged) -> list[Ending]:
        retirements = {retirement.plugin: retirement for retirement in staged.retired}
        endings = []
        for successor in reversed(self._successors):
            left = max(0.0, self._deadline - time.monotonic())
            retirement = retirements.get(successor.plugin.name, successor.old.retirement)
            ending = self._lifecycle.retiring.retire(successor.old_found, successor.old, retirement, left)
            endings.append(ending)
        return endings

    def _undo(self) -> None:
        for successor in reversed(self._successors):
            successor.undo()

    def _report(
        self,
        began: float,
        old_generation: int | None,
        failure: Failure | None,
        endings: list[Ending],
        *,
        is_unchanged: bool,
    ) -> ReloadReport:
        if not self._options.check and not is_unchanged:
            self.plugin.failure = failure
        if failure is not None and not self._options.check:
            self._lifecycle.publish(
                "reload_failed",
                self.plugin.name,
                step=failure.step,
                reason=str(failure.reason),
                generation=self.plugin.generation,
            )
        names = tuple(successor.plugin.name for successor in self._successors)
        self._successors = []
        passing = [ending.passing for ending in endings if ending.passing is not None]
        if passing:
            raise passing[0]
        return ReloadReport(
            plugin=self.plugin.name,
            ok=failure is None,
            old_generation=old_generation,
            new_generation=self.plugin.generation,
            seconds=time.perf_counter() - began,
            together=names,
            failure=failure,
            is_unchanged=is_unchanged,
            is_check=self._options.check,
            running=tuple(leftover for ending in endings for leftover in ending.running),
            problems=(*self._problems, *(problem for ending in endings for problem in ending.failures)),
            _endings=tuple(ending for ending in endings if ending.is_drained),
        )


def _unfit(plugin: str, reason: Reason) -> BringUpFailed:
    return BringUpFailed(Failure(plugin, "assess", reason), StateError(str(reason)))
