"""Greets with the word that its settings say."""

from __future__ import annotations

from pluginkit import PluginContext, hookimpl


class Greeter:
    """The manifest declares the settings, so they are checked and complete before this is made."""

    def __init__(self, ctx: PluginContext) -> None:
        self._greeting: str = ctx.settings["greeting"]

    @hookimpl
    def greet(self, name: str) -> str:
        """`World` gives `Hello, World!`."""
        return f"{self._greeting}, {name}!"

    @hookimpl
    def greeter_version(self) -> str:
        """The version of this way of greeting."""
        return "1.0.0"
