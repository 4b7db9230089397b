"""Services: what a plugin is handed by its host."""

from pluginkit.services.context import HostFunctions as HostFunctions
from pluginkit.services.context import PluginContext as PluginContext
from pluginkit.services.stop import StopToken as StopToken
from pluginkit.services.undo import UndoStack as UndoStack

__all__ = ["HostFunctions", "PluginContext", "StopToken", "UndoStack"]
