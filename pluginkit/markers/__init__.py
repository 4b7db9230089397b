"""The words that authors of hosts and plugins write: `hookspec` and `hookimpl`.

A host marks the methods of its contract classes with `@hookspec`, a plugin the methods that
answer with `@hookimpl`. Both only leave a note on the function; a hook table reads it later.
The notes are pluggy's, so that either library reads the other's marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.markers.implementing import implements as implements
from pluginkit.markers.marks import HookimplMarker as HookimplMarker
from pluginkit.markers.marks import HookimplOpts as HookimplOpts
from pluginkit.markers.marks import HookspecMarker as HookspecMarker
from pluginkit.markers.marks import HookspecOpts as HookspecOpts

if TYPE_CHECKING:
    from pluginkit.markers.typed import ContractMarker

__all__ = [
    "HookimplMarker",
    "HookimplOpts",
    "HookspecMarker",
    "HookspecOpts",
    "hookimpl",
    "hookspec",
    "implements",
]

# The same marker either way. The declared type is more: it lets type checkers carry the
# signature of a contract's method to every call of the hook, see `typed`.
if TYPE_CHECKING:
    hookspec: ContractMarker
else:
    hookspec = HookspecMarker("pluginkit")

hookimpl = HookimplMarker("pluginkit")
