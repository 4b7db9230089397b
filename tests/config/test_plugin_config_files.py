"""PG01, PG02: one file for each plugin, found by its normalised name, read without the plugin."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pluginkit.config import PluginConfig, PluginConfigs
from pluginkit.errors import ConfigError

FULL = "name: greeter\nenabled: false\npriority: 80\ntype: greeting\nsettings: {greeting: Hello}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def problems_of(directory: Path, name: str = "greeter") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        PluginConfig.read(directory, name)
    assert str(caught.value).startswith(f"the configuration of plugin {name!r} cannot be used\n")
    return [str(problem).replace(f"{directory}/", "") for problem in caught.value.problems]


def test_pg01_the_yaml_file_of_the_plugins_name_is_read(directory: Path) -> None:
    (directory / "greeter.config.yaml").write_text(FULL, "utf-8")

    config = PluginConfig.read(directory, "greeter")

    assert config == PluginConfig(
        name="greeter",
        enabled=False,
        priority=80,
        type="greeting",
        settings={"greeting": "Hello"},
        file=directory / "greeter.config.yaml",
    )


def test_pg01_the_json_file_is_read_too(directory: Path) -> None:
    (directory / "greeter.config.json").write_text(json.dumps({"settings": {"a": [1, {"b": None}]}}), "utf-8")
    assert PluginConfig.read(directory, "greeter").as_dict()["settings"] == {"a": [1, {"b": None}]}


@pytest.mark.parametrize("text", ["", "{}", "settings:\n", "name:\nenabled:\npriority:\ntype:\nsettings:\n"])
def test_pg02_what_is_not_given_has_its_default(directory: Path, text: str) -> None:
    (directory / "greeter.config.yaml").write_text(text, "utf-8")
    config = PluginConfig.read(directory, "greeter")
    assert (config.name, config.enabled, config.priority, config.type) == ("greeter", True, None, None)
    assert config.settings == {}


@pytest.mark.parametrize("where", [None, "absent"])
def test_pg01_without_a_file_or_directory_the_defaults_hold(directory: Path, where: str | None) -> None:
    config = PluginConfig.read(None if where is None else directory / where, "greeter")
    assert config == PluginConfig(name="greeter")
    assert config.file is None


@pytest.mark.parametrize("stem", ["my-plugin", "my_plugin", "My.Plugin", "MY--plugin"])
def test_pg01_names_match_as_pep_503_normalises_them(directory: Path, stem: str) -> None:
    (directory / f"{stem}.config.yaml").write_text(f"name: {stem}\npriority: 7\n", "utf-8")
    config = PluginConfig.read(directory, "my_plugin")
    assert (config.name, config.priority) == ("my_plugin", 7)


@pytest.mark.parametrize(
    "names",
    [
        ("greeter.config.json", "greeter.config.yaml"),
        ("Greeter.config.yaml", "greeter.config.yaml"),
    ],
)
def test_pg01_two_files_for_one_plugin_are_an_error_that_names_both(
    directory: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        (directory / name).write_text("{}", "utf-8")
    (problem,) = problems_of(directory)
    assert (
        problem
        == f"name: {names[0]} and {names[1]} configure the same plugin; keep one of them (found 'greeter')"
    )
    assert PluginConfig.read(directory, "other").enabled


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("enabled: 1", ["1: enabled: must be true or false (found 1; right would be enabled: true)"]),
        (
            "\npriority: 101",
            ["2: priority: must be an integer, 0 to 100 (found 101; right would be priority: 3)"],
        ),
        (
            "priority: -1",
            ["1: priority: must be an integer, 0 to 100 (found -1; right would be priority: 3)"],
        ),
        (
            "priority: high",
            ["1: priority: must be an integer, 0 to 100 (found 'high'; right would be priority: 3)"],
        ),
        ("settings: [a]", ["1: settings: must be a mapping (found ['a']; right would be settings: {})"]),
        ("settings: text", ["1: settings: must be a mapping (found 'text'; right would be settings: {})"]),
        (
            "name: other",
            ["1: name: must be the name that the file has (found 'other'; right would be greeter)"],
        ),
        ("type: 5", ["1: type: must be text; put it in quotes (found 5; right would be type: name)"]),
        ("enabld: false", ["1: enabld: unknown key; did you mean 'enabled'?"]),
        ("hosts: [a]", ["1: hosts: unknown key; the plugin's own settings stand below 'settings'"]),
        ("- a", ["1: must be a mapping with name, enabled, priority, settings (found ['a'])"]),
        ("enabled: 1\nx: 1\npriority: x", ["1: enabled: ", "2: x: ", "3: priority: "]),
        ("a: [}", ["1: is not valid YAML: "]),
        (
            "enabled: yes\npriority: x",
            ["1: enabled: reads differently in YAML 1.1 and YAML 1.2", "2: priority: must be an integer"],
        ),
    ],
)
def test_pg02_wrong_fields_are_all_named_with_their_lines(
    directory: Path, text: str, problems: list[str]
) -> None:
    (directory / "greeter.config.yaml").write_text(text, "utf-8")
    found = problems_of(directory)
    assert len(found) == len(problems)
    for told, wanted in zip(found, problems, strict=True):
        assert told.startswith(f"greeter.config.yaml:{wanted}"), told


def test_pg01_a_fifo_in_the_files_place_is_an_error_and_no_hang(directory: Path) -> None:
    os.mkfifo(directory / "greeter.config.yaml")
    assert problems_of(directory) == ["greeter.config.yaml: is a FIFO (named pipe), not a regular file"]


def test_pg01_a_file_in_the_directorys_place_is_an_error(directory: Path) -> None:
    (directory / "configs").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="configs: cannot be listed: Not a directory"):
        PluginConfigs.scan(directory / "configs")


def test_pg01_one_bad_file_does_not_stop_the_others(directory: Path) -> None:
    (directory / "bad.config.yaml").write_text("a: [", "utf-8")
    (directory / "good.config.yaml").write_text("priority: 1", "utf-8")
    configs = PluginConfigs.scan(directory)
    assert configs.get("good").priority == 1
    with pytest.raises(ConfigError):
        configs.get("bad")


def test_pg01_the_directory_is_read_once_for_all_plugins(directory: Path) -> None:
    (directory / "one.config.yaml").write_text("priority: 1", "utf-8")
    configs = PluginConfigs.scan(directory)
    (directory / "two.config.yaml").write_text("priority: 2", "utf-8")
    assert configs.get("one").priority == 1
    assert configs.get("two").priority is None


def test_pg01_files_that_only_look_like_plugin_configuration_are_named(directory: Path) -> None:
    for name in (
        "cat.config.yml",
        "dog.config.toml",
        "readme.md",
        ".config.yaml",
        ".#cow.config.yaml",
        "cow.yaml",
    ):
        (directory / name).write_text("", "utf-8")
    configs = PluginConfigs.scan(directory)
    assert [notice.replace(f"{directory}/", "") for notice in configs.notices] == [
        "cat.config.yml: is not read; a plugin's config file ends in .config.yaml or .config.json",
        "dog.config.toml: is not read; a plugin's config file ends in .config.yaml or .config.json",
    ]


def test_pg01_a_file_for_no_plugin_is_named_with_the_nearest_plugin(directory: Path) -> None:
    for name in ("gretter", "My_Cat"):
        (directory / f"{name}.config.yaml").write_text("", "utf-8")
    unmatched = PluginConfigs.scan(directory).unmatched(["greeter", "my-cat"])
    assert [text.replace(f"{directory}/", "") for text in unmatched] == [
        "gretter.config.yaml: there is no plugin named 'gretter'; did you mean 'greeter'?"
    ]


def test_pg02_settings_cannot_be_changed_through_the_config(directory: Path) -> None:
    (directory / "greeter.config.yaml").write_text("settings: {db: {port: 1}, list: [1]}", "utf-8")
    config = PluginConfig.read(directory, "greeter")
    with pytest.raises(TypeError):
        config.settings["db"]["port"] = 2
    assert isinstance(config.settings["list"], tuple)


def test_cf05_a_plugins_config_does_not_show_its_secrets(directory: Path) -> None:
    text = 'settings: {password: hunter2, url: "ftp://me:hunter2@x", key: {$env: KEY}, name: cat}'
    (directory / "greeter.config.yaml").write_text(text, "utf-8")
    config = PluginConfig.read(directory, "greeter")
    shown: dict[str, Any] = config.as_dict()
    assert shown["settings"] == {
        "password": "***",
        "url": "ftp://me:***@x",
        "key": {"$env": "KEY"},
        "name": "cat",
    }
    assert "hunter2" not in repr(config)
    assert config.as_dict(redact=False)["settings"]["password"] == "hunter2"
    assert json.loads(json.dumps(shown)) == shown
