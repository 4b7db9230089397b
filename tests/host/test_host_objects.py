"""The host's own objects beside plugins, look-up by type, events (LH12, LH13, LH14)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pluginkit import ContractError, DuplicateName, PluginState, UnknownName, hookimpl, hookspec


class Own:
    def __init__(self, word: str = "own") -> None:
        self.word = word

    @hookimpl
    def speak(self, is_loud: bool) -> str:
        return self.word


def test_lh13_register_get_list_and_unregister(zoo: Any) -> None:
    zoo.speaker("cat")
    with zoo.host() as host:
        own = Own()
        registered = host.register(
            own, type="animal", name="own", version="1.1", author="us", description="ours"
        )
        assert (registered.name, registered.version, registered.author, registered.description) == (
            "own",
            "1.1",
            "us",
            "ours",
        )
        assert host.get("own") is own
        assert host.get("cat") is host.plugins["cat"].instance
        assert host.hook.speak(is_loud=False) == ["own", "cat"]
        assert host.unregister("own") is own
        assert host.hook.speak(is_loud=False) == ["cat"]
        for use in (host.get, host.unregister):
            with pytest.raises(UnknownName):
                use("own")


def test_lh12_one_look_up_by_type_the_hosts_first(zoo: Any) -> None:
    zoo.speaker("dog")
    zoo.speaker("cat", plugin={"priority": 90})
    with zoo.host() as host:
        own = Own()
        host.register(own, type="animal")
        assert [provision.name for provision in host.providers("animal")] == ["Own", "cat", "dog"]
        assert host.provider("animal") is own
        assert host.providers("animal")[1].plugin is host.plugins["cat"]
        with pytest.raises(UnknownName, match="no contract type named 'animla'; did you mean 'animal'"):
            host.providers("animla")
        with pytest.raises(UnknownName, match="no provided type named 'execute'"):
            host.provider("execute")


def test_lh12_a_second_provider_of_an_exclusive_type_is_an_error(zoo: Any) -> None:
    class Storage:
        exclusive = True

        @hookspec
        def store(self, value: str) -> None: ...

    source = "from pluginkit import hookimpl\n@hookimpl\ndef store(value): return '{}'\n"
    zoo.add("disk", source.format("disk"), type="storage")
    zoo.add("tape", source.format("tape"), type="storage")
    with zoo.host(contracts={"storage": Storage}) as host:
        assert host.plugins["disk"].state is PluginState.RUNNING
        tape = host.plugins["tape"]
        assert tape.state is PluginState.CONFLICT
        assert "'disk'" in tape.reason.text
        assert str(host.plugins["disk"].origin) in tape.reason.text
        assert host.hook.store(value="x") == ["disk"]

        class Ram:
            @hookimpl
            def store(self, value: str) -> None: ...

        with pytest.raises(DuplicateName, match="takes one provider"):
            host.register(Ram(), type="storage")
        host.unload("disk")
        assert host.load("tape").state is PluginState.RUNNING


def test_lh12_on_request_an_exclusive_type_is_a_priority_list(zoo: Any) -> None:
    class Storage:
        exclusive = "first"

        @hookspec
        def store(self, value: str) -> str: ...

    source = "from pluginkit import hookimpl\n@hookimpl\ndef store(value): return '{}'\n"
    zoo.add("disk", source.format("disk"), type="storage")
    zoo.add("tape", source.format("tape"), type="storage", plugin={"priority": 80})
    with zoo.host(contracts={"storage": Storage}) as host:
        assert [provision.name for provision in host.providers("storage")] == ["tape", "disk"]


def test_a_registered_object_is_held_to_its_contract_and_nothing_stays_of_a_refused_one(zoo: Any) -> None:
    class Wrong:
        @hookimpl
        def speak(self, loud: bool) -> str: ...

    with zoo.host() as host:
        with pytest.raises(ContractError, match="does not fulfil the contract 'animal'"):
            host.register(Wrong(), type="animal")
        with pytest.raises(UnknownName, match="no contract type named 'anmal'"):
            host.register(Own(), type="anmal")
        assert host.hook.speak(is_loud=True) == []
        host.register(Own(), name="one")
        with pytest.raises(DuplicateName, match="'one' is registered already"):
            host.register(Own(), name="one")


def test_a_name_of_a_loaded_plugin_cannot_be_taken(zoo: Any) -> None:
    zoo.speaker("cat")
    with zoo.host() as host, pytest.raises(DuplicateName, match="a plugin named 'cat' is loaded already"):
        host.register(Own(), name="cat")


def test_lh14_events_tell_the_whole_story_in_order(zoo: Any) -> None:
    zoo.speaker("cat")
    zoo.add("bad", "1 / 0")
    host = zoo.host()
    story: list[tuple[str, str | None]] = []
    host.events.subscribe(lambda event: story.append((event.kind, event.plugin)))
    with host:
        host.disable("cat")
        host.enable("cat")
    assert story == [
        ("discovered", "bad"),
        ("discovered", "cat"),
        ("failed", "bad"),
        ("loaded", "cat"),
        ("started", "cat"),
        ("stopped", "cat"),
        ("unloaded", "cat"),
        ("disabled", "cat"),
        ("enabled", "cat"),
        ("loaded", "cat"),
        ("started", "cat"),
        ("stopped", "cat"),
        ("unloaded", "cat"),
    ]


def test_lh14_a_callback_may_call_the_host_back_even_from_another_thread(zoo: Any) -> None:
    zoo.speaker("cat")
    zoo.speaker("dog")
    host = zoo.host()
    answers: list[object] = []

    def on_loaded(event: Any) -> None:
        if event.plugin == "dog":
            host.unload("cat")
            thread = threading.Thread(target=lambda: answers.append(host.load("cat").state))
            thread.start()
            thread.join(10)

    host.events.subscribe(on_loaded, kinds=["loaded"])
    with host:
        assert answers == [PluginState.LOADED]
        assert sorted(host.hook.speak(is_loud=False)) == ["cat", "dog"]


def test_lh14_an_exception_of_a_callback_is_logged_and_stops_nothing(
    zoo: Any, caplog: pytest.LogCaptureFixture
) -> None:
    zoo.speaker("cat")
    host = zoo.host()
    host.events.subscribe(lambda event: 1 / 0, kinds=["loaded"])
    with host:
        assert host.hook.speak(is_loud=False) == ["cat"]
    assert "ZeroDivisionError" in caplog.text


def test_lh14_name_conflicts_are_events_and_rows(zoo: Any, tmp_path: Any) -> None:
    zoo.speaker("cat")
    (tmp_path / "z-other").mkdir()
    other = type(zoo)(tmp_path / "z-other")
    other.speaker("Cat")
    host = zoo.host(plugins_dir=[zoo.plugins, other.plugins])
    seen: list[object] = []
    host.events.subscribe(seen.append, kinds=["conflict"])
    host.load()
    assert len(seen) == 1
    row = host.plugins.conflicts[0]
    assert (row.name, row.state) == ("Cat", PluginState.CONFLICT)
    assert str(zoo.plugins / "cat") in row.reason.text
    assert str(other.plugins / "Cat") in row.reason.text
    assert [plugin.name for plugin in host.plugins.everything()] == ["Cat", "cat"]
    host.refresh()
    assert len(seen) == 1
