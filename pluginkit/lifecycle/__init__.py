"""Lifecycle: what becomes of a plugin between discovery and its end."""

from pluginkit.lifecycle.assess import Assessment as Assessment
from pluginkit.lifecycle.assess import Circumstances as Circumstances
from pluginkit.lifecycle.assess import Plan as Plan
from pluginkit.lifecycle.assess import make_plan as make_plan
from pluginkit.lifecycle.bringup import Workshop as Workshop
from pluginkit.lifecycle.bringup import contract_error as contract_error
from pluginkit.lifecycle.choices import Choices as Choices
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
    "StateFile",
    "UnloadReport",
    "Workshop",
    "contract_error",
    "describe",
    "make_plan",
]
