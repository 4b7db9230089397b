"""`pluginkit list`: every plugin, with its state and why."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin
from tests.support.dists import Wheel

CONFIG = 'contracts: {animal: "pluginkit.contracts.samples:Animal"}\n'
BROKEN = "raise RuntimeError('no fuel')\n"
ROW = {
    "name",
    "version",
    "type",
    "state",
    "reason",
    "origin",
    "runtime",
    "generation",
    "priority",
    "reloadable",
    "errors",
    "last_run",
}


def states(done: Any) -> dict[str, str]:
    return {row["name"]: row["state"] for row in done.data["plugins"]}


@pytest.mark.usefixtures("project")
def test_cl01_list_is_an_aligned_table_without_a_terminal(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "a-long-name", "", type="animal", version="10.20.30")

    lines = cli("list").stdout.splitlines()

    assert lines[0].split() == ["NAME", "VERSION", "TYPE", "STATE", "RUNTIME", "ORIGIN"]
    assert lines[1].split() == [
        "a-long-name", "10.20.30", "animal", "discovered", "native", "dir:plugins/a-long-name",
    ]  # fmt: skip
    assert (
        len({line.index(word) for line, word in zip(lines, ("VERSION", "10.20", "1.0.0"), strict=True)}) == 1
    )
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.usefixtures("project")
def test_cl07_list_json_is_complete_sorted_and_has_always_the_same_keys(cli: Callable[..., Any]) -> None:
    Path("plugins/zzz").mkdir()
    Path("plugins/aaa").mkdir()

    done = cli("list", "--json")

    assert done.data["schema_version"] == 1
    rows = done.data["plugins"]
    assert [row["name"] for row in rows] == ["aaa", "cat", "zzz"]
    assert all(set(row) == ROW for row in rows)
    assert rows[0]["version"] is None
    assert rows[0]["reason"]["code"] == "no-manifest"
    assert rows[1]["reason"] is None
    assert done.stderr == ""


@pytest.mark.usefixtures("project")
def test_cl01_broken_disabled_and_conflicting_plugins_are_listed_with_their_reason(
    cli: Callable[..., Any],
) -> None:
    write_plugin("plugins", "off", "", type="animal")
    write_plugin("plugins", "wrong", "", type="animol")
    shutil.copytree("plugins/off", "plugins/twin-a")
    write_plugin("plugins", "twin-a", "", type="animal")
    write_plugin("plugins", "twin_a", "", type="animal")
    write_plugin("plugins", "future", "", type="animal", requires={"python": ">=99"})
    cli("disable", "off")

    done = cli("list", "--json")

    assert [row["state"] for row in done.data["plugins"] if row["name"].startswith("twin")] == [
        "discovered",
        "conflict",
    ]
    assert states(done)["off"] == "disabled"
    assert states(done)["wrong"] == "failed"
    assert states(done)["future"] == "incompatible"
    text = cli("list").stdout
    assert "did you mean 'animal'?" in text
    assert "pluginkit disable" in text
    assert "python >=99" in text


@pytest.mark.usefixtures("project")
def test_cl07_a_row_stays_one_line_for_grep_however_long_its_reason_is(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "wrong", "", type="x" * 60)

    lines = cli("list").stdout.splitlines()

    assert len(lines) == 3
    assert "x" * 60 in lines[2]


def test_cl01_an_installed_plugin_is_listed_with_its_distribution(
    project: Path, user: Callable[..., Any], child_env: dict[str, str]
) -> None:
    wheel = Wheel(
        name="dog-plugin", version="2.1", files={"dog.py": "raise SystemExit\n"}, plugins={"dog": "dog:Dog"}
    )
    site = project / "site"
    wheel.unpack(site)
    done = user("list", "--json", env={"PYTHONPATH": f"{child_env['PYTHONPATH']}{os.pathsep}{site}"})

    row = next(row for row in done.data["plugins"] if row["name"] == "dog")
    assert row["origin"] == "pip:dog-plugin 2.1"


@pytest.mark.usefixtures("project")
def test_dm14_list_says_what_the_last_run_learnt_as_long_as_the_files_are_the_same(
    cli: Callable[..., Any],
) -> None:
    write_plugin("plugins", "broken", BROKEN, type="animal", entrypoint="broken:Broken")
    assert states(cli("list", "--json"))["broken"] == "discovered"

    cli("run", "--once")

    row = next(row for row in cli("list", "--json").data["plugins"] if row["name"] == "broken")
    assert row["state"] == "failed"
    assert row["reason"]["code"] == "import-failed"
    assert row["reason"]["text"].startswith("in the last run (")
    assert row["last_run"]["code"] == "import-failed"
    assert "no fuel" in row["last_run"]["text"]
    assert isinstance(row["last_run"]["time"], float)
    assert "no fuel" in cli("list").stdout
    assert "no fuel" in cli("info", "broken").stdout

    Path("plugins/broken/broken.py").write_text("# mended\n", "utf-8")

    row = next(row for row in cli("list", "--json").data["plugins"] if row["name"] == "broken")
    assert (row["state"], row["reason"], row["last_run"]) == ("discovered", None, None)


@pytest.mark.usefixtures("project")
def test_dm14_a_run_that_succeeds_forgets_the_failure(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", BROKEN, type="animal", entrypoint="broken:Broken")
    cli("run", "--once")
    Path("plugins/broken/broken.py").write_text(
        Path("plugins/cat/cat.py").read_text("utf-8").replace("Cat", "Broken"), "utf-8"
    )
    cli("run", "--once")
    assert json.loads(Path(".pluginkit/state.json").read_text("utf-8"))["failures"] == {}


@pytest.mark.usefixtures("project")
def test_dm14_a_failure_of_another_plugin_is_not_kept_as_its_own(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", BROKEN, type="animal", entrypoint="broken:Broken")
    write_plugin("plugins", "needy", "", type="animal", requires={"plugins": ["broken"]})
    done = cli("run", "--once")
    assert "requires the plugin broken" in done.stderr
    kept = json.loads(Path(".pluginkit/state.json").read_text("utf-8"))["failures"]
    assert sorted(kept) == ["broken"]


@pytest.mark.usefixtures("project")
def test_dm14_a_plugin_whose_files_cannot_be_read_is_not_called_failed_for_an_old_reason(
    cli: Callable[..., Any],
) -> None:
    write_plugin("plugins", "broken", BROKEN, type="animal", entrypoint="broken:Broken")
    cli("run", "--once")
    Path("plugins/broken/link.txt").symlink_to("nowhere")
    assert states(cli("list", "--json"))["broken"] == "discovered"


@pytest.mark.usefixtures("project")
def test_a_state_directory_that_is_a_file_is_told_in_one_line(cli: Callable[..., Any]) -> None:
    Path(".pluginkit").write_text("a file in its place", "utf-8")
    assert "cat" in cli("list").stdout
    done = cli("disable", "cat", status=2)
    assert done.stderr.splitlines() == [f"pluginkit: error: {Path.cwd()}/.pluginkit: File exists"]


@pytest.mark.usefixtures("project")
def test_a_state_directory_that_cannot_be_written_stops_no_run(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", BROKEN, type="animal", entrypoint="broken:Broken")
    Path("config.yaml").write_text(CONFIG + "directories: {state_dir: file/state}\n", "utf-8")
    Path("file").mkdir()
    Path("file/state").symlink_to("nowhere/at/all")

    done = cli("run", "--once")

    assert "the outcome of this run cannot be kept" in done.stderr


@pytest.mark.usefixtures("project")
def test_an_empty_list_says_why_and_what_to_do(cli: Callable[..., Any]) -> None:
    shutil.rmtree("plugins")

    done = cli("list")

    assert done.stdout == ""
    assert "plugins does not exist" in done.stderr
    assert "pluginkit new NAME --type TYPE" in done.stderr
    assert cli("list", "--json").data["plugins"] == []


@pytest.mark.usefixtures("project")
def test_a_plugins_directory_that_is_a_file_is_told(cli: Callable[..., Any]) -> None:
    Path("file").write_text("", "utf-8")
    done = cli("--config", "config.yaml", "list", status=0)
    assert "cat" in done.stdout
    shutil.rmtree("plugins")
    Path("plugins").write_text("", "utf-8")
    assert "the plugins directory is a file" in cli("list").stderr


@pytest.mark.usefixtures("project")
def test_cl07_a_terminal_gets_a_drawn_table_with_reasons_below_it(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    write_plugin("plugins", "wrong", "", type="animol")

    lines = cli("list", terminal=True).stdout.splitlines()

    assert lines[0].startswith("┏")
    assert any("did you mean" in line and not line.startswith("│") for line in lines)
    assert "\x1b[" in cli("list", terminal=True).stdout


@pytest.mark.usefixtures("project")
def test_cl07_a_terminal_without_reasons_gets_only_the_table(cli: Callable[..., Any]) -> None:
    assert cli("list", terminal=True).stdout.splitlines()[-1].startswith("└")


@pytest.mark.usefixtures("project")
def test_cl07_no_color_draws_without_colours_and_wins_over_force_color(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[3" not in cli("list", terminal=True).stdout
    assert "\x1b[" not in cli("list").stdout


@pytest.mark.usefixtures("project")
def test_cl07_force_color_colours_what_is_no_terminal(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("disable", "cat")
    assert "\x1b[" not in cli("list").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[90mdisabled" in cli("list").stdout


@pytest.mark.usefixtures("project")
def test_cl07_a_dumb_terminal_gets_the_plain_table(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert cli("list", terminal=True).stdout == cli("list").stdout
