"""The guard: an audit hook that finds what plugins do past the services. It is no security boundary.

It finds accidents, and says whose they are. Whoever wants to get past it can; see
docs/explanation/security.md for the ways that are known.

How it knows whose an operation is, in this order:

1. The innermost frame on the stack that belongs to a plugin decides. A plugin's modules share one
   builtins namespace, and the guard's mark lies in it, so a frame is asked by `f_builtins`: there is no
   list of plugins to keep, and a mark dies with its generation. Generators and finalisers have frames too.
2. If a frame of pluginkit's own (or of `logging`, `linecache`) comes before that, it is the host that
   works, on somebody's behalf: the services check for themselves.
3. If the import system itself opens or lists something, it is the host's: a denial there would make
   it remember a directory as empty, and break somebody else's import later.
4. A thread without any such frame (`Thread(target=os.remove, …)`) is its starter's.

An audit hook runs inside whatever it watches, maybe in a finaliser, under any lock. So it calls nobody:
what is to be told goes into a queue, and a thread publishes it. It cannot be taken out again; without an
open guard it returns at once.
"""

from __future__ import annotations

import functools
import importlib
import os
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, Literal

from pluginkit.errors import PermissionDenied, Reason
from pluginkit.security.grants import Grants
from pluginkit.security.guard_events import EVENTS
from pluginkit.security.refusal import Refusal
from pluginkit.security.repeats import Repeats, shown

KEY = "__pluginkit_guard__"

_SERVING = frozenset({"logging", "logging.handlers", "linecache", "loguru._logger"})
_IMPORTING = frozenset({"importlib._bootstrap", "importlib._bootstrap_external", "zipimport"})
_THREAD_STARTS = frozenset({"_thread.start_new_thread", "_thread.start_joinable_thread"})


class Mark:
    """What lies in the builtins of a guarded generation: whose it is, and what that may do."""

    __slots__ = ("grants", "guard")

    def __init__(self, guard: Guard, grants: Grants) -> None:
        self.guard = guard
        self.grants = grants


