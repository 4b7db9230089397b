"""A host and its plugins' grants: policy of the config, events, generations, what is described without running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pluginkit import ConfigError, PermissionDenied
from pluginkit.config import Config
from pluginkit.events import Event

from .conftest import Zoo

READER = """
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        return self.ctx.fs.read_text(PATH)
"""
GRANT = {"path": "${data}/", "permissions": ["read", "write", "create"], "recursive": True}


def config_of(zoo: Zoo, **capabilities: Any) -> Config:
    overrides: dict[str, Any] = {f"capabilities.{key}": value for key, value in capabilities.items()}
    overrides["directories.plugins_dir"] = str(zoo.plugins)
    overrides["directories.state_dir"] = str(zoo.directory / "state")
    overrides["plugins.entry_points"] = False
    return Config.load(None, environ={}, overrides=overrides)


def watched(zoo: Zoo, config: Config) -> tuple[Any, list[Event]]:
    host = zoo.host(config=config, plugins_dir=None)
    events: list[Event] = []
    host.events.subscribe(events.append, kinds=["capability_granted", "capability_denied", "guard"])
    host.load()
    return host, events


def reader(zoo: Zoo, path: str, **arguments: Any) -> Path:
    return zoo.add("cat", READER.replace("PATH", repr(path)), **arguments)


def test_cp08_without_a_policy_nothing_is_granted(zoo: Zoo) -> None:
    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    host, events = watched(zoo, config_of(zoo))
    with pytest.raises(PermissionDenied, match="no grant covers this path"):
        host.hook.speak.using(errors="raise")(is_loud=True)
    granted, denied = events
    assert (granted.kind, granted.plugin, granted.data["generation"]) == (
        "capability_granted", "cat", host.plugins["cat"].generation,
    )  # fmt: skip
    assert [row["granted"] for row in granted.data["rows"]] == ["none"]  # type: ignore[attr-defined]  # data of an event is object
    assert (denied.kind, denied.plugin, denied.data["operation"], denied.data["repeated"]) == (
        "capability_denied", "cat", "fs.read", 0,
    )  # fmt: skip


def test_cp10_what_policy_and_manifest_both_say_is_granted(zoo: Zoo) -> None:
    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    for policy in ({"allow": "requested"}, {"plugins": {"Cat": {"allow": {"filesystem": [GRANT]}}}}):
        host, events = watched(zoo, config_of(zoo, **policy))
        (zoo.directory / "state/data/cat/a.txt").write_text("meow")
        assert host.hook.speak(is_loud=True) == ["meow"]
        assert [row["granted"] for row in events[0].data["rows"]] == ["whole"]  # type: ignore[attr-defined]  # data of an event is object
        assert len(events) == 1
        host.close()


def test_lg12_a_plugin_that_asks_for_nothing_has_nothing_told(zoo: Zoo) -> None:
    zoo.add("dog")
    host, events = watched(zoo, config_of(zoo, allow="requested"))
    assert host.hook.speak(is_loud=True) == ["MEOW!"]
    assert events == []


def test_cp10_grants_are_of_one_generation(zoo: Zoo) -> None:
    root = reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    host, events = watched(zoo, config_of(zoo, allow="requested"))
    (zoo.directory / "state/data/cat/a.txt").write_text("meow")
    assert host.hook.speak(is_loud=True) == ["meow"]
    reader(zoo, "a.txt")
    assert root.exists()
    assert host.reload("cat").ok
    assert host.hook.speak(is_loud=True) == []
    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    assert host.reload("cat").ok
    assert host.hook.speak(is_loud=True) == ["meow"]
    assert [event.kind for event in events] == [
        "capability_granted", "capability_denied", "capability_granted",
    ]  # fmt: skip


def test_cp10_approval_is_one_more_layer(zoo: Zoo) -> None:
    from pluginkit.manifest import Capabilities

    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    host = zoo.host(config=config_of(zoo, allow="requested"), plugins_dir=None)
    host._rooms.grants.approved = lambda found: Capabilities()
    host.load()
    with pytest.raises(PermissionDenied):
        host.hook.speak.using(errors="raise")(is_loud=True)


def test_f8_state_config_and_code_are_never_granted(zoo: Zoo) -> None:
    everything = {"path": f"{zoo.directory}/", "permissions": ["read", "write", "create"], "recursive": True}
    wish = {"filesystem": [everything, GRANT]}
    (zoo.directory / "free.txt").write_text("free")
    for path, allowed in {
        zoo.directory / "state" / "state.json": False,
        zoo.directory / "state" / "data" / "dog" / "x": False,
        zoo.directory / "free.txt": True,
        zoo.directory / "state" / "data" / "cat" / "own.txt": True,
    }.items():
        reader(zoo, str(path), capabilities=wish)
        host, _ = watched(zoo, config_of(zoo, allow="requested"))
        (zoo.directory / "state/data/cat/own.txt").write_text("own")
        results = host.hook.speak(is_loud=True)
        assert (results in (["free"], ["own"])) is allowed
        with pytest.raises(PermissionDenied, match="never a plugin's"):
            host.plugins["cat"]._live.context.fs.write_text(zoo.plugins / "cat" / "cat.py", "import os")
        host.close()


def test_cp10_a_wrong_policy_is_an_error_of_the_config(zoo: Zoo) -> None:
    wrong = {
        "allow": {"filesystem": [{"path": "relative", "permissions": ["reed"]}]},
        "plugins": {"cat": {"alow": "requested", "dangerous": "yes", "deny": {"envv": []}}},
    }
    with pytest.raises(ConfigError) as caught:
        zoo.host(config=config_of(zoo, **wrong), plugins_dir=None)
    assert {problem.path for problem in caught.value.problems} == {
        "capabilities.allow.filesystem[0].path",
        "capabilities.allow.filesystem[0].permissions[0]",
        "capabilities.plugins.cat.alow",
        "capabilities.plugins.cat.dangerous",
        "capabilities.plugins.cat.deny.envv",
    }


def test_dm14_grants_are_told_without_running_the_plugin(zoo: Zoo) -> None:
    zoo.add("cat", "raise SystemExit", capabilities={"filesystem": [GRANT], "env": ["LANG"]})
    zoo.add("broken", plugin={"version": "1"})
    host = zoo.host(config=config_of(zoo, allow={"env": ["LANG"]}), plugins_dir=None)
    host.refresh()
    grants = host.grants("cat")
    assert grants is not None
    assert [(row["rule"], row["granted"]) for row in grants.rows] == [
        ("filesystem: create, read, write ${data}/ and below", "none"),
        ("env: LANG", "whole"),
    ]
    assert host.grants("broken") is None
    assert not (zoo.directory / "state" / "data").exists()


def test_cp09_a_data_directory_that_cannot_be_made_grants_nothing_and_breaks_nothing(zoo: Zoo) -> None:
    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    (zoo.directory / "state").mkdir()
    (zoo.directory / "state" / "data").write_text("in the way")
    host, events = watched(zoo, config_of(zoo, allow="requested"))
    assert host.plugins["cat"].state == "loaded"
    assert host.hook.speak(is_loud=True) == []
    assert events[-1].data["code"] == "inactive-grant"


def test_cp09_a_grant_that_cannot_be_made_out_fails_the_plugin_alone(zoo: Zoo) -> None:
    reader(zoo, "a.txt", capabilities={"filesystem": [GRANT]})
    zoo.add("dog")
    host = zoo.host(config=config_of(zoo, allow="requested"), plugins_dir=None)

    def unreadable(_found: object) -> None:
        raise OSError("the lock cannot be read")

    host._rooms.grants.approved = unreadable
    assert [failure.plugin for failure in host.load().failed] == ["cat"]
    assert host.hook.speak(is_loud=True) == ["MEOW!"]
