"""A cow: the methods that the host calls when it loads, starts, stops and unloads a plugin."""

from __future__ import annotations

from pluginkit import PluginContext, hookimpl


class Cow:
    """Awake while the host runs. All four methods are optional, as is the parameter `ctx`."""

    def __init__(self, ctx: PluginContext) -> None:
        self._log = ctx.log
        self.awake = False

    def on_load(self) -> None:
        """Take what can fail; the plugin is not called yet, and a raised error fails its load."""
        self._log.debug("the cow is in the stable")

    def on_start(self) -> None:
        """Begin to work; hooks are called from now on."""
        self.awake = True

    def on_stop(self) -> None:
        """End the work that `on_start` began."""
        self.awake = False

    def on_unload(self) -> None:
        """Give back what `on_load` took."""
        self._log.debug("the cow has left the stable")

    @hookimpl
    def speak(self, is_loud: bool) -> str:
        """What a cow says."""
        return "MOO!" if is_loud else "Moo"
