"""Settings against the JSON Schema that a plugin's manifest declares (draft 2020-12)."""

from __future__ import annotations

from pluginkit.config.schema.check import InvalidSchema, SettingsSchema

__all__ = ["InvalidSchema", "SettingsSchema"]
