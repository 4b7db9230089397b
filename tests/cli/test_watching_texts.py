"""What the command line says of a watcher, well or ill (WR01, WR11)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit.cli.checks.watching import watching_findings
from pluginkit.cli.watching import last_change, watched, watched_how
from pluginkit.watch.health import WatcherHealth

if TYPE_CHECKING:
    import pytest

WELL = WatcherHealth(is_running=True, backend="inotify", directories=("/p",))


def health(**changed: Any) -> WatcherHealth:
    return WatcherHealth(**{**asdict(WELL), **changed})


def test_cl03_run_says_whether_and_how_it_watches() -> None:
    assert watched(WELL) == "Watching the plugins (inotify): save a file, and its plugin is reloaded."
    assert watched(None).startswith("Nothing is watched (file_watcher in the configuration)")
    assert watched(health(is_running=False, trouble="no handles")).startswith(
        "Nothing is watched: no handles;"
    )


def test_wr01_info_says_how_a_plugin_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert watched_how(asdict(WELL)) == "by inotify, 1 directory"
    assert watched_how(asdict(health(trouble="polled", waiting_for="git"))).endswith("; polled; waiting: git")
    assert watched_how(asdict(health(is_running=False, trouble="no handles"))) == "no: no handles"
    assert last_change(asdict(WELL)) == ""
    told = last_change(asdict(health(last_change=0.0, last_file=str(tmp_path / "cat.py"))))
    assert told.endswith("  cat.py")


def test_wr11_doctor_finds_what_is_wrong_with_a_watcher() -> None:
    assert list(watching_findings(None)) == list(watching_findings(asdict(WELL))) == []
    (off,) = watching_findings(asdict(health(is_running=False, trouble="no handles")))
    assert (off.check, off.severity, off.text) == ("watching", "problem", "changes are not seen: no handles")
    ill = health(
        trouble="polled", waiting_for="git is at work", restart_needed=("x 1 is imported, 2 is installed",)
    )
    polled, waits, restart = watching_findings(asdict(ill))
    assert (polled.severity, waits.severity, restart.severity) == ("notice", "notice", "problem")
    assert waits.text == "changes wait because git is at work"
    assert restart.advice == "restart the host"
