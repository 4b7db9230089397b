"""Hooks: what a host can call, who implements it, and calls that cost no more than a loop.

A `HookTable` knows the hooks of a host from its contracts. A `Provider` brings the
implementations of one plugin. Each hook is a plain function, `table.hook.speak`, behind which
lies a body that is generated for exactly the implementations that are there; `body.py` shows
one on its first screen. Changes are staged, then committed, and no call sees half of one.

`PluginManager` gives the same calls to projects that use pluggy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.hooks.drain import Retirement
from pluginkit.hooks.metrics import CallMetrics
from pluginkit.hooks.relay import HookRelay
from pluginkit.hooks.spec import HookSpec
from pluginkit.hooks.table import HookTable, Staged
from pluginkit.hooks.values import CallFailure, Implementation, Outcome, Provider
from pluginkit.markers.typed import ErrorPolicy, Hook

if TYPE_CHECKING:
    from pluginkit.hooks.manager import PluginManager

__all__ = [
    "CallFailure",
    "CallMetrics",
    "ErrorPolicy",
    "Hook",
    "HookRelay",
    "HookSpec",
    "HookTable",
    "Implementation",
    "Outcome",
    "PluginManager",
    "Provider",
    "Retirement",
    "Staged",
]


def __getattr__(name: str) -> object:
    # Only who uses the drop-in for pluggy pays for importing pluggy.
    if name == "PluginManager":
        from pluginkit.hooks.manager import PluginManager

        return PluginManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