class Guard:
    """The guard of one host. `publish` is `EventBus.publish`; it is called from the guard's own thread."""

    def __init__(self, mode: Literal["observe", "block"], publish: Callable[..., Any]) -> None:
        self.mode = mode
        self._publish = publish
        self._repeats = Repeats()
        self._pending: queue.SimpleQueue[_Seen | threading.Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def marks(self, grants: Grants) -> dict[str, object]:
        """What goes into the builtins of a generation with these grants; from now on it is watched."""
        with self._lock:
            if self._thread is None and not self._is_closed:
                _install()
                _open_guards.add(self)
                self._thread = threading.Thread(target=self._tell_all, name="pluginkit-guard", daemon=True)
                self._thread.start()
        return {KEY: Mark(self, grants)}

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until all that was seen so far is told, at most `timeout` seconds."""
        if self._thread is not None:
            told = threading.Event()
            self._pending.put(told)
            told.wait(timeout)

    def close(self) -> None:
        """Watch no more, and tell what is left to tell."""
        with self._lock:
            self._is_closed = True
            _open_guards.discard(self)
            thread, self._thread = self._thread, None
        if thread is not None:
            self._pending.put(None)
            if thread is not threading.current_thread():
                thread.join(10.0)

    def judge(self, grants: Grants, event: str, args: tuple[Any, ...], *, importing: bool) -> None:
        """Let an operation of a plugin pass, or tell of it, and with `block` raise `PermissionDenied`."""
        operation, check = EVENTS[event]
        try:
            check(grants, args)
            return
        except Refusal as error:
            refusal = error
        except Exception as error:  # what we cannot read is not an accident of the plugin's
            refusal = Refusal("unreadable", f"the guard cannot read it: {type(error).__name__}")
            if self.mode == "block":
                return
        target = _shown_target(event, args)
        self._pending.put(_Seen(grants.plugin, operation, target, refusal, self.mode == "block", importing))
        if self.mode == "block":
            reason = Reason(refusal.code, refusal.text)
            raise PermissionDenied(
                grants.plugin, operation, target, reason, rule=refusal.rule, advice=refusal.advice
            )

    def _tell_all(self) -> None:
        while (seen := self._pending.get()) is not None:
            if isinstance(seen, threading.Event):
                seen.set()
                continue
            if seen.importing:
                # A finder that was refused may have remembered what it could not see.
                importlib.invalidate_caches()
            for data, repeated in self._repeats.note(seen.data(), "plugin", "operation", "target", "code"):
                self._tell(data, repeated)
        for data, repeated in self._repeats.rest():
            self._tell(data, repeated)

    def _tell(self, data: Any, repeated: int) -> None:
        about = {name: value for name, value in data.items() if name != "plugin"}
        self._publish("guard", data["plugin"], **about, repeated=repeated)


class _Seen:
    """One operation that was not granted."""

    __slots__ = ("blocked", "importing", "operation", "plugin", "refusal", "target")

    def __init__(  # all that is told of it
        self, plugin: str, operation: str, target: str, refusal: Refusal, blocked: bool, importing: bool
    ) -> None:
        self.plugin = plugin
        self.operation = operation
        self.target = target
        self.refusal = refusal
        self.blocked = blocked
        self.importing = importing

    def data(self) -> dict[str, Any]:
        return {
            "plugin": self.plugin,
            "operation": self.operation,
            "target": self.target,
            "decision": "blocked" if self.blocked else "observed",
            "code": self.refusal.code,
            "reason": self.refusal.text,
        }


def _shown_target(event: str, args: tuple[Any, ...]) -> str:
    try:
        return shown(_target_of(event, args))
    except Exception:  # arguments may be objects of the plugin's; their failure must not become the caller's
        return f"({event})"


def _target_of(event: str, args: tuple[Any, ...]) -> str:
    if event in ("socket.connect", "socket.bind", "socket.sendto"):
        address = args[1]
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
    if event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
        return " ".join(map(_text, args[1])) if isinstance(args[1], list | tuple) else _text(args[1])
    return _text(args[0]) if args else ""


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


# The one hook of the process. The set is replaced by whoever changes it under a lock of its own; the hook
# only asks whether it is empty.
_open_guards: weakref.WeakSet[Guard] = weakref.WeakSet()
_owners: weakref.WeakKeyDictionary[threading.Thread, Mark] = weakref.WeakKeyDictionary()
_inside = threading.local()
_install_lock = threading.Lock()
_is_installed = False


def _install() -> None:
    global _is_installed  # noqa: PLW0603  # a hook is for the process, and for good
    with _install_lock:
        if not _is_installed:
            sys.addaudithook(_hook)
            if sys.version_info < (3, 12):
                _watch_thread_starts()
            _is_installed = True


def _watch_thread_starts() -> None:
    """Python 3.11 has no audit event for it: what later versions tell, `Thread.start` tells here."""
    threads: Any = threading.Thread
    start = threading.Thread.start

    @functools.wraps(start)
    def owned_start(self: threading.Thread) -> None:
        if _open_guards:
            _own_thread(self, sys._getframe(1))
        start(self)

    threads.start = owned_start


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event not in EVENTS:
        if event in _THREAD_STARTS and _open_guards:
            thread = getattr(args[0], "__self__", None)
            if isinstance(thread, threading.Thread):
                _own_thread(thread, sys._getframe(1))
        return
    if not _open_guards or getattr(_inside, "hook", False):
        return
    _inside.hook = True
    try:
        mark, importing = _whose(sys._getframe(1))
        if mark is not None and not mark.guard._is_closed:
            mark.guard.judge(mark.grants, event, args, importing=importing)
    finally:
        _inside.hook = False


def _whose(frame: FrameType | None) -> tuple[Mark | None, bool]:
    """The mark of the plugin that is at work, and whether an import goes on in between."""
    importing = False
    innermost = True
    while frame is not None:
        mark = frame.f_builtins.get(KEY)
        if mark is not None:
            return mark, importing
        name = frame.f_globals.get("__name__")
        if type(name) is str:
            if name in _IMPORTING or name.startswith("pluginkit.loading."):
                if innermost:
                    return None, True
                importing = True
            elif name in _SERVING or name.startswith("pluginkit."):
                return None, False
        innermost = False
        frame = frame.f_back
    thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]  # current_thread() may make one
    return (_owners.get(thread) if thread is not None else None), importing


def _own_thread(thread: threading.Thread, frame: FrameType | None) -> None:
    """Remember who starts a thread: in that thread there may be no frame of a plugin."""
    while frame is not None:
        mark = frame.f_builtins.get(KEY)
        if mark is not None:
            _owners[thread] = mark
            return
        name = frame.f_globals.get("__name__")
        # The context starts threads for a plugin; the host's pool starts its own, whoever submits.
        if type(name) is str and name.startswith("pluginkit.") and not name.startswith("pluginkit.services."):
            return
        frame = frame.f_back
    starter = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]  # as above
    mark = _owners.get(starter) if starter is not None else None
    if mark is not None:
        _owners[thread] = mark
