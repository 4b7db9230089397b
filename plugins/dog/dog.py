"""A dog: a function of a module, for a plugin that needs no state. The entrypoint is the module."""

from __future__ import annotations

from pluginkit import hookimpl


@hookimpl
def speak(is_loud: bool) -> str:
    """What a dog says."""
    return "WOOF!" if is_loud else "Woof"
