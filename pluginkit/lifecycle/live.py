"""The live half of a plugin: one generation's instance, context and place in the hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UnknownSymbol

if TYPE_CHECKING:
    from pluginkit.hooks import HookTable, Provider, Retirement
    from pluginkit.runtimes import Instance
    from pluginkit.services import PluginContext


@dataclass(eq=False, slots=True, weakref_slot=True)
class Live:
    """What exists of a plugin while it is loaded; dropped as a whole when it is unloaded."""

    name: str
    instance: Instance
    context: PluginContext
    target: Any
    provider: Provider
    table: HookTable
    loaded: bool = False
    started: bool = False
    is_hooked: bool = False
    retirement: Retirement | None = None
    dispensed: dict[str, Any] = field(default_factory=dict)

    def call(self, hook: str, arguments: Mapping[str, Any]) -> Any:
        """Call this plugin's implementation of `hook`, and no other."""
        if hook not in self.table.implementations(self.target):
            raise UnknownSymbol(self.name, hook, self.table.implementations(self.target), kind="hook")
        return getattr(self.table.hook, hook).only(self.name)(**arguments)

    def run(self, step: str) -> None:
        """Call the lifecycle method `step` (`on_load`, `on_start`, …) if the plugin has one."""
        method = lifecycle_method(self.target, step)
        if method is not None:
            with self.instance.entered():
                settled(step, method(self.context))


def lifecycle_method(target: Any, step: str) -> Callable[[PluginContext], Any] | None:
    """The plugin's method for a step of its life, made to take the context.

    One that declares no parameter is called without: `def on_stop(self)` is as good as
    `def on_stop(self, ctx)`.
    """
    import inspect

    # Looked up statically first: a `__getattr__` that answers everything has no method.
    if inspect.getattr_static(target, step, None) is None:
        return None
    method = getattr(target, step)
    if not callable(method):
        return None
    parameters: Mapping[str, object]
    try:
        parameters = inspect.signature(method).parameters
    except (TypeError, ValueError):
        parameters = {"ctx": None}  # no signature to read: called as documented
    return method if parameters else lambda _context: method()


def settled(step: str, result: Any) -> Any:
    """The result of a step; raises TypeError for one that somebody would have to await."""
    if not hasattr(result, "__await__"):
        return result
    close = getattr(result, "close", None)
    if callable(close):
        close()
    raise TypeError(
        f"{step} is async, and nobody would await it; write `def {step}(self, ctx)`, and start "
        "asynchronous work from there"
    )
