"""The reference pages against the code: no key, default or variable may be missing or stale."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pluginkit.config import KEYS, Config, Key, PluginConfig
from pluginkit.config.plugin_files import FIELDS
from pluginkit.strict_yaml import load

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def row(key: Key) -> str:
    """One key as the page's tables show it."""
    default = f"`{key.shown_default}`" if key.shown_default else "(empty)"
    return f"| `{key}` | {key.kind.label} | {default} | `{key.environment_name}` | {key.meaning} |"


@pytest.mark.parametrize("key", KEYS.values(), ids=str)
def test_cf03_every_key_is_documented_with_type_default_variable_and_meaning(key: Key) -> None:
    assert row(key) in (REFERENCE / "config.md").read_text("utf-8").splitlines()


def test_cf03_the_page_documents_no_key_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", (REFERENCE / "config.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(map(str, KEYS.values()))


def test_cf01_the_pages_example_is_a_valid_configuration(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (REFERENCE / "config.md").read_text("utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "config.yaml").write_text(example[1], "utf-8")

    config = Config.load(tmp_path / "config.yaml", environ={}, strict=True)

    assert config.notices == ()
    assert config.origin("application.app_name").startswith("file:")


@pytest.mark.parametrize("field", FIELDS)
def test_pg02_every_field_of_a_plugins_file_is_documented(field: str) -> None:
    assert f"| `{field}` |" in (REFERENCE / "plugin-config.md").read_text("utf-8")


def test_pg05_the_pages_file_and_schema_give_the_plugin_what_the_page_says(tmp_path: Path) -> None:
    page = (REFERENCE / "plugin-config.md").read_text("utf-8")
    file, manifest = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "greeter.config.yaml").write_text(file, "utf-8")
    schema = load(manifest).data["settings"]

    config = PluginConfig.read(tmp_path, "greeter")
    settings = config.settings_for(
        SimpleNamespace(name="greeter", settings=schema), environ={"GREETER_DB_PASSWORD": "hunter2"}
    )

    delivered = repr(settings.as_dict()).replace("'***'", "…").replace("'", '"')
    assert delivered in page
    assert config.priority == 80


@pytest.mark.parametrize("key", KEYS.values(), ids=str)
def test_cf05_the_example_of_every_kind_is_a_right_value(key: Key) -> None:
    value = load(key.kind.example).data
    key.kind.read(value)
    assert key.kind.read(key.kind.from_text(key.kind.example.strip('"'))) is not None
