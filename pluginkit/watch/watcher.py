"""`Watcher`: the thread that looks at plugins when their files have changed, and have come to rest.

One look after another, in one thread: changes that arrive during a look wait for the next one, and
several of one plugin become one. In this order:

1. Wait until the changes are at rest (`pending`).
2. Wait for who is not done yet: git, pip (`gates`); and, if something is gone, whether it comes
   back: a replaced directory and an upgraded distribution are gone for a moment.
3. Tell the changes, then have the host look at those plugins: `rescan(apply=True)`, which decides by
   content, tries each version once, and leaves serving what serves when it fails.
4. Watch what there is to be watched now.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.errors import StateError
from pluginkit.watch.changes import Change
from pluginkit.watch.gates import held_by
from pluginkit.watch.health import WatcherHealth
from pluginkit.watch.libraries import Libraries
from pluginkit.watch.observing import Observing
from pluginkit.watch.own_output import OwnOutput
from pluginkit.watch.owners import INSTALLED, SOMETHING, Owners
from pluginkit.watch.pending import MANY, Burst, Pending
from pluginkit.watch.places import Place, places, site_directories
from pluginkit.watch.telling import is_plugin, tell_changes, tell_own_output, tell_report, tell_upgraded

if TYPE_CHECKING:
    from pluginkit.lifecycle import Plugin, RescanReport
    from pluginkit.watch.watched import Watched

_log = logging.getLogger("pluginkit")

GONE_REST = 0.5
"""Seconds without a change before something that is gone counts as gone."""
CHECK_EVERY = 10.0
"""Seconds without a change after which it is asked whether there is still somebody who would tell of one."""
STOP_TIMEOUT = 5.0
"""Seconds that `stop` waits for the threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How to watch; times are seconds.

    `quiet`: how long files must rest before a change is acted on. `max_wait`: the longest that a
    change waits for others to come to rest. `polling`: look regularly, for mounts that send no events.
    """

    quiet: float = 0.1
    max_wait: float = 2.0
    polling: bool = False


class Watcher:
    """Keeps the plugins of one host as their files are, from `start` to `stop`; it may be started again."""

    def __init__(self, host: Watched, options: WatchOptions | None = None) -> None:
        self._host = host
        self._options = options or WatchOptions()
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._changes = 0
        self._looks = 0
        self._last: tuple[float, str] | None = None
        self._waiting_for: str | None = None
        self._trouble: str | None = None
        self._prepare()

    def _prepare(self) -> None:
        options = self._options
        self._pending = Pending(quiet=options.quiet, max_wait=options.max_wait)
        self._observing = Observing(self._note, polling=options.polling)
        self._output = OwnOutput()
        self._patient: set[str] = set()
        self._sites = site_directories() if self._host.setup.entry_point_group is not None else ()
        self._libraries = Libraries(self._sites)
        self._owners = self._owners_now()

    # Any thread

    def start(self) -> bool:
        """Begin to watch; if that is not possible it is an error in the log, and the host works without.

        Gives whether changes are acted on from now on. Does nothing if they are already.
        """
        self._forget_parent()
        with self._lock:
            if self._thread is not None:
                return True
            self._prepare()
            try:
                self._observing.start(self._places())
            except Exception as error:
                self._trouble = f"cannot be started: {error}"
                _log.exception("watching %s; changed plugins are not reloaded by themselves", self._trouble)
                return False
            self._trouble = None
            # What has changed since the plugins were loaded and before anybody watched.
            self._pending.add(SOMETHING)
            self._thread = threading.Thread(
                target=self._run, args=(self._pending,), name="pluginkit-watch", daemon=True
            )
            self._thread.start()
            return True

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End all threads of the watcher; a look that has begun has `timeout` seconds to end. Idempotent."""
        self._forget_parent()
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._pending.close()
            deadline = time.monotonic() + timeout
            self._observing.stop(timeout)
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))

    def health(self) -> WatcherHealth:
        """How it does at this moment."""
        changed, file = self._last or (None, None)
        return WatcherHealth(
            is_running=self._thread is not None,
            backend=self._observing.backend,
            directories=tuple(sorted(place.path for place in self._observing.places)),
            trouble=self._trouble or self._observing.trouble,
            changes=self._changes,
            looks=self._looks,
            last_change=changed,
            last_file=file,
            waiting_for=self._waiting_for,
            restart_needed=tuple(map(str, self._libraries.upgraded)),
        )

    def _forget_parent(self) -> None:
        """In a forked child there is no thread of ours, and a lock that one held then is held for ever."""
        if os.getpid() != self._process:
            self._process, self._lock, self._thread = os.getpid(), threading.RLock(), None
            self._pending = Pending(quiet=self._options.quiet, max_wait=self._options.max_wait)

    def _note(self, change: Change) -> None:
        """Called by watchdog's thread for each change: it must be quick, and must not fail."""
        if self._output.is_own(change.path):
            return
        self._changes += 1
        self._last = (time.time(), change.path)
        self._pending.add(self._owners.of(change.path), change)

    # The watcher's thread

    def _run(self, pending: Pending) -> None:
        while (bursts := pending.take(CHECK_EVERY)) is not None:
            try:
                if bursts:
                    self._look(bursts)
                else:
                    self._revive()
            except StateError:
                # The host is being closed, or a plugin's own code does with it what we wanted to.
                pending.put_back(bursts, rested=GONE_REST)
            except Exception:
                _log.exception("looking at changed plugins")

    def _look(self, taken: Mapping[str, Burst]) -> None:
        bursts = self._by_present_owner(taken)
        if not bursts:
            return
        self._waiting_for = self._held_by(bursts)
        if self._waiting_for is not None:
            self._pending.put_back(bursts, rested=self._options.quiet)
            return
        if self._may_come_back(bursts):
            self._pending.put_back(bursts, rested=GONE_REST)
            return
        tell_changes(bursts, self._owners, self._host.events)
        if INSTALLED in bursts:
            importlib.invalidate_caches()
        report = self._host.rescan(apply=True, quiet=self._options.quiet, only=self._to_be_read(bursts))
        self._patient.clear()
        tell_report(report)
        self._after(bursts, report)
        self._looks += 1

    def _revive(self) -> None:
        """Begin anew if a thread of watchdog has died of a defect: it reads the events of all plugins."""
        with self._lock:
            if self._thread is not threading.current_thread() or self._observing.is_alive:
                return
            _log.error("watching: who reads the file events has ended of an error; it begins anew")
            self._observing.stop(STOP_TIMEOUT)
            self._observing.start(self._places())
            # What has changed since then.
            self._pending.add(SOMETHING)

    def _after(self, bursts: Mapping[str, Burst], report: RescanReport) -> None:
        self._owners = self._owners_now()
        with self._lock:
            if self._thread is threading.current_thread():
                has_more = self._observing.follow(self._places())
                if has_more:
                    # What has changed there since the look, and before anybody watched.
                    self._pending.add(SOMETHING)
        if INSTALLED in bursts:
            tell_upgraded(self._libraries.changed(self._distributions()), self._host.events)
        for reload in report.reloads:
            burst = bursts.get(reload.plugin)
            own = [] if burst is None else self._output.reloaded(burst.changes)
            if own:
                tell_own_output(reload.plugin, own)

    def _by_present_owner(self, bursts: Mapping[str, Burst]) -> dict[str, Burst]:
        """The same changes by whose they are now: a plugin may have been new when they came."""
        grouped: dict[str, Burst] = {}
        for owner, burst in bursts.items():
            if burst.changes and all(map(self._output.is_own, burst.changes)):
                continue  # it came before that was known
            names = {self._owners.of(path) for path in burst.changes} or {owner}
            for name in names if os.path.isabs(owner) else (owner,):
                grouped.setdefault(name, Burst(burst.first, burst.newest)).merge(burst)
        return grouped

    def _held_by(self, bursts: Mapping[str, Burst]) -> str | None:
        directories = [self._owners.directory_of(owner) or owner for owner in bursts if is_plugin(owner)]
        if SOMETHING in bursts:
            directories += map(str, self._host.setup.plugins_dirs)
        all_installed = INSTALLED in bursts or SOMETHING in bursts
        return held_by(directories, self._sites if all_installed else ())

    def _may_come_back(self, bursts: Mapping[str, Burst]) -> bool:
        """Whether a plugin is gone, and not for so long that it has to be believed."""
        gone = {plugin.name for plugin in self._concerned(bursts) if _is_gone(plugin)}
        is_news = not gone <= self._patient
        self._patient = gone
        return is_news

    def _concerned(self, bursts: Mapping[str, Burst]) -> list[Plugin]:
        everybody = SOMETHING in bursts
        return [
            plugin
            for plugin in self._host.plugins.values()
            if plugin.state.is_live
            and (
                everybody
                or plugin.name in bursts
                or (INSTALLED in bursts and plugin.origin.kind == "distribution")
            )
        ]

    def _to_be_read(self, bursts: Mapping[str, Burst]) -> list[str] | None:
        """The plugins whose files are to be compared; None for all, as when events may have been lost."""
        if SOMETHING in bursts or any(burst.count >= MANY for burst in bursts.values()):
            return None
        installed = [
            plugin.name for plugin in self._concerned(bursts) if plugin.origin.kind == "distribution"
        ]
        return [*bursts, *(installed if INSTALLED in bursts else ())]

    # What there is now

    def _owners_now(self) -> Owners:
        setup = self._host.setup
        return Owners(
            self._host.plugins.values(),
            plugins_dirs=setup.plugins_dirs,
            configs_dir=setup.plugin_configs_dir,
            sites=self._sites,
        )

    def _places(self) -> tuple[Place, ...]:
        setup = self._host.setup
        return places(
            plugins_dirs=setup.plugins_dirs,
            configs_dir=setup.plugin_configs_dir,
            sites=self._sites,
            plugins=self._host.plugins.values(),
        )

    def _distributions(self) -> list[str]:
        """The distributions whose code is replaced by a reload."""
        return [
            plugin.origin.distribution
            for plugin in self._host.plugins.values()
            if plugin.origin.distribution is not None and (plugin.reloadable or not plugin.state.is_live)
        ]


def _is_gone(plugin: Plugin) -> bool:
    """Whether nothing is where the plugin was, nor another version of its distribution."""
    path = plugin.origin.path
    if path is None or os.path.lexists(path):
        return False
    name = path.name.partition("-")[0]
    try:
        return plugin.origin.kind != "distribution" or not any(
            entry.startswith(f"{name}-") and entry.endswith(".dist-info") for entry in os.listdir(path.parent)
        )
    except OSError:
        return True
