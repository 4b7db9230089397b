"""Runtimes: one interface over all ways to run a plugin."""

from pluginkit.runtimes.base import Instance as Instance
from pluginkit.runtimes.base import Leftover as Leftover
from pluginkit.runtimes.base import OpenRequest as OpenRequest
from pluginkit.runtimes.base import Runtime as Runtime
from pluginkit.runtimes.native import NativeRuntime as NativeRuntime

__all__ = ["Instance", "Leftover", "NativeRuntime", "OpenRequest", "Runtime"]
