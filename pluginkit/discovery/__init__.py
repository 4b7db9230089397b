"""Discovery: where plugins are and what they say of themselves. Nothing of a plugin is imported."""

from __future__ import annotations

from pluginkit.discovery.catalogue import Catalogue as Catalogue
from pluginkit.discovery.search import discover as discover
from pluginkit.discovery.search import read_plugin as read_plugin
from pluginkit.discovery.select import Selection as Selection
from pluginkit.discovery.values import Broken as Broken
from pluginkit.discovery.values import Conflict as Conflict
from pluginkit.discovery.values import Entry as Entry
from pluginkit.discovery.values import Found as Found
from pluginkit.discovery.values import Origin as Origin

__all__ = [
    "Broken",
    "Catalogue",
    "Conflict",
    "Entry",
    "Found",
    "Origin",
    "Selection",
    "discover",
    "read_plugin",
]
