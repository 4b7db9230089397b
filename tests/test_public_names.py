"""What `import pluginkit` promises: every public name is there, on first use and no sooner."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import pluginkit

NAMES_OF_DESIGN = {
    "pluginkit": [
        "Host", "Plugin", "PluginState", "Manifest", "PluginContext", "CallContext", "Config", "hookspec", "hookimpl",
        "HookspecMarker", "HookimplMarker", "PluginManager",
    ],
    "pluginkit.logs": ["LogChain", "LoggerJob", "AuditLog"],
    "pluginkit.contracts": ["Execute", "Animal", "Transformer", "Greeter", "Processor"],
}  # fmt: skip


def test_every_public_name_can_be_imported() -> None:
    for name in pluginkit.__all__:
        assert getattr(pluginkit, name) is not None, name
    assert set(pluginkit.__all__) <= set(dir(pluginkit))


def test_the_names_of_the_design_are_there() -> None:
    for module, names in NAMES_OF_DESIGN.items():
        for name in names:
            assert hasattr(importlib.import_module(module), name), (module, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pluginkit' has no attribute 'Hots'"):
        _ = pluginkit.Hots  # type: ignore[attr-defined]  # that is the point


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert version("pluginkit") == pluginkit.__version__


def test_type_checkers_and_users_see_the_same_names() -> None:
    import ast
    from pathlib import Path

    tree = ast.parse(Path(pluginkit.__file__).read_text())
    declared = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pluginkit")
        for alias in node.names
    }
    assert declared | {"__version__"} == set(pluginkit.__all__)


def test_importing_alone_loads_no_room() -> None:
    script = "import sys, pluginkit; print(sorted(m for m in sys.modules if m.startswith('pluginkit')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pluginkit']"
