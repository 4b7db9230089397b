"""A cat: a class whose method is marked, the usual form of a plugin."""

from __future__ import annotations

from pluginkit import hookimpl


class Cat:
    """Made once, when the plugin is loaded."""

    @hookimpl
    def speak(self, is_loud: bool) -> str:
        """What a cat says."""
        return "MEOW!" if is_loud else "Meow"
