"""SE10: no name that is asked for leads out of the host's own places, or into its words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit import Config, Host
from pluginkit.errors import UnknownName
from pluginkit.manifest import normalise_name
from pluginkit.manifest.names import plugin_name
from tests.host.conftest import Zoo
from tests.support.hostile import HOSTILE, is_tame, tree

ASKED: dict[str, Callable[[Host, str], object]] = {
    "load": lambda host, name: host.load(name),
    "enable": lambda host, name: host.enable(name),
    "disable": lambda host, name: host.disable(name),
    "reload": lambda host, name: host.reload(name),
    "unload": lambda host, name: host.unload(name),
    "reconfigure": lambda host, name: host.reconfigure(name),
    "grants": lambda host, name: host.grants(name),
    "plugins": lambda host, name: host.plugins[name],
    "only": lambda host, name: host.hook.speak.only(name)(is_loud=False),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_se10_a_hostile_name_is_an_unknown_one_and_touches_no_file(
    zoo: Zoo, ask: Callable[[Host, str], object]
) -> None:
    zoo.speaker("kat")
    host = zoo.started()
    before = tree(zoo.directory)
    for name in HOSTILE:
        with pytest.raises(UnknownName) as caught:
            ask(host, name)
        text = str(caught.value)
        assert text.isprintable(), text
        assert len(text) < 1000
    assert tree(zoo.directory) == before
    assert host.plugins["kat"].state == "running"


def test_se10_the_same_requests_with_the_plugins_own_name_are_served(zoo: Zoo) -> None:
    zoo.speaker("kat")
    host = zoo.started()
    for name in ("kat", "KAT", "Kat"):
        assert host.plugins[name].name == "kat"
    assert host.hook.speak.only("kat")(is_loud=False) == "kat"


def test_se10_what_is_switched_off_is_kept_in_the_state_directory_under_a_plain_name(zoo: Zoo) -> None:
    zoo.speaker("kat")
    host = zoo.started()
    before = tree(zoo.directory)
    host.disable("KAT")
    state = zoo.directory / "state"
    assert all(Path(path).is_relative_to(state) for path in tree(zoo.directory) - before)
    assert json.loads((state / "state.json").read_text("utf-8"))["disabled"] == ["kat"]


@pytest.mark.parametrize("name", ["../evil", "\x1b[2J\nforged", "'; DROP TABLE x"])
def test_se10_a_state_file_with_hostile_names_switches_nothing_and_leads_nowhere(
    zoo: Zoo, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    zoo.speaker("kat")
    state = zoo.directory / "state"
    state.mkdir()
    row = {"digest": "0" * 64, "code": name, "text": name, "time": 1.0}
    document = {"schema_version": 1, "disabled": [name], "failures": {name: row}}
    (state / "state.json").write_text(json.dumps(document), "utf-8")
    with caplog.at_level(logging.DEBUG):
        host = zoo.started()
        host.disable("kat")
    assert set(json.loads((state / "state.json").read_text("utf-8"))["disabled"]) == {"kat", name}
    assert not (zoo.directory / "evil").exists()
    assert "\x1b" not in caplog.text


def test_se10_a_plugins_own_directories_lie_in_the_state_directory(zoo: Zoo) -> None:
    source = (
        "class Cat:\n"
        "    def on_load(self, ctx):\n"
        "        (ctx.data_dir / 'here').touch()\n"
    )  # fmt: skip
    names = ("kat", "kat.cache", "k..t", "data", "state.json", "Con")
    for name in names:
        zoo.add(name, source, entrypoint=f"{name.replace('.', '_')}:Cat", type="pluggy")
    before = tree(zoo.plugins)
    host = zoo.started()
    assert {plugin.name: str(plugin.state) for plugin in host.plugins.values()} == dict.fromkeys(
        names, "running"
    )
    made = sorted(path for path in zoo.directory.rglob("here"))
    assert made == sorted(zoo.directory / "state" / "data" / name / "here" for name in names)
    host.close()
    assert {path for path in tree(zoo.plugins) - before if "__pycache__" not in path} == set()


def test_se10_a_config_file_speaks_for_the_plugin_of_its_name_and_no_look_alike(zoo: Zoo) -> None:
    zoo.speaker("kat")
    configs = zoo.directory / "configs"
    configs.mkdir()
    for name in ("\u212aat", "\uff4bat", "kat ", "..kat", "k\nat\x1b[2J"):
        (configs / f"{name}.config.yaml").write_text("enabled: false\n", "utf-8")
    config = Config.load(None, environ={}, overrides={"directories.plugin_configs_dir": str(configs)})
    host = zoo.started(config=config)
    assert host.plugins["kat"].state == "running"
    host.close()
    (configs / "KAT.config.yaml").write_text("enabled: false\n", "utf-8")
    assert zoo.started(config=config).plugins["kat"].state == "disabled"


@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9._/\\~-]{1,70}", fullmatch=True))
def test_se10_what_may_name_a_plugin_is_one_step_of_a_path_and_nothing_else(text: str) -> None:
    try:
        name = plugin_name(text)
    except ValueError:
        return
    place = Path("/state/data") / name
    assert place.parent == Path("/state/data")
    assert place.name == name
    assert name.isascii()
    assert is_tame(name)
    assert not name.startswith(("-", ".", "_", "~"))


@given(st.text(max_size=20))
def test_se10_only_ascii_letters_are_alike_in_names(text: str) -> None:
    assert normalise_name(text).isascii() == text.isascii()


@pytest.fixture(scope="module")
def quiet_host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host of one plugin that is never started, for many questions."""
    made = Zoo(tmp_path_factory.mktemp("quiet"))
    made.speaker("kat")
    host = made.host()
    host.refresh()
    return host


@given(name=st.text(max_size=40).filter(lambda text: text.lower() != "kat"))
def test_se10_any_text_as_a_name_is_answered_by_unknown_name(quiet_host: Host, name: str) -> None:
    for ask in (quiet_host.enable, quiet_host.disable, quiet_host.unload, quiet_host.grants):
        with pytest.raises(UnknownName) as caught:
            ask(name)
        assert str(caught.value).isprintable()
    assert not quiet_host.setup.state_dir.exists()
