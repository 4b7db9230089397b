"""Which threads are inside of a hook call, told by the frames of hooks' bodies on their stacks."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def is_body(frame: FrameType) -> bool:
    """Whether a frame runs the generated body of a hook; the entry in front of it does not count."""
    return frame.f_code.co_filename.startswith("<hook ") and "implementations" in frame.f_globals


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_inside_a_call() -> bool:
    """Whether this thread, or this task, is within the call of a hook, of whatever table."""
    awaited = _awaited.get()
    return bool(awaited) or any(is_body(frame) for frame in stack(sys._getframe(1)))


_awaited: contextvars.ContextVar[list[None] | None] = contextvars.ContextVar(
    "pluginkit_awaited", default=None
)


@contextmanager
def awaited_call() -> Iterator[None]:
    """Count what runs in this context, its tasks too, as inside of a call until the block ends."""
    inside = [None]
    token = _awaited.set(inside)
    try:
        yield
    finally:
        inside.clear()
        _awaited.reset(token)
