"""DM14, CL05: commands that only look run no line of any plugin, whatever is wrong with it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.bad_plugins import MARKER, Expected, build_bad_plugins

MANAGEMENT = [
    ["list"],
    ["list", "--json"],
    ["doctor"],
    ["hooks"],
    ["hooks", "speak"],
    ["config"],
]
# In this process, since one of its own for each plugin would take a minute.
PER_PLUGIN = [["info"], ["disable"], ["enable"]]


@pytest.fixture
def bad_plugins(project: Path) -> dict[str, Expected]:
    return build_bad_plugins(project / "plugins")


@pytest.fixture
def marker(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What any line of a plugin would write."""
    monkeypatch.setenv(MARKER, str(project / "marker"))
    return project / "marker"


@pytest.mark.parametrize("command", MANAGEMENT, ids=" ".join)
def test_cl05_management_runs_no_plugin_however_bad(
    user: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path, command: list[str]
) -> None:
    done = user(*command, status=1 if command == ["doctor"] else 0, env={MARKER: str(marker)})
    assert "Traceback" not in done.stderr
    assert not marker.exists()


@pytest.mark.parametrize("command", PER_PLUGIN, ids=" ".join)
def test_cl05_each_bad_plugin_can_be_described_and_switched(
    cli: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path, command: list[str]
) -> None:
    if command == ["enable"]:
        cli("disable", *bad_plugins)
    for name, expected in bad_plugins.items():
        assert name in cli(*command, name).stdout or expected.listed == "conflict"
    assert not marker.exists()


def test_cl05_validate_runs_no_plugin(
    cli: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path
) -> None:
    done = cli("validate", *(f"plugins/{name}" for name in bad_plugins), "--json", status=1)
    valid = {Path(one["path"]).name: one["ok"] for one in done.data["files"]}
    assert len(valid) == len(bad_plugins)
    for name, expected in bad_plugins.items():
        # What a plugin requires of others is no matter of its own files.
        is_wrong = (
            expected.listed == "failed" and "need" not in expected.kind and "cycle" not in expected.kind
        )
        assert valid[name] is not (is_wrong or name == "syntax-error"), name
    assert not marker.exists()


def test_cl06_new_beside_bad_plugins_runs_none(
    cli: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path
) -> None:
    cli("new", "shout", "--type", "transformer")
    assert not marker.exists()


def test_cl07_completion_of_names_runs_no_plugin_and_offers_broken_ones_too(
    user: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path
) -> None:
    done = user(
        env={
            "_PLUGINKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": "pluginkit disable syn",
            "COMP_CWORD": "2",
            MARKER: str(marker),
        }
    )
    assert done.stdout == "plain,syntax-error\n"
    assert not marker.exists()


def test_dm11_list_tells_every_bad_plugin_with_its_state_and_its_reason(
    cli: Callable[..., Any], bad_plugins: dict[str, Expected], marker: Path
) -> None:
    rows = {(row["name"], row["state"]): row for row in cli("list", "--json").data["plugins"]}

    assert len(rows) == len(bad_plugins) + 1  # and cat
    for name, expected in bad_plugins.items():
        row = rows[name, expected.listed]
        if expected.listed != expected.loaded or expected.is_good:
            continue  # only its code is wrong
        assert row["reason"] is not None
        assert all(words in row["reason"]["text"] for words in expected.says), (name, row["reason"])
    assert not marker.exists()


def test_dm11_run_keeps_the_good_ones_going_and_tells_of_every_bad_one(
    cli: Callable[..., Any], bad_plugins: dict[str, Expected], project: Path
) -> None:
    with project.joinpath("config.yaml").open("a", encoding="utf-8") as config:
        config.write("calls:\n  - {hook: speak, with: {is_loud: true}}\n")

    done = cli("run", "--once")

    answers = {line.strip().partition(":")[0] for line in done.stdout.split("speak(")[1].splitlines()[1:]}
    assert answers == {"cat", *(name for name, expected in bad_plugins.items() if expected.is_good)}
    for name, expected in bad_plugins.items():
        if expected.loaded == "failed":
            assert f"plugin {name!r}" in done.stderr
            assert all(words in done.stderr for words in expected.says)
    assert "Traceback" not in done.stderr
    listed = {row["name"]: row for row in cli("list", "--json").data["plugins"] if row["state"] != "conflict"}
    for name, expected in bad_plugins.items():
        if expected.loaded != "conflict" and not expected.is_good:
            assert listed[name]["state"] == expected.loaded
            assert listed[name]["reason"] is not None


def test_cl05_nothing_hangs_on_a_fifo(user: Callable[..., Any], bad_plugins: dict[str, Expected]) -> None:
    began = time.monotonic()
    user("info", "fifo-manifest")
    assert time.monotonic() - began < 60
    assert os.path.exists("plugins/fifo-manifest/manifest.yaml")
