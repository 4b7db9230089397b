"""Whose code logs: the plugin, its version and generation, and the hook in whose call it runs.

Told by the frames of the stack: a plugin's module has a loader that knows its generation, and the
body of a hook has a file name of its own. Nothing is written down while hooks are called, so a
host that does not log pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from pluginkit.logs import fields as names

_MOST_FRAMES = 200
_LOGGER_PREFIX = "pluginkit.plugin."

Whose = Callable[[Any], Mapping[str, Any]]
"""Generation → the fields that name its plugin."""


def by_generation(generation: Any) -> Mapping[str, Any]:
    """What is known of a plugin without its host."""
    return {names.PLUGIN: generation.package, names.GENERATION: generation.number}


def origin_of(frame: FrameType | None, whose: Whose = by_generation) -> dict[str, Any]:
    """The fields of the innermost plugin among a frame and its callers; empty if there is none."""
    found: dict[str, Any] = {}
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        if not found:
            generation = generation_of(frame)
            if generation is not None:
                found = dict(whose(generation))
        elif frame.f_code.co_filename.startswith("<hook "):
            found[names.HOOK] = frame.f_code.co_filename[6:].rpartition(" #")[0]
            break
        frame = frame.f_back
    return found


_NOT_PRINTING = ("logging", "loguru", "warnings", "pluginkit")


def printed_by(frame: FrameType | None, whose: Whose = by_generation) -> dict[str, Any]:
    """The plugin that prints; empty where a log's handler, a warning or pluginkit itself writes on its behalf."""
    start = frame
    for _ in range(_MOST_FRAMES):
        if frame is None or (frame.f_globals.get("__name__") or "").partition(".")[0] in _NOT_PRINTING:
            return {}
        if generation_of(frame) is not None:
            return origin_of(start, whose)
        frame = frame.f_back
    return {}


def generation_of(frame: FrameType) -> Any:
    """The generation that a frame's module belongs to; None for code that is no plugin's."""
    loader = getattr(frame.f_globals.get("__spec__"), "loader", None)
    return getattr(loader, "generation", None)


def plugin_of_logger(name: str) -> str | None:
    """The plugin of a standard logger that a context handed out."""
    return name[len(_LOGGER_PREFIX) :].partition(".")[0] if name.startswith(_LOGGER_PREFIX) else None
