"""Counters per plugin and hook, when asked for (HT05)."""

from __future__ import annotations

from typing import Any


def test_ht05_calls_errors_and_times_are_counted_while_timing_is_on(zoo: Any) -> None:
    zoo.speaker("cat")
    zoo.add("bad", "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): raise ValueError\n")
    with zoo.host() as host:
        host.hook.speak(is_loud=True)
        assert host.metrics() == ()
        host.timing = True
        for _ in range(3):
            host.hook.speak(is_loud=True)
        host.timing = False
        host.hook.speak(is_loud=True)
        rows = {row.plugin: row for row in host.metrics()}
        assert (rows["cat"].calls, rows["cat"].errors) == (3, 0)
        assert (rows["bad"].calls, rows["bad"].errors) == (3, 3)


def test_ht05_the_config_switches_it_on(zoo: Any) -> None:
    zoo.speaker("cat")
    (zoo.directory / "config.yaml").write_text("hooks: {timing: true}\n")
    host = zoo.host(config=zoo.directory / "config.yaml")
    assert host.timing is True
