"""Lifecycle: what becomes of a plugin between discovery and its end."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluginkit.lifecycle.assess import Assessment as Assessment
    from pluginkit.lifecycle.assess import Circumstances as Circumstances
    from pluginkit.lifecycle.assess import Plan as Plan
    from pluginkit.lifecycle.assess import make_plan as make_plan
    from pluginkit.lifecycle.bringup import Workshop as Workshop
    from pluginkit.lifecycle.bringup import contract_error as contract_error
    from pluginkit.lifecycle.choices import Choices as Choices
    from pluginkit.lifecycle.collecting import Retired as Retired
    from pluginkit.lifecycle.failure import Failure as Failure
    from pluginkit.lifecycle.manager import Lifecycle as Lifecycle
    from pluginkit.lifecycle.objects import OwnObjects as OwnObjects
    from pluginkit.lifecycle.plugin import Plugin as Plugin
    from pluginkit.lifecycle.plugin import describe as describe
    from pluginkit.lifecycle.plugins import Plugins as Plugins
    from pluginkit.lifecycle.providers import Providers as Providers
    from pluginkit.lifecycle.providers import Provision as Provision
    from pluginkit.lifecycle.providers import Registered as Registered
    from pluginkit.lifecycle.quarantine import QuarantineRule as QuarantineRule
    from pluginkit.lifecycle.report import CloseErrors as CloseErrors
    from pluginkit.lifecycle.report import LoadFailures as LoadFailures
    from pluginkit.lifecycle.report import LoadReport as LoadReport
    from pluginkit.lifecycle.report import ReconfigureReport as ReconfigureReport
    from pluginkit.lifecycle.report import ReloadOptions as ReloadOptions
    from pluginkit.lifecycle.report import ReloadReport as ReloadReport
    from pluginkit.lifecycle.report import UnloadReport as UnloadReport
    from pluginkit.lifecycle.rescan import RescanReport as RescanReport
    from pluginkit.lifecycle.states import PluginState as PluginState
    from pluginkit.lifecycle.store import StateFile as StateFile

_HOMES = {
    "assess": (
        "Assessment",
        "Circumstances",
        "Plan",
        "make_plan",
    ),
    "bringup": (
        "Workshop",
        "contract_error",
    ),
    "choices": ("Choices",),
    "collecting": ("Retired",),
    "failure": ("Failure",),
    "manager": ("Lifecycle",),
    "objects": ("OwnObjects",),
    "plugin": (
        "Plugin",
        "describe",
    ),
    "plugins": ("Plugins",),
    "providers": (
        "Providers",
        "Provision",
        "Registered",
    ),
    "quarantine": ("QuarantineRule",),
    "report": (
        "CloseErrors",
        "LoadFailures",
        "LoadReport",
        "ReconfigureReport",
        "ReloadOptions",
        "ReloadReport",
        "UnloadReport",
    ),
    "rescan": ("RescanReport",),
    "states": ("PluginState",),
    "store": ("StateFile",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Assessment",
    "Choices",
    "Circumstances",
    "CloseErrors",
    "Failure",
    "Lifecycle",
    "LoadFailures",
    "LoadReport",
    "OwnObjects",
    "Plan",
    "Plugin",
    "PluginState",
    "Plugins",
    "Providers",
    "Provision",
    "QuarantineRule",
    "ReconfigureReport",
    "Registered",
    "ReloadOptions",
    "ReloadReport",
    "RescanReport",
    "Retired",
    "StateFile",
    "UnloadReport",
    "Workshop",
    "contract_error",
    "describe",
    "make_plan",
]

if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        # Who only looks at plugins does not pay for what loads and reloads them.
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value
