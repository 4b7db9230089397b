"""A plugin that keeps failing is not called any more, and says so (LH22)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from pluginkit import PluginState, StateError
from pluginkit.lifecycle.quarantine import Quarantine, QuarantineRule

FAILING = """
from pluginkit import hookimpl
fails = True
class Cat:
    @hookimpl
    def speak(self, is_loud):
        if fails:
            raise RuntimeError("again")
        return "well again"
"""


def test_lh22_after_the_set_number_of_errors_it_is_not_called_and_enable_lifts_it(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    zoo.speaker("good")
    host = zoo.started(quarantine=(3, 60.0))
    bad = host.plugins["bad"]
    for _ in range(2):
        assert host.hook.speak(is_loud=False) == ["good"]
        assert bad.state is PluginState.RUNNING
    for _ in range(5):
        assert host.hook.speak(is_loud=False) == ["good"]
    assert bad.state is PluginState.QUARANTINED
    assert bad.error_count == 3
    assert bad.reason.code == "quarantined"
    assert "failed 3 times within 60 s, the last time in hook speak: RuntimeError: again" in bad.reason.text
    with pytest.raises(StateError, match="quarantined"):
        bad.call("speak", is_loud=True)
    bad.instance.speak.__globals__["fails"] = False
    assert host.enable("bad").state is PluginState.RUNNING
    assert host.hook.speak(is_loud=False) == ["well again", "good"]


def test_lh22_without_a_rule_nobody_is_quarantined(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    host = zoo.started()
    for _ in range(50):
        host.hook.speak(is_loud=False)
    assert host.plugins["bad"].state is PluginState.RUNNING
    assert host.plugins["bad"].error_count == 50


def test_lh22_a_quarantined_plugin_can_be_unloaded_disabled_and_closed(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    host = zoo.started(quarantine=(1, 60.0))
    host.hook.speak(is_loud=False)
    assert host.plugins["bad"].state is PluginState.QUARANTINED
    assert host.unload("bad").is_gone
    host.load("bad")
    host.hook.speak(is_loud=False)
    assert host.disable("bad").state is PluginState.DISABLED
    host.enable("bad")
    host.hook.speak(is_loud=False)
    host.close()
    assert host.plugins["bad"].state is PluginState.UNLOADED


def test_lh22_eight_threads_that_fail_at_once_quarantine_once(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    host = zoo.started(quarantine=(20, 60.0))
    events: list[str] = []
    host.events.subscribe(lambda event: events.append(event.kind), kinds=["failed"])
    threads = [
        threading.Thread(target=lambda: [host.hook.speak(is_loud=False) for _ in range(20)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for _ in range(20):
        host.hook.speak(is_loud=False)
    assert host.plugins["bad"].state is PluginState.QUARANTINED
    assert events == ["failed"]


def test_errors_outside_of_the_window_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    quarantine = Quarantine(QuarantineRule(errors=3, window=10.0))
    live: Any = type("Live", (), {})()
    assert [quarantine.note(live), quarantine.note(live)] == [False, False]
    now[0] = 11.0
    assert quarantine.note(live) is False
    now[0] = 12.0
    assert quarantine.note(live) is False
    now[0] = 13.0
    assert quarantine.note(live) is True
    quarantine.forget(live)
    assert quarantine.note(live) is False


def test_the_rule_comes_from_the_config_too(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    (zoo.directory / "config.yaml").write_text("hooks: {quarantine: {errors: 2, window: 5m}}\n")
    host = zoo.host(config=zoo.directory / "config.yaml")
    assert host.setup.quarantine == QuarantineRule(2, 300.0)


def test_lh22_a_plugin_that_is_loaded_again_begins_anew(zoo: Any) -> None:
    zoo.add("bad", FAILING)
    host = zoo.started(quarantine=(3, 60.0))
    for _ in range(3):
        host.hook.speak(is_loud=False)
    host.unload("bad")
    host.load("bad")
    host.hook.speak(is_loud=False)
    assert host.plugins["bad"].state is PluginState.RUNNING
