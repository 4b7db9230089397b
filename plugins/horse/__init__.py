"""A horse: a plugin of several modules. The entrypoint is the directory itself, this package."""

from __future__ import annotations

from pluginkit import hookimpl

from .voice import neigh


@hookimpl
def speak(is_loud: bool) -> str:
    """What a horse says."""
    return neigh(is_loud=is_loud)
