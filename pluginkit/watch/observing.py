"""The file system's events, by watchdog: natively, or by polling where there are none.

A native back-end that cannot start, or that runs out of watches, is replaced by polling with one
warning. That it has run out is not always told: below a watched directory watchdog passes by what
it cannot watch. So it is tried whether one more watch can be had (`_has_run_out`).
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.watch.changes import Action, Change, is_passed_by
from pluginkit.watch.places import Place

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

_log = logging.getLogger("pluginkit")

POLLING_INTERVAL = 1.0
"""Seconds between two looks of the polling back-end."""
_NATIVE = {"linux": "inotify", "darwin": "fsevents", "win32": "ReadDirectoryChangesW"}

_FOUND_TWICE = r"Callback with id .* already exists for watch"

_ACTIONS: dict[str, Action] = {
    "created": "created",
    "modified": "modified",
    "deleted": "removed",
    "moved": "renamed",
    "attrib": "attributes",
}


@dataclass(frozen=True, slots=True)
class _Scheduled:
    watch: ObservedWatch
    identity: tuple[int, int]
    handler: _Handler


class Observing:
    """One observer and what it watches. `start`, `follow` and `stop` are called by one thread at a time."""

    def __init__(self, on_change: Callable[[Change], object], *, polling: bool) -> None:
        self._on_change = on_change
        self.is_polling = polling
        self.trouble: str | None = None
        self._observer: BaseObserver | None = None
        self._scheduled: dict[Place, _Scheduled] = {}

    @property
    def backend(self) -> str:
        """What the events come from."""
        return "polling" if self.is_polling else _NATIVE.get(sys.platform, "native")

    @property
    def places(self) -> tuple[Place, ...]:
        """What is watched now."""
        return tuple(self._scheduled)

    @property
    def is_alive(self) -> bool:
        """Whether those threads of watchdog without which no event arrives are still there."""
        observer = self._observer
        if observer is None:
            return False
        reader = getattr(observer, "_inotify_fd", observer)
        return observer.is_alive() and bool(reader.is_alive())

    def start(self, wanted: Sequence[Place]) -> None:
        """Watch these places from now on; natively if that works. Raises OSError if nothing does."""
        try:
            self._start(wanted)
        except OSError as error:
            if self.is_polling:
                raise
            self._fall_back(wanted, error)
        else:
            self._check(wanted)

    def follow(self, wanted: Sequence[Place]) -> bool:
        """Watch these places instead, and give whether there is one that was not watched until now.

        Those that are watched already stay, unless another directory is there by now.
        """
        before = self._seen_by_now()
        try:
            self._follow(wanted)
        except OSError as error:
            if self.is_polling:
                raise
            self._fall_back(wanted, error)
        else:
            self._check(wanted)
        return not self._seen_by_now() <= before

    def _seen_by_now(self) -> set[tuple[Place, tuple[int, int], bool]]:
        """What is watched, and by whom: who takes over has not seen what came before."""
        return {(place, one.identity, self.is_polling) for place, one in self._scheduled.items()}

    def stop(self, timeout: float) -> None:
        """End all threads; waits `timeout` seconds for them."""
        observer, self._observer = self._observer, None
        self._scheduled = {}
        if observer is not None and observer.is_alive():
            observer.stop()
            if threading.current_thread() is not observer:
                observer.join(timeout)

    def _start(self, wanted: Sequence[Place]) -> None:
        self._observer = _make_observer(polling=self.is_polling)
        try:
            self._observer.start()
            self._follow(wanted)
        except BaseException:
            self.stop(timeout=1.0)
            raise

    def _follow(self, wanted: Sequence[Place]) -> None:
        observer = self._observer
        if observer is None:
            return
        for place, scheduled in list(self._scheduled.items()):
            if place not in wanted or not self._is_good(observer, place, scheduled):
                del self._scheduled[place]
                observer.unschedule(scheduled.watch)
        for place in wanted:
            if place not in self._scheduled:
                self._schedule(observer, place)

    def _is_good(self, observer: BaseObserver, place: Place, scheduled: _Scheduled) -> bool:
        """Whether the directory that is watched is the one that is there now: a watch follows a renamed one."""
        watching = any(one.watch == scheduled.watch and one.is_alive() for one in observer.emitters)
        return watching and _identity(place.path) == scheduled.identity

    def _schedule(self, observer: BaseObserver, place: Place) -> None:
        handler = _Handler(place, self._on_change)
        try:
            watch = observer.schedule(
                handler,  # type: ignore[arg-type]  # it has `dispatch`, all that is asked of it
                place.path,
                recursive=place.recursive,
                event_filter=_wanted_events(only_names=place.names is not None),
            )
        except FileNotFoundError:
            return  # gone since it was found; the next look sees that
        self._scheduled[place] = _Scheduled(watch, _identity(place.path), handler)

    def _check(self, wanted: Sequence[Place]) -> None:
        if not self.is_polling and _has_run_out():
            self._fall_back(wanted, OSError(errno.ENOSPC, "the system has no inotify watches left"))

    def _fall_back(self, wanted: Sequence[Place], error: OSError) -> None:
        self.stop(timeout=5.0)
        self.is_polling = True
        self.trouble = f"{error.strerror or error}; files are polled every {POLLING_INTERVAL:g} s instead"
        _log.warning("watching: %s%s", self.trouble, _advice(error))
        self._start(wanted)


class _Handler:
    """Turns watchdog's events into changes, and drops those that nobody needs."""

    def __init__(self, place: Place, on_change: Callable[[Change], object]) -> None:
        self._place = place
        self._on_change = on_change

    def dispatch(self, event: FileSystemEvent) -> None:
        action = _ACTIONS.get(event.event_type)
        if action is None or (event.is_directory and action == "modified"):
            return
        path, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path or "")
        if action == "renamed" and target:
            self._renamed(path, target, is_directory=event.is_directory)
        elif self._is_of_interest(path):
            self._on_change(Change(action, path, is_directory=event.is_directory))

    def _renamed(self, path: str, target: str, *, is_directory: bool) -> None:
        """A rename from or to a temporary name is how editors write: then only the other name counts."""
        source_counts, target_counts = self._is_of_interest(path), self._is_of_interest(target)
        if source_counts and target_counts:
            self._on_change(Change("renamed", target, path, is_directory))
        elif target_counts:
            self._on_change(Change("modified", target, is_directory=is_directory))
        elif source_counts:
            self._on_change(Change("removed", path, is_directory=is_directory))

    def _is_of_interest(self, path: str) -> bool:
        names, base = self._place.names, self._place.path
        if names is not None and path != base and not self._place.recursive:
            return os.path.basename(path) in names
        return not is_passed_by(path, base)


