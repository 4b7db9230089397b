"""Defaults that several rooms share, and that must cost nothing to know."""

from __future__ import annotations

ENTRY_POINT_GROUP = "pluginkit.plugins"
"""The entry point group in which installed plugins are looked for."""

CLOSE_TIMEOUT = 10.0
"""Seconds that unloading and closing wait for a plugin's threads."""
