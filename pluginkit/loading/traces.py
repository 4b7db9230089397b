"""What a plugin's code leaves in process-wide registries past its context, found and undone.

While a generation's modules are imported, and while the plugin's steps run (`on_load` and so
on), registries that the whole process shares are compared before and after: `sys.path`,
`sys.meta_path`, `sys.path_hooks`, warning filters, log handlers, signal handlers, the
interpreter's hooks, the environment. What the plugin registers with `atexit` is noted when it
does. What has come is undone when the generation fails or is retired.

A plain value (a path, a variable of the environment) does not say who has put it there: what
another thread sets in the same moment counts as the plugin's. Nothing else is guessed.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.loading import exit_calls, layers, signals

if TYPE_CHECKING:
    from pluginkit.loading.outside import Outside

_LISTS: tuple[tuple[Any, str], ...] = (
    (sys, "path"),
    (sys, "meta_path"),
    (sys, "path_hooks"),
    (warnings, "filters"),
)
_HOOKS: tuple[tuple[Any, str], ...] = (
    (sys, "excepthook"),
    (sys, "displayhook"),
    (sys, "unraisablehook"),
    (threading, "excepthook"),
)
# The C functions, past `signal`'s own: those make a member of an enum of every answer.
_getsignal: Any = getattr(signal, "_signal").getsignal  # noqa: B009  # typeshed does not know it
_SIGNALS = tuple(map(int, signal.valid_signals()))


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing left behind: what it is, and how it is taken back.

    `outlives` is for values without code of the plugin. Code often looks first whether such a
    value is there; a new version that does, counts on what the old one has left.
    """

    what: tuple[str, Hashable]
    undo: Callable[[], None]
    outlives: bool = False

    def __str__(self) -> str:
        return f"{self.what[0]}: {self.what[1]}"


class Traces:
    """What one generation has left behind. `outside` looks into the host's own modules."""

    def __init__(self, package: str, outside: Outside) -> None:
        self._package = package
        self._outside = outside
        self._found: list[Trace] = []

    def __iter__(self) -> Iterator[Trace]:
        return iter(tuple(self._found))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count as this generation's what comes into the registries during the block."""
        before = _Picture()
        self._outside.begin()
        calls: list[exit_calls.ExitCall] = []
        try:
            with exit_calls.noted(calls):
                yield
        finally:
            for call in calls:
                self._found.append(Trace(("atexit", id(call)), call.undo))
            self._found += before.changes(self._package)
            self._found += [Trace(what, undo) for what, undo in self._outside.changes()]

    def take_over(self, old: Traces) -> None:
        """Keep what the version before has left, and this one may have found and counted on."""
        own = {trace.what for trace in self._found}
        kept = [trace for trace in old if trace.outlives and trace.what not in own]
        self._found = [*kept, *self._found]
        old._found = [trace for trace in old if trace not in kept]

    def undo(self) -> None:
        """Take everything back, last first; a registry that refuses is named in the log."""
        while self._found:
            trace = self._found.pop()
            try:
                trace.undo()
            except Exception:
                logging.getLogger("pluginkit").exception("%s: %s stays behind", self._package, trace)


class _Picture:
    """The process-wide registries at one moment."""

    __slots__ = ("environment", "handlers", "hooks", "lists", "signals")

    def __init__(self) -> None:
        self.lists = [list(getattr(module, name)) for module, name in _LISTS]
        self.hooks = [getattr(module, name) for module, name in _HOOKS]
        self.environment = _environment()
        self.handlers = list(_handlers())
        self.signals = _signals()

    def changes(self, package: str) -> Iterator[Trace]:
        """What has come since; the way back of each."""
        for (module, name), before in zip(_LISTS, self.lists, strict=True):
            for item in _added(before, getattr(module, name)):
                yield _list_trace(module, name, item, package)
        for (module, name), value in zip(_HOOKS, self.hooks, strict=True):
            present = getattr(module, name)
            if present is not value:
                undo = layers.adopt(layers.AttributePlace(module, name), value, present)
                yield Trace((f"{module.__name__}.{name}", ""), undo)
        yield from self._signal_changes()
        yield from self._environment_changes()
        if _handlers() != self.handlers:
            yield from self._handler_changes(package)

    def _signal_changes(self) -> Iterator[Trace]:
        now = _signals()
        if now == self.signals:
            return
        for number, before, after in zip(_SIGNALS, self.signals, now, strict=True):
            if before is not after and before != after and callable(after):
                place = signals.SignalPlace(number)
                remove = layers.adopt(place, signals.behind(number, before), after)
                # From now on it can be taken away from any thread.
                place.write(after)
                yield Trace(("signal", number), signals.uncovered(number, remove))

    def _environment_changes(self) -> Iterator[Trace]:
        now = _environment()
        if now == self.environment:
            return
        for raw in [name for name in now if now[name] != self.environment.get(name)]:
            name, before = os.fsdecode(raw), self.environment.get(raw)
            base = layers.ABSENT if before is None else os.fsdecode(before)
            undo = layers.adopt(layers.EnvironmentPlace(name), base, os.fsdecode(now[raw]))
            yield Trace(("environment", name), undo, outlives=True)

    def _handler_changes(self, package: str) -> Iterator[Trace]:
        known = set(map(id, self.handlers))
        fresh = [handler for handler in (ref() for ref in _handlers() if id(ref) not in known) if handler]
        for logger in _loggers() if fresh else ():
            for handler in fresh:
                if handler in logger.handlers:
                    undo = _Handler(logger, handler).take_off
                    outlives = not _is_of(type(handler), package)
                    yield Trace(("log handler of", logger.name), undo, outlives)


@dataclass(frozen=True, slots=True)
class _Handler:
    logger: logging.Logger
    handler: logging.Handler

    def take_off(self) -> None:
        if self.handler in self.logger.handlers:
            self.logger.removeHandler(self.handler)
            self.handler.close()


@dataclass(frozen=True, slots=True)
class _Item:
    module: Any
    name: str
    item: Any

    def take_out(self) -> None:
        # Looked up now: people assign a new list.
        items = getattr(self.module, self.name)
        for index in range(len(items) - 1, -1, -1):
            if items[index] is self.item or items[index] == self.item:
                del items[index]
                break
        if self.module is warnings:
            # Caches know nothing of a changed list.
            vars(warnings)["_filters_mutated"]()


def _list_trace(module: Any, name: str, item: Any, package: str) -> Trace:
    is_value = not _is_of(item if isinstance(item, type) else type(item), package)
    what = repr(item) if is_value else f"{type(item).__name__} {id(item)}"
    return Trace((f"{module.__name__}.{name}", what), _Item(module, name, item).take_out, outlives=is_value)


def _is_of(cls: type, package: str) -> bool:
    return cls.__module__.partition(".")[0] == package


def _added(before: list[Any], now: list[Any]) -> list[Any]:
    if before == now:
        return []
    rest = list(before)
    added = []
    for item in now:
        if item in rest:
            rest.remove(item)
        else:
            added.append(item)
    return added


def _environment() -> dict[bytes, bytes]:
    # The mapping's own dict of bytes: to decode all of it for every plugin would cost ten times as much.
    data: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]  # as the comment says
    return dict(data)


def _handlers() -> list[Any]:
    """Weak references to all log handlers there are, in order of creation."""
    # Nothing public lists them.
    handlers: list[Any] = vars(logging)["_handlerList"]
    return handlers


def _loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger


def _signals() -> list[Any]:
    # No other thread can set one.
    if threading.current_thread() is not threading.main_thread():
        return []
    return [_getsignal(number) for number in _SIGNALS]
