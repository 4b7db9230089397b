"""Whether calls of a retired generation still run.

The hook table says when the last reference to an implementation has gone, which is the usual
end. But a finished call that raised is kept by its traceback for as long as somebody holds the
exception, and that must not count: what counts are bodies on some thread's stack, and suspended
coroutines.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

from pluginkit.hooks.frames import is_body, is_inside_a_call, stack

if TYPE_CHECKING:
    from pluginkit.hooks import HookTable, Provider
    from pluginkit.hooks.gate import Gate


def is_called(provider: Provider) -> bool:
    """Whether any thread is in a call that holds an implementation of `provider`, or one is suspended."""
    return any(_concerns(frame, provider) for frame in chain(_running(), _suspended()))


def would_wait_for_itself() -> bool:
    """Whether this thread would do so: it is within a hook call, or runs an event loop.

    A hook's body holds every implementation of the hook; a suspended call goes on only when the
    loop of this thread does.
    """
    asyncio_events = sys.modules.get("asyncio.events")
    if asyncio_events is not None and asyncio_events._get_running_loop() is not None:
        return True
    return is_inside_a_call()


def wait_for_calls(gate: Gate, table: HookTable, providers: Sequence[Provider], deadline: float) -> bool:
    """Wait until nobody runs in implementations of `providers`, behind a closed gate; False at the deadline.

    A call that has passed the entry function and not come to the body yet has no frame to be seen by,
    so that one empty look proves nothing; the second one does, unless the body itself has ended before.
    """
    empty_looks, patience = 0, 0.001
    while not gate.is_empty or any(map(table.pins.holds, providers)):
        is_busy = any(is_called(one) or table.pins.holds(one) for one in providers)
        empty_looks = 0 if is_busy else empty_looks + 1
        if empty_looks == 2:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(patience)
        patience = min(2 * patience, 0.05)
    return True


def _running() -> Iterator[FrameType]:
    # A variable that holds its own frame would keep it, and all that called it, until a collection:
    # this thread is looked at from the caller on.
    yield from stack(sys._getframe(1))
    others = sys._current_frames()
    others.pop(threading.get_ident(), None)
    for top in others.values():
        yield from stack(top)


def _suspended() -> Iterator[FrameType]:
    for thing in gc.get_objects():
        frame: FrameType | None = None
        if isinstance(thing, CoroutineType):
            frame = thing.cr_frame
        elif isinstance(thing, GeneratorType):
            frame = thing.gi_frame
        elif isinstance(thing, AsyncGeneratorType):
            frame = thing.ag_frame
        if frame is not None:
            yield frame


def _concerns(frame: FrameType, provider: Provider) -> bool:
    if is_body(frame):
        return _holds(frame.f_globals.get("implementations"), provider)
    module = frame.f_globals.get("__name__", "")
    # Not the frames of those who look at frames: to ask for their variables would tie both together.
    if module.startswith("pluginkit.hooks.") and module != stack.__module__:
        return any(_holds(value, provider) for value in frame.f_locals.values())
    return False


def _holds(value: Any, provider: Provider) -> bool:
    many = value if isinstance(value, list | tuple) else getattr(value, "implementations", None)
    if not isinstance(many, list | tuple):
        many = (value,)
    return any(getattr(one, "provider", None) is provider for one in many)
