"""Discovery: where plugins are and what they say of themselves. Nothing of a plugin is imported."""

from __future__ import annotations

from pluginkit.discovery.candidates import read_directory as read_directory
from pluginkit.discovery.candidates import read_file as read_file
from pluginkit.discovery.catalogue import Catalogue as Catalogue
from pluginkit.discovery.search import discover as discover
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
    "read_directory",
    "read_file",
]