def _make_observer(*, polling: bool) -> BaseObserver:
    if polling:
        from watchdog.observers.polling import PollingObserver

        return PollingObserver(timeout=POLLING_INTERVAL)
    from watchdog.observers import Observer

    # A directory that is made inside one that is new itself is found twice, by its event and by a look
    # into the new one; watchdog warns of that. The warning helps nobody, and where warnings are
    # errors it ends the thread that reads the events.
    warnings.filterwarnings("ignore", _FOUND_TWICE, RuntimeWarning)
    return Observer()


def _wanted_events(*, only_names: bool) -> list[type[FileSystemEvent]]:
    """All but opening, reading and closing: whoever reads a plugin's files, as we do, must wake nobody.

    Where only another directory or link under some name counts, neither does writing: the log that a
    program writes beside its plugins directory must not cost anything.
    """
    from watchdog import events

    wanted: list[type[FileSystemEvent]] = [
        events.FileCreatedEvent,
        events.FileDeletedEvent,
        events.FileMovedEvent,
        events.DirCreatedEvent,
        events.DirDeletedEvent,
        events.DirMovedEvent,
    ]
    if only_names:
        return wanted
    return [*wanted, events.FileModifiedEvent, events.FileAttribEvent, events.DirAttribEvent]


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino


def _has_run_out() -> bool:
    """Whether the system refuses one more inotify watch; False where there is no inotify."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_CLOEXEC)
    if handle < 0:
        return ctypes.get_errno() == errno.EMFILE
    try:
        in_attrib = 0x00000004
        return (
            bool(libc.inotify_add_watch(handle, b"/", in_attrib) < 0) and ctypes.get_errno() == errno.ENOSPC
        )
    finally:
        os.close(handle)


def _advice(error: OSError) -> str:
    limits = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}
    limit = limits.get(error.errno or 0)
    return f". To have events, raise the limit: sysctl fs.inotify.{limit}=524288" if limit is not None else ""
