"""One plugin of each bad kind beside good ones: the good ones work, and every one is a row (DM11)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.contracts.samples import Animal
from tests.support.bad_plugins import MARKER, build_bad_plugins, build_misbehaving_plugins


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(MARKER, str(tmp_path / "marker"))
    (tmp_path / "plugins").mkdir()
    return tmp_path / "plugins"


def make_host(directory: Path, **arguments: Any) -> Host:
    return Host(
        contracts={"animal": Animal},
        plugins_dir=directory,
        entry_point_group=None,
        state_dir=directory.parent / "state",
        version="1.0.0",
        **arguments,
    )


def rows(host: Host) -> dict[str, tuple[str, str]]:
    found = {}
    for plugin in host.plugins.everything():
        reason = (
            ""
            if plugin.reason is None
            else "\n".join([plugin.reason.text, *map(str, plugin.reason.problems)])
        )
        key = plugin.origin.path.name if plugin.origin.path is not None else plugin.name
        found[key] = (str(plugin.state), reason)
    return found


def test_dm11_every_bad_kind_is_listed_with_state_and_reason_and_nothing_was_imported(
    directory: Path,
) -> None:
    expected = build_bad_plugins(directory)
    host = make_host(directory)
    host.refresh()
    seen = rows(host)
    assert {name: state for name, (state, _) in seen.items()} == {n: e.listed for n, e in expected.items()}
    for name, what in expected.items():
        if what.listed == what.loaded:
            for words in what.says:
                assert words in seen[name][1], (name, seen[name])
    host.disable("zebra")
    host.enable("zebra")
    host.close()
    assert not (directory.parent / "marker").exists()


def test_dm11_the_good_plugins_work_beside_every_bad_kind(directory: Path) -> None:
    expected = build_bad_plugins(directory)
    before = set(sys.modules)
    with make_host(directory) as host:
        seen = rows(host)
        assert {name: state for name, (state, _) in seen.items()} == {
            n: e.loaded for n, e in expected.items()
        }
        for name, what in expected.items():
            for words in what.says:
                assert words in seen[name][1], (name, seen[name])
        good = sorted(name for name, what in expected.items() if what.is_good)
        assert sorted(host.hook.speak(is_loud=True)) == good
        left = {name.partition("#")[0].partition(".")[0] for name in set(sys.modules) - before if "#" in name}
        assert left == {name.replace("-", "_") for name in good}
    assert not [name for name in set(sys.modules) - before if "#" in name]


def test_lh06_lh07_misbehaving_calls_are_recorded_and_the_good_results_returned(directory: Path) -> None:
    build_misbehaving_plugins(directory)
    with make_host(directory, exclude=["hanging", "crashing", "leaking"]) as host:
        assert host.hook.speak(is_loud=True) == []
        errors = {
            plugin.name: [failure.error for failure in plugin.errors] for plugin in host.plugins.values()
        }
        assert errors["raising"] == ["RuntimeError: raising raised"]
        assert errors["exiting"] == ["SystemExit: exiting exits"]
        assert errors["bare-exception"] == ["Stop: bare"]


def test_lh16_a_hanging_plugin_is_left_behind_by_a_timeout(directory: Path) -> None:
    build_misbehaving_plugins(directory)
    with make_host(directory, include=["hanging"]) as host:
        from pluginkit import CallTimeout

        with pytest.raises(CallTimeout, match="hanging"):
            host.hook.speak.using(timeout=0.05)(is_loud=True)
        report_before = host.plugins["hanging"].state
        host.plugins["hanging"].get("release").set()
        assert str(report_before) == "running"


def test_lc05_a_leaked_thread_is_named_by_the_unload_report(directory: Path) -> None:
    build_misbehaving_plugins(directory)
    with make_host(directory, include=["leaking"]) as host:
        host.hook.speak(is_loud=True)
        release = host.plugins["leaking"].get("release")
        report = host.unload("leaking", timeout=0.1)
        release.set()
        # The thread runs a method of the standard library's Event: no frame of it is the plugin's,
        # and nothing of the plugin is held by it.
        assert report.is_gone


@pytest.mark.parametrize("count", [10, 100])
def test_loading_many_plugins_works(tmp_path: Path, count: int) -> None:
    from pluginkit.testing import write_plugin

    for number in range(count):
        source = f"from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return {number}\n"
        write_plugin(tmp_path / "plugins", f"p{number:04}", source, type="animal")
    with make_host(tmp_path / "plugins") as host:
        assert host.hook.speak(is_loud=True) == list(range(count))
