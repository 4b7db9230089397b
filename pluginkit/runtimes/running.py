"""Who executes a plugin's code, now or soon: threads by their frames, asyncio tasks by theirs, timers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from pluginkit.runtimes.base import Leftover

Belongs = Callable[[FrameType], bool]


def threads(belongs: Belongs) -> Iterator[Leftover]:
    """Name every other thread that has a frame of the plugin on its stack."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    tops = sys._current_frames()
    # This frame in a variable of its own would keep itself, and all that called it, until a collection.
    tops.pop(threading.get_ident(), None)
    for ident, top in tops.items():
        frame = _first(top, belongs)
        if frame is not None:
            yield Leftover("thread", names.get(ident, str(ident)), _place(frame))


def timers(builtins_of_plugin: object) -> Iterator[Leftover]:
    """Name every `threading.Timer` that is still to call a function of the plugin."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer) and not thread.finished.is_set():
            function = getattr(thread.function, "__func__", thread.function)
            if getattr(function, "__builtins__", None) is builtins_of_plugin:
                code = function.__code__
                where = f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
                yield Leftover("timer", thread.name, where)


def tasks(belongs: Belongs) -> Iterator[Leftover]:
    """Name every unfinished asyncio task whose coroutine is the plugin's."""
    asyncio_tasks = sys.modules.get("asyncio.tasks")
    if asyncio_tasks is None:
        return
    # asyncio keeps the tasks of all loops in a weak set; its name changed in 3.12.
    modern = hasattr(asyncio_tasks, "_scheduled_tasks")
    for task in list(getattr(asyncio_tasks, "_scheduled_tasks" if modern else "_all_tasks", ())):
        frame = getattr(task.get_coro(), "cr_frame", None)
        if not task.done() and frame is not None and belongs(frame):
            yield Leftover("task", task.get_name(), _place(frame))


def _first(frame: FrameType | None, belongs: Belongs) -> FrameType | None:
    while frame is not None and not belongs(frame):
        frame = frame.f_back
    return frame


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
