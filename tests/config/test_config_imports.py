"""Configuration is read by every command: it must not import what that command does not need."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Child = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = {
    "yaml",
    "jsonschema",
    "referencing",
    "packaging",
    "importlib.metadata",
    "asyncio",
    "logging.handlers",
}


def heavy_after(child: Child, statements: str) -> set[str]:
    # -S: what the .pth files of the environment import is not ours.
    done = child("-S", "-c", f"import sys\n{statements}\nprint('\\n'.join(sys.modules))")
    return HEAVY & set(done.stdout.split())


@pytest.mark.parametrize(
    "statements",
    [
        "import pluginkit.config",
        "from pluginkit.config import Config; Config.load(None, environ={'PLUGINKIT_LOGGING__LOG_MAX_AGE': '3'})",
        "from pluginkit.config import Config; Config.load('config.json', environ={}).as_dict()",
        "from pluginkit.config import PluginConfigs; PluginConfigs.scan('.').get('cat').settings_for(Manifest(None))",
        (
            "from pluginkit.config import PluginConfigs; PluginConfigs.scan('.').get('dog').settings_for(Manifest({"
            "'type': 'object', 'properties': {'port': {'type': 'integer', 'default': 80}}}))"
        ),
    ],
)
def test_cf01_reading_configuration_imports_nothing_heavy(
    child: Child, tmp_path: Path, statements: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"application": {"app_version": {"full": "1.2.3"}}}))
    (tmp_path / "cat.config.json").write_text(json.dumps({"settings": {"port": 80}}))
    manifest = "from types import SimpleNamespace\nManifest = lambda schema: SimpleNamespace(name='x', settings=schema)\n"
    assert heavy_after(child, manifest + statements) == set()


def test_pg05_jsonschema_is_imported_when_there_are_settings_to_check(child: Child) -> None:
    statements = (
        "from pluginkit.config import SettingsSchema; SettingsSchema({'type': 'object'}).apply({'a': 1})"
    )
    done = child("-c", f"import sys\n{statements}\nprint('jsonschema' in sys.modules)")
    assert done.stdout.strip() == "True"
