"""pluginkit: make a Python program extensible by plugins.

A program describes its extension points as contracts, classes of hookspecs, and gives them to
a `Host`; plugins are found, checked, loaded apart from each other, and called through hooks.

Everything here is imported on first use: `import pluginkit` alone loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluginkit.config import Config as Config
    from pluginkit.contracts import Bytes as Bytes
    from pluginkit.contracts import CallContext as CallContext
    from pluginkit.contracts import LabelDispatch as LabelDispatch
    from pluginkit.contracts import Text as Text
    from pluginkit.contracts import on_label as on_label
    from pluginkit.contracts import sanitise as sanitise
    from pluginkit.errors import AsyncImplementation as AsyncImplementation
    from pluginkit.errors import CallCancelled as CallCancelled
    from pluginkit.errors import CallTimeout as CallTimeout
    from pluginkit.errors import ConfigError as ConfigError
    from pluginkit.errors import ContractDefinitionError as ContractDefinitionError
    from pluginkit.errors import ContractError as ContractError
    from pluginkit.errors import DuplicateName as DuplicateName
    from pluginkit.errors import HookErrors as HookErrors
    from pluginkit.errors import InvalidArgument as InvalidArgument
    from pluginkit.errors import InvalidValue as InvalidValue
    from pluginkit.errors import LabelError as LabelError
    from pluginkit.errors import LoadError as LoadError
    from pluginkit.errors import ManifestError as ManifestError
    from pluginkit.errors import PermissionDenied as PermissionDenied
    from pluginkit.errors import PluginError as PluginError
    from pluginkit.errors import PluginkitError as PluginkitError
    from pluginkit.errors import Problem as Problem
    from pluginkit.errors import Reason as Reason
    from pluginkit.errors import StateError as StateError
    from pluginkit.errors import UnknownName as UnknownName
    from pluginkit.errors import UnknownSymbol as UnknownSymbol
    from pluginkit.errors import UsageError as UsageError
    from pluginkit.events import Event as Event
    from pluginkit.hooks import PluginManager as PluginManager
    from pluginkit.host import Host as Host
    from pluginkit.lifecycle import CloseErrors as CloseErrors
    from pluginkit.lifecycle import LoadFailures as LoadFailures
    from pluginkit.lifecycle import LoadReport as LoadReport
    from pluginkit.lifecycle import Plugin as Plugin
    from pluginkit.lifecycle import PluginState as PluginState
    from pluginkit.lifecycle import ReloadReport as ReloadReport
    from pluginkit.lifecycle import UnloadReport as UnloadReport
    from pluginkit.manifest import Manifest as Manifest
    from pluginkit.markers import HookimplMarker as HookimplMarker
    from pluginkit.markers import HookspecMarker as HookspecMarker
    from pluginkit.markers import hookimpl as hookimpl
    from pluginkit.markers import hookspec as hookspec
    from pluginkit.services import PluginContext as PluginContext

__version__ = "0.1.0"

_HOMES = {
    "config": ("Config",),
    "contracts": ("Bytes", "CallContext", "LabelDispatch", "Text", "on_label", "sanitise"),
    "errors": (
        "AsyncImplementation",
        "CallCancelled",
        "CallTimeout",
        "ConfigError",
        "ContractDefinitionError",
        "ContractError",
        "DuplicateName",
        "HookErrors",
        "InvalidArgument",
        "InvalidValue",
        "LabelError",
        "LoadError",
        "ManifestError",
        "PermissionDenied",
        "PluginError",
        "PluginkitError",
        "Problem",
        "Reason",
        "StateError",
        "UnknownName",
        "UnknownSymbol",
        "UsageError",
    ),
    "events": ("Event",),
    "hooks": ("PluginManager",),
    "host": ("Host",),
    "lifecycle": (
        "CloseErrors",
        "LoadFailures",
        "LoadReport",
        "Plugin",
        "PluginState",
        "ReloadReport",
        "UnloadReport",
    ),
    "manifest": ("Manifest",),
    "markers": ("HookimplMarker", "HookspecMarker", "hookimpl", "hookspec"),
    "services": ("PluginContext",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF), "__version__"]  # noqa: PLE0604  # names, each checked by test_public_names.py


if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'pluginkit' has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"pluginkit.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
