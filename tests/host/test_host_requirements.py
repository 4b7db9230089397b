"""Plugins that need each other, and versions that do not fit (LC12, LC15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pluginkit import PluginState
from pluginkit.errors import LoadError, StateError

NOTE = "import builtins\nbuiltins.pk_journal.append('{name}')\n"
SPEAK = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return '{name}'\n"


def noted(name: str, extra: str = "") -> str:
    return (NOTE + extra + SPEAK).format(name=name)


def test_lc15_requirements_load_first_and_unload_last(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("ant", noted("ant"), requires={"plugins": ["zebra"]})
    zoo.add("zebra", noted("zebra"))
    zoo.add("bee", noted("bee"), requires={"after": ["ant"]})
    with zoo.host() as host:
        assert journal() == ["zebra", "ant", "bee"]
        assert host.hook.speak(is_loud=True) == ["ant", "bee", "zebra"]


def test_lc15_a_cycle_is_printed_and_the_rest_works(zoo: Any, journal: Callable[[], list[str]]) -> None:
    zoo.add("a", noted("a"), requires={"plugins": ["b"]})
    zoo.add("b", noted("b"), requires={"plugins": ["a"]})
    zoo.add("c", noted("c"))
    with zoo.host() as host:
        assert journal() == ["c"]
        reason = host.plugins["a"].reason
        assert (reason.code, "a → b → a" in reason.text) == ("requirement-cycle", True)
        assert host.plugins["b"].state is PluginState.FAILED


@pytest.mark.parametrize(
    ("requirement", "code", "sentence"),
    [
        ("dgo", "requirement-missing", "requires the plugin dgo, which is not there; did you mean 'dog'?"),
        ("dog >=2", "requirement-version", "requires the plugin dog >=2, there is dog 1.0.0"),
        ("broken", "requirement-unfit", "requires the plugin broken, which is failed"),
        ("off", "requirement-unfit", "which is disabled"),
        ("crash", "requirement-failed", "requires the plugin crash, which is failed: import failed"),
    ],
)
def test_lc15_an_unmet_requirement_names_both(zoo: Any, requirement: str, code: str, sentence: str) -> None:
    zoo.speaker("dog")
    zoo.speaker("cat", requires={"plugins": [requirement]})
    (zoo.plugins / "broken").mkdir()
    zoo.speaker("off")
    zoo.add("crash", "1 / 0")
    host = zoo.host()
    host.disable("off")
    host.load()
    reason = host.plugins["cat"].reason
    assert reason is not None
    assert reason.code == code
    assert sentence in reason.text
    assert host.hook.speak(is_loud=False) == ["dog"]


def test_lc15_unloading_a_needed_plugin_is_refused_or_cascaded(zoo: Any) -> None:
    zoo.speaker("food")
    zoo.speaker("cat", requires={"plugins": ["food"]})
    zoo.speaker("kitten", requires={"plugins": ["cat"]})
    host = zoo.started()
    with pytest.raises(
        StateError, match=r"'food' is needed by 'kitten', 'cat'; unload them first, or all together"
    ):
        host.unload("food")
    assert host.hook.speak(is_loud=False) == ["cat", "food", "kitten"]
    unloaded: list[str | None] = []
    host.events.subscribe(lambda event: unloaded.append(event.plugin), kinds=["unloaded"])
    assert host.unload("food", cascade=True).is_gone
    assert unloaded == ["kitten", "cat", "food"]
    assert host.load("kitten").state is PluginState.RUNNING
    assert host.hook.speak(is_loud=False) == ["cat", "food", "kitten"]


def test_lc15_an_import_of_a_required_plugin_is_wired_to_it(zoo: Any) -> None:
    zoo.add("food", "NAME = 'fish'\n" + SPEAK.format(name="food"), files={"deep.py": "V = 1"})
    source = "import food\nfrom food import deep\nfrom food.food import NAME\n" + SPEAK.format(name="cat")
    zoo.add("cat", source, requires={"plugins": ["food"]})
    host = zoo.started()
    assert host.plugins["cat"].state is PluginState.RUNNING, host.plugins["cat"].reason
    assert host.plugins["cat"].get("NAME") == "fish"
    assert host.plugins["cat"].get("deep.V") == host.plugins["food"].get("deep:V") == 1
    with pytest.raises(StateError, match="needed by 'cat'"):
        host.unload("food")
    assert host.unload("food", cascade=True).is_gone


def test_an_undeclared_import_counts_as_a_need_too(zoo: Any) -> None:
    zoo.add("a-food", "NAME = 'fish'\n" + SPEAK.format(name="food"))
    zoo.add("cat", "from a_food.a_food import NAME\n" + SPEAK.format(name="cat"))
    host = zoo.started()
    with pytest.raises(StateError, match="'a-food' is needed by 'cat'"):
        host.unload("a-food")


def test_a_plugin_named_like_a_library_does_not_take_it_from_another_plugin(zoo: Any) -> None:
    zoo.add("yaml", "NAME = 'plugin'\n" + SPEAK.format(name="yaml"))
    zoo.add("zcat", "import yaml\nloads = yaml.safe_load\n" + SPEAK.format(name="zcat"))
    zoo.add(
        "zdog",
        "import yaml\nNAME = yaml.yaml.NAME\n" + SPEAK.format(name="zdog"),
        requires={"plugins": ["yaml"]},
    )
    host = zoo.started()
    assert host.plugins["zcat"].get("loads")("[1]") == [1]
    assert host.plugins["zdog"].get("NAME") == "plugin"


@pytest.mark.parametrize(
    ("requires", "sentence"),
    [
        ({"host": ">=3"}, "cat 1.0.0 requires host >=3, this is host 2.1.0"),
        ({"python": ">=4"}, "requires python >=4, this is python 3."),
        ({"pluginkit": ">=99"}, "requires pluginkit >=99, this is pluginkit 0."),
    ],
)
def test_lc12_versions_are_checked_before_any_import(
    zoo: Any, journal: Callable[[], list[str]], requires: dict[str, str], sentence: str
) -> None:
    zoo.add("cat", noted("cat"), requires=requires)
    host = zoo.host(version="2.1.0")
    report = host.load()
    assert journal() == []
    assert [skip.state for skip in report.skipped] == [PluginState.INCOMPATIBLE]
    assert sentence in str(host.plugins["cat"].reason)
    with pytest.raises(LoadError, match="requires"):
        host.load("cat")


def test_lc12_fitting_ranges_pass(zoo: Any) -> None:
    zoo.speaker("cat", requires={"host": ">=2,<3", "python": ">=3.11", "pluginkit": ">=0.1"})
    assert zoo.host(version="2.1.0").load().ok


def test_loading_one_brings_its_requirements_along(zoo: Any) -> None:
    zoo.speaker("food")
    zoo.speaker("cat", requires={"plugins": ["food"]})
    zoo.speaker("dog")
    host = zoo.host()
    host.load("cat")
    assert [plugin.name for plugin in host.plugins.values() if plugin.state.is_live] == ["cat", "food"]
