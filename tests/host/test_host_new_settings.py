"""New settings reach the running plugin, or the old ones stay in force (PG03, PG07)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Config, Host, PluginState, StateError

SOURCE = """
from pluginkit import hookimpl
class Cat:
    def __init__(self, ctx):
        self.ctx = ctx
        self.told = []
        {init}
    @hookimpl
    def speak(self, is_loud): return self.ctx.settings.get_str("word", "none")
    def on_config(self, settings):
        self.told.append(settings.get_str("word"))
        {on_config}
"""
SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}, "port": {"type": "integer"}}}


class Shop:
    """A host with one plugin and its config file."""

    def __init__(
        self, zoo: Any, *, init: str = "pass", on_config: str = "pass", source: str = SOURCE
    ) -> None:
        self.directory: Path = zoo.directory
        (self.directory / "configs").mkdir()
        zoo.add("cat", source.format(init=init, on_config=on_config), settings=SCHEMA)
        zoo.speaker("dog")
        self.settings({"word": "one"})
        config = self.directory / "config.yaml"
        config.write_text("directories: {plugin_configs_dir: ./configs}\n")
        self.host: Host = zoo.started(config=Config.load(config))

    def settings(self, settings: Any, **rest: Any) -> None:
        file = self.directory / "configs" / "cat.config.yaml"
        file.write_text(json.dumps({"name": "cat", "settings": settings, **rest}))

    @property
    def cat(self) -> Any:
        return self.host.plugins["cat"].instance


def test_pg07_a_changed_file_reaches_the_running_plugin(zoo: Any) -> None:
    shop = Shop(zoo)
    assert shop.host.hook.speak(is_loud=True)[0] == "one"
    generation = shop.host.plugins["cat"].generation
    shop.settings({"word": "two"})
    events: list[str] = []
    shop.host.events.subscribe(lambda event: events.append(event.kind))
    report = shop.host.reconfigure("cat")
    assert report.ok, report
    assert str(report) == "cat: has new settings"
    assert shop.host.hook.speak(is_loud=True)[0] == "two"
    assert (shop.cat.told, events) == (["two"], ["reconfigured"])
    assert shop.host.plugins["cat"].generation == generation
    again = shop.host.reconfigure("cat")
    assert (again.ok, again.is_unchanged) == (True, True)
    assert shop.cat.told == ["two"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"port": "eighty"}, "port"),
        ({"wrod": "x"}, "wrod"),
        ({"word": "refused"}, "ValueError: I do not want it"),
    ],
)
def test_pg07_refused_settings_leave_the_old_ones_in_force(zoo: Any, settings: Any, why: str) -> None:
    shop = Shop(
        zoo, on_config="if settings.get_str('word') == 'refused': raise ValueError('I do not want it')"
    )
    shop.settings(settings)
    report = shop.host.reconfigure("cat")
    assert not report.ok
    assert why in str(report)
    assert "the settings stay as they were" in str(report)
    assert shop.host.hook.speak(is_loud=True)[0] == "one"
    assert shop.host.plugins["cat"].state is PluginState.RUNNING
    shop.settings({"word": "good"})
    assert shop.host.reconfigure("cat").ok
    assert shop.host.hook.speak(is_loud=True)[0] == "good"
    assert shop.host.plugins["cat"].failure is None


def test_pg03_the_plugins_own_validators_judge_each_new_version_of_its_settings(zoo: Any) -> None:
    shop = Shop(zoo, init="ctx.settings.validate('word', str.islower)")
    for wrong in ("LOUD", "LOUDER"):
        shop.settings({"word": wrong})
        report = shop.host.reconfigure("cat")
        assert not report.ok
        assert "word: is refused by its validator" in str(report)
        shop.settings({"word": "quiet"})
        assert shop.host.reconfigure("cat").ok
    assert shop.cat.told == ["quiet"]


def test_a_plugin_without_on_config_reads_its_new_settings_all_the_same(zoo: Any) -> None:
    shop = Shop(zoo, source=SOURCE.replace("on_config(self", "not_it(self"))
    shop.settings({"word": "two"})
    assert shop.host.reconfigure("cat").ok
    assert shop.host.hook.speak(is_loud=True)[0] == "two"


def test_a_new_priority_reorders_calls(zoo: Any) -> None:
    shop = Shop(zoo)
    assert shop.host.hook.speak(is_loud=True) == ["one", "MEOW!"]
    shop.settings({"word": "one"}, priority=10)
    assert shop.host.reconfigure("cat").ok
    assert shop.host.hook.speak(is_loud=True) == ["MEOW!", "one"]
    assert shop.host.plugins["cat"].priority == 10
    shop.host.unload("cat")
    assert shop.host.hook.speak(is_loud=True) == ["MEOW!"]


def test_a_rescan_tells_settings_from_files_and_delivers_them(zoo: Any) -> None:
    shop = Shop(zoo)
    shop.settings({"word": "two"})
    assert shop.host.rescan().reconfigured == ("cat",)
    report = shop.host.rescan(apply=True)
    assert report.ok, report
    assert [one.plugin for one in report.settings] == ["cat"]
    assert shop.host.hook.speak(is_loud=True)[0] == "two"
    shop.settings({"word": 5})
    report = shop.host.rescan(apply=True)
    assert not report.ok
    assert shop.host.rescan(apply=True).unchanged == ("cat", "dog")
    assert shop.host.hook.speak(is_loud=True)[0] == "two"


def test_a_rescan_unloads_what_its_file_has_switched_off(zoo: Any) -> None:
    shop = Shop(zoo)
    shop.settings({}, enabled=False)
    report = shop.host.rescan(apply=True)
    assert [one.plugin for one in report.unloads] == ["cat"]
    assert shop.host.refresh()["cat"].state is PluginState.DISABLED
    shop.settings({"word": "back"})
    assert shop.host.rescan(apply=True).loaded == ("cat",)
    assert shop.host.hook.speak(is_loud=True)[0] == "back"


def test_what_is_not_loaded_has_no_settings_to_change(zoo: Any) -> None:
    shop = Shop(zoo)
    shop.host.unload("cat")
    with pytest.raises(StateError, match="not loaded; load it instead"):
        shop.host.reconfigure("cat")
