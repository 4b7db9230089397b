"""The handshake of a manifest on a native plugin: compared on paper, before anything is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pluginkit import ConfigError, Host
from pluginkit.config import Config
from pluginkit.manifest import Handshake

from .conftest import Zoo

COOKIE = {"magic_cookie_key": "ZOO_PLUGIN", "magic_cookie_value": "9f2c41"}

ASKED = """
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        return f"protocol {self.ctx.protocol_version}"
"""
IMPORTED = "raise RuntimeError('this was imported')\n"


def shaking(version: Any, **cookie: str) -> dict[str, Any]:
    return {"protocol_version": version, **COOKIE, **cookie}


def refusal(zoo: Zoo, host: Handshake | None, version: Any, **cookie: str) -> tuple[str, str]:
    """Why a plugin whose module must not be imported is not loaded: the code and the text."""
    zoo.add("cat", IMPORTED, entrypoint="cat:Cat", handshake=shaking(version, **cookie))
    made = zoo.host(handshake=host)
    made.load()
    plugin = made.plugins["cat"]
    assert str(plugin.state) == "incompatible"
    assert plugin.reason is not None
    return plugin.reason.code, plugin.reason.text


@pytest.mark.parametrize(
    ("plugin", "host", "agreed"),
    [
        (1, None, 1),
        ([1, 2], None, 1),
        (2, (2,), 2),
        ([1, 2, 3], (1, 2), 2),
        ([3, 1], (1, 3, 4), 3),
        (7, (1, 7), 7),
    ],
)
def test_se05_the_highest_common_version_is_what_the_plugin_is_told(
    zoo: Zoo, plugin: Any, host: tuple[int, ...] | None, agreed: int
) -> None:
    zoo.add("cat", ASKED, handshake=shaking(plugin))
    made = zoo.started(handshake=None if host is None else Handshake(host))
    assert made.hook.speak(is_loud=True) == [f"protocol {agreed}"]


def test_se05_without_the_section_nothing_is_compared(zoo: Zoo) -> None:
    zoo.add("cat", ASKED)
    made = zoo.started(handshake=Handshake((7,), "ZOO_PLUGIN", "9f2c41"))
    assert made.hook.speak(is_loud=True) == ["protocol None"]


@pytest.mark.parametrize(
    ("plugin", "host", "told"),
    [
        (2, None, "cat 1.0.0 speaks protocol 2, this host protocol 1"),
        (3, (1, 2), "cat 1.0.0 speaks protocol 3, this host the protocols 1, 2"),
        ([5, 4], (1,), "cat 1.0.0 speaks the protocols 4, 5, this host protocol 1"),
    ],
)
def test_se05_a_mismatch_names_both_versions(
    zoo: Zoo, plugin: Any, host: tuple[int, ...] | None, told: str
) -> None:
    assert refusal(zoo, None if host is None else Handshake(host), plugin) == ("incompatible-protocol", told)


def test_se04_another_cookie_is_another_hosts_plugin(zoo: Zoo) -> None:
    code, text = refusal(zoo, Handshake((1,), "FARM_PLUGIN", "9f2c41"), 1)
    assert code == "incompatible-cookie"
    assert text == "cat 1.0.0 has the cookie 'ZOO_PLUGIN', plugins of this host have 'FARM_PLUGIN'"


def test_se04_another_value_of_the_cookie_is_refused_without_telling_it(zoo: Zoo) -> None:
    code, text = refusal(zoo, Handshake((1,), "ZOO_PLUGIN", "ours"), 1)
    assert code == "incompatible-cookie"
    assert text == "cat 1.0.0 has another value of the cookie 'ZOO_PLUGIN' than plugins of this host have"


def test_se04_the_right_cookie_passes_and_a_host_without_one_asks_for_none(zoo: Zoo) -> None:
    zoo.add("cat", ASKED, handshake=shaking(1))
    for host in (Handshake((1,), *COOKIE.values()), Handshake((1,)), None):
        with zoo.host(handshake=host) as made:
            assert made.hook.speak(is_loud=True) == ["protocol 1"]


@pytest.mark.parametrize(
    ("section", "path", "message"),
    [
        ({"protocol_version": 0}, "handshake.protocol_version", "must be a whole number, 1 or more"),
        ({"protocol_version": [1, -2]}, "handshake.protocol_version[1]", "must be a whole number, 1 or more"),
        ({"protocol_version": []}, "handshake.protocol_version", "must not be empty"),
        ({"protocol_version": "one"}, "handshake.protocol_version", "must be a whole number, 1 or more"),
        ({"magic_cookie_key": ""}, "handshake.magic_cookie_key", "must not be empty"),
        ({"magic_cookie_value": None}, "handshake.magic_cookie_value", "is required, and empty here"),
    ],
)
def test_se04_each_mistake_in_the_section_is_one_clear_error(
    zoo: Zoo, section: dict[str, Any], path: str, message: str
) -> None:
    zoo.add("cat", IMPORTED, entrypoint="cat:Cat", handshake=shaking(1) | section)
    host = zoo.host()
    assert not host.load().ok
    reason = host.plugins["cat"].reason
    assert reason is not None
    assert [(problem.path, problem.message) for problem in reason.problems] == [(path, message)]
    assert reason.problems[0].file == zoo.plugins / "cat" / "manifest.yaml"


def test_se05_a_reload_into_a_version_that_does_not_fit_is_taken_back(zoo: Zoo) -> None:
    zoo.add("cat", ASKED, handshake=shaking(1))
    host = zoo.started()
    zoo.add("cat", ASKED.replace("protocol {", "new {"), handshake=shaking(2))
    report = host.reload("cat")
    assert not report.ok
    assert "speaks protocol 2, this host protocol 1" in str(report)
    assert host.hook.speak(is_loud=True) == ["protocol 1"]


def test_se05_the_configuration_says_what_the_host_speaks(zoo: Zoo, tmp_path: Path) -> None:
    zoo.add("cat", ASKED, handshake=shaking([2, 3, 4]))
    zoo.add("dog", ASKED, entrypoint="dog:Cat", handshake=shaking(3, magic_cookie_value="other"))
    config = tmp_path / "config.yaml"
    config.write_text(
        "handshake: {protocol_version: [1, 2, 3], magic_cookie_key: ZOO_PLUGIN, magic_cookie_value: 9f2c41}\n"
    )
    host = zoo.started(config=config)
    assert host.hook.speak(is_loud=True) == ["protocol 3"]
    assert (reason := host.plugins["dog"].reason) is not None
    assert reason.code == "incompatible-cookie"


@pytest.mark.parametrize(
    ("given", "missing"),
    [("magic_cookie_key", "magic_cookie_value"), ("magic_cookie_value", "magic_cookie_key")],
)
def test_se04_half_a_cookie_in_the_configuration_is_an_error(
    tmp_path: Path, given: str, missing: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"handshake: {{{given}: ZOO}}\n")
    with pytest.raises(ConfigError) as caught:
        Host(config)
    (problem,) = caught.value.problems
    assert (problem.path, problem.file) == (f"handshake.{missing}", config)


@pytest.mark.parametrize("value", ["0", "[]", "[1, 0]", "true", "two", "1.5", "[[1]]"])
def test_se05_wrong_versions_in_the_configuration_are_errors(tmp_path: Path, value: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"handshake: {{protocol_version: {value}}}\n")
    with pytest.raises(ConfigError) as caught:
        Config.load(config)
    assert [problem.path for problem in caught.value.problems] == ["handshake.protocol_version"]


def test_se05_the_environment_may_say_it_too() -> None:
    config = Config.load(None, environ={"PLUGINKIT_HANDSHAKE__PROTOCOL_VERSION": "[3, 1, 3]"})
    assert config.handshake.protocol_version == (1, 3)
    config = Config.load(None, environ={"PLUGINKIT_HANDSHAKE__PROTOCOL_VERSION": "2"})
    assert config.handshake.protocol_version == (2,)
