"""What the user chooses and configures: enable, disable, settings, priorities (LH17, PG01 to PG06, CF)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host, PluginState
from pluginkit.errors import StateError

SETTINGS_CAT = """
from pluginkit import hookimpl
class Cat:
    def __init__(self, ctx): self.ctx = ctx
    @hookimpl
    def speak(self, is_loud): return self.ctx.settings.get_str("word", "Meow")
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "word": {"type": "string", "default": "Miau"},
        "every": {"type": "string", "format": "duration", "default": "5m"},
        "inner": {"type": "object", "properties": {"depth": {"type": "integer", "default": 3}}},
    },
}


def configured(zoo: Any, **files: str) -> Any:
    directory: Path = zoo.directory / "plugin_configs"
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.config.yaml").write_text(text)
    (zoo.directory / "config.yaml").write_text("contracts: {animal: 'pluginkit.contracts.samples:Animal'}\n")
    return zoo.host(config=zoo.directory / "config.yaml", contracts={}, plugins_dir=None, state_dir=None)


def test_lh17_disable_survives_a_restart_and_is_read_before_any_import(
    zoo: Any, journal: Callable[[], list[str]]
) -> None:
    zoo.add("cat", "import builtins\nbuiltins.pk_journal.append('imported')\n" + SETTINGS_CAT)
    host = zoo.started()
    assert journal() == ["imported"]
    assert host.disable("cat").state is PluginState.DISABLED
    assert host.hook.speak(is_loud=True) == []
    host.close()
    again = zoo.started()
    assert journal() == ["imported"]
    assert again.plugins["cat"].state is PluginState.DISABLED
    assert again.plugins["cat"].reason.code == "disabled-by-user"
    assert again.enable("cat").state is PluginState.RUNNING
    again.close()
    assert zoo.started().plugins["cat"].state is PluginState.RUNNING


def test_disable_before_load_needs_no_import(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("cat", "import builtins\nbuiltins.pk_journal.append('imported')\n")
    host = zoo.host()
    host.refresh()
    host.disable("cat")
    assert host.enable("cat").state is PluginState.DISCOVERED
    assert journal() == []


def test_disabling_a_needed_plugin_is_refused_and_changes_nothing(zoo: Any) -> None:
    zoo.speaker("food")
    zoo.speaker("cat", requires={"plugins": ["food"]})
    host = zoo.started()
    with pytest.raises(StateError, match="is needed by 'cat'"):
        host.disable("food")
    assert host.plugins["food"].state is PluginState.RUNNING
    assert host.refresh()["food"].state is PluginState.RUNNING
    host.disable("food", cascade=True)
    assert host.hook.speak(is_loud=True) == []


def test_a_refresh_does_not_wash_failures_and_unloads_away(zoo: Any) -> None:
    zoo.add("bad", "1 / 0")
    zoo.speaker("cat")
    zoo.speaker("dog")
    host = zoo.started()
    host.unload("cat")
    host.disable("dog")
    assert host.plugins["bad"].reason.code == "import-failed"
    assert host.plugins["cat"].state is PluginState.UNLOADED
    (zoo.plugins / "bad" / "bad.py").write_text(SETTINGS_CAT)
    with pytest.raises(Exception, match="contract"):
        host.load("bad")
    assert host.plugins["bad"].reason.code == "contract-unmet"


def test_new_and_removed_plugins_are_seen_by_refresh(zoo: Any) -> None:
    zoo.speaker("cat")
    host = zoo.started()
    zoo.speaker("dog")
    assert host.refresh()["dog"].state is PluginState.DISCOVERED
    import shutil

    shutil.rmtree(zoo.plugins / "dog")
    assert "dog" not in host.refresh()


def test_pg01_settings_reach_the_plugin_checked_and_completed(zoo: Any) -> None:
    zoo.add("cat", SETTINGS_CAT, settings=SCHEMA)
    host = configured(zoo, cat="name: cat\nsettings: {word: Mrrp}\n")
    with host:
        assert host.hook.speak(is_loud=True) == ["Mrrp"]
        settings = host.plugins["cat"].instance.ctx.settings
        assert settings["every"] == 300.0
        assert settings.get_int("inner.depth", 0) == 3


def test_pg05_a_wrong_setting_fails_the_load_with_its_path_and_imports_nothing(
    zoo: Any, journal: Callable[[], list[str]]
) -> None:
    zoo.add(
        "cat", "import builtins\nbuiltins.pk_journal.append('imported')\n" + SETTINGS_CAT, settings=SCHEMA
    )
    host = configured(zoo, cat="settings: {word: 7, unknown: 1}\n")
    host.load()
    reason = host.plugins["cat"].reason
    assert reason.code == "settings-invalid"
    assert {problem.path for problem in reason.problems} == {"settings.word", "settings.unknown"}
    assert "cat.config.yaml" in reason.text
    assert journal() == []


def test_pg02_enabled_false_in_the_file_wins_over_enable(zoo: Any) -> None:
    zoo.add("cat", SETTINGS_CAT)
    host = configured(zoo, cat="enabled: false\n")
    host.load()
    assert host.plugins["cat"].state is PluginState.DISABLED
    assert "cat.config.yaml" in host.plugins["cat"].reason.text
    with pytest.raises(StateError, match=r"cat\.config\.yaml; edit that file"):
        host.enable("cat")


def test_pg02_the_files_priority_wins_over_the_manifests(zoo: Any) -> None:
    zoo.speaker("a", plugin={"priority": 90})
    zoo.speaker("b")
    host = configured(zoo, a="priority: 10\n")
    with host:
        assert host.hook.speak(is_loud=False) == ["b", "a"]
        assert host.plugins["a"].priority == 10


def test_plugins_disabled_in_the_hosts_config_name_that_file(zoo: Any) -> None:
    zoo.speaker("cat")
    (zoo.directory / "config.yaml").write_text(
        "plugins: {disabled: [Cat]}\napplication: {app_version: {major: 2}}\n"
    )
    host = Host.from_config(zoo.directory / "config.yaml")
    host.refresh()
    assert host.plugins["cat"].state is PluginState.DISABLED
    assert "config.yaml" in str(host.plugins["cat"].reason)
    assert str(host.setup.version) == "2.0.0"
    with pytest.raises(StateError, match="stays disabled"):
        host.enable("cat")
    host.close()


def test_cf02_arguments_win_over_the_config(zoo: Any, tmp_path: Path) -> None:
    zoo.speaker("cat")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "config.yaml").write_text("directories: {plugins_dir: ./elsewhere}\nhooks: {errors: raise}\n")
    host = zoo.host(config=str(tmp_path / "config.yaml"), errors="group")
    assert host.load().loaded == ("cat",)
    assert host.setup.errors == "group"
    assert Host(tmp_path / "config.yaml").setup.errors == "raise"


def test_pg04_a_wrong_type_is_the_default_or_an_error_in_strict_mode(zoo: Any) -> None:
    zoo.add("cat", SETTINGS_CAT)
    lenient = configured(zoo, cat="settings: {word: [1]}\n")
    with lenient:
        assert lenient.hook.speak(is_loud=True) == ["Meow"]
    strict = zoo.host(config=zoo.directory / "config.yaml", contracts={}, plugins_dir=None, strict=True)
    with strict:
        assert strict.hook.speak(is_loud=True) == []
        assert "word" in strict.plugins["cat"].errors[0].error
