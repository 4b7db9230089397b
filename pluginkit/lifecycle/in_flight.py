"""Whether calls of a retired generation still run.

The hook table says when the last reference to an implementation has gone, which is the usual
end. But a finished call that raised is kept by its traceback for as long as somebody holds the
exception, and that must not count: what counts are bodies on some thread's stack, and suspended
coroutines.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluginkit.hooks import Provider

_BODY = "<hook "


def is_called(provider: Provider) -> bool:
    """Whether any thread is in a call that holds an implementation of `provider`, or one is suspended."""
    return any(_concerns(frame, provider) for frame in (*_running(), *_suspended()))


def is_inside_a_call() -> bool:
    """Whether this thread would wait for itself: it is within a hook call, or runs an event loop.

    A hook's body holds every implementation of the hook; a suspended call goes on only when the
    loop of this thread does.
    """
    asyncio_events = sys.modules.get("asyncio.events")
    if asyncio_events is not None and asyncio_events._get_running_loop() is not None:
        return True
    return any(_is_body(frame) for frame in _stack(sys._getframe(1)))


def _running() -> Iterator[FrameType]:
    for top in sys._current_frames().values():
        yield from _stack(top)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


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


def _is_body(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_BODY)


def _concerns(frame: FrameType, provider: Provider) -> bool:
    if _is_body(frame):
        return _holds(frame.f_globals.get("implementations"), provider)
    if frame.f_globals.get("__name__", "").startswith("pluginkit.hooks."):
        return any(_holds(value, provider) for value in frame.f_locals.values())
    return False


def _holds(value: Any, provider: Provider) -> bool:
    many = value if isinstance(value, list | tuple) else getattr(value, "implementations", None)
    if not isinstance(many, list | tuple):
        many = (value,)
    return any(getattr(one, "provider", None) is provider for one in many)
