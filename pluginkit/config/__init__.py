"""What people configure: the host's `config.yaml`, and one file for each plugin."""

from __future__ import annotations

from pluginkit.config.compound import HookCall
from pluginkit.config.durations import parse_duration
from pluginkit.config.host_config import Config, find_config
from pluginkit.config.keys import Key
from pluginkit.config.plugin_config import PluginConfig
from pluginkit.config.plugin_files import PluginConfigs
from pluginkit.config.schema import InvalidSchema, SettingsSchema
from pluginkit.config.settings import Settings
from pluginkit.config.sources import KEYS
from pluginkit.config.validators import Validators

__all__ = [
    "KEYS",
    "Config",
    "HookCall",
    "InvalidSchema",
    "Key",
    "PluginConfig",
    "PluginConfigs",
    "Settings",
    "SettingsSchema",
    "Validators",
    "find_config",
    "parse_duration",
]
