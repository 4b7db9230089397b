"""`pluginkit validate`: everything that is wrong at once, found without running anything."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin

MANIFEST = """\
plugin:
  name: "two words"
  type: animol
  format: native
  entrypoint: "../cat:Cat"
  language: python
  version: "1.2"
capabilities:
  filesystem:
    - {path: /data, permissions: [reed]}
"""
SZLABS = {
    "name": "sample",
    "version": "0.1.0",
    "description": "one",
    "maintainers": ["a@b.com"],
    "home": "https://example.com",
    "source": {"mode": "local", "path": "sample.py"},
}


@pytest.mark.usefixtures("project")
def test_cl04_validate_tells_every_problem_with_line_field_value_and_an_example(
    cli: Callable[..., Any],
) -> None:
    Path("manifest.yaml").write_text(MANIFEST, "utf-8")

    done = cli("validate", "manifest.yaml", status=1)

    assert done.stdout.startswith("manifest.yaml: 5 problems\n")
    assert done.stderr == ""
    for words in (
        "line 2: plugin.name",
        "found: 'two words'",
        "line 3: plugin.type",
        "did you mean 'animal'?",
        "right: type: animal",
        "line 5: plugin.entrypoint",
        "line 7: plugin.version",
        'right: version: "1.2.0"',
        "line 10: capabilities.filesystem[0].permissions[0]",
    ):
        assert words in done.stdout


@pytest.mark.usefixtures("project")
def test_cl07_validate_json_has_the_same_and_always_the_same_keys(cli: Callable[..., Any]) -> None:
    Path("manifest.yaml").write_text(MANIFEST, "utf-8")

    done = cli("validate", "manifest.yaml", "plugins/cat", "--json", status=1)

    assert (done.data["schema_version"], done.data["ok"]) == (1, False)
    wrong, right = done.data["files"]
    assert set(wrong) == set(right) == {"path", "ok", "name", "version", "type", "problems", "notices"}
    assert (wrong["path"], wrong["ok"], wrong["name"]) == ("manifest.yaml", False, None)
    assert [problem["line"] for problem in wrong["problems"]] == [2, 3, 5, 7, 10]
    assert set(wrong["problems"][0]) == {"file", "line", "column", "path", "message", "found", "example"}
    assert (right["ok"], right["name"], right["version"], right["type"], right["problems"]) == (
        True,
        "cat",
        "1.0.0",
        "animal",
        [],
    )


@pytest.mark.usefixtures("sample_project")
def test_ex01_every_plugin_of_the_samples_is_valid(cli: Callable[..., Any]) -> None:
    paths = sorted(str(path) for path in Path("plugins").iterdir() if not path.name.startswith((".", "__")))
    lines = cli("validate", *paths).stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == paths
    assert all(": valid (" in line for line in lines)


@pytest.mark.usefixtures("project")
def test_cl04_a_directory_is_checked_beyond_its_manifest(cli: Callable[..., Any]) -> None:
    write_plugin(
        "plugins", "dog", "def bark(:\n", type="animal", hooks=["speek"], files={"ok.py": "x = '\\d'\n"}
    )
    done = cli("validate", "plugins/dog", status=1)
    assert "plugins/dog/manifest.yaml: 1 problem" in done.stdout
    assert "hooks[0] the contract 'animal' has no such hook; did you mean 'speak'?" in done.stdout
    assert "right: hooks: [speak]" in done.stdout
    assert "plugins/dog/dog.py: 1 problem" in done.stdout
    assert "line 1: not valid Python" in done.stdout


@pytest.mark.usefixtures("project")
def test_cl04_what_discovery_finds_gets_its_line_too(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "dog", "", type="animal", plugin={"name": "hound"})
    problem = cli("validate", "plugins/dog", "--json", status=1).data["files"][0]["problems"][0]
    assert (problem["path"], problem["line"]) == ("plugin.name", 3)


@pytest.mark.usefixtures("project")
def test_cl04_what_can_be_said_without_a_manifest_is_said(cli: Callable[..., Any]) -> None:
    Path("bare").mkdir()
    Path("bare/bare.py").write_text("def (\n", "utf-8")
    done = cli("validate", "bare", status=1)
    assert "no manifest.yaml" in done.stdout
    assert "not valid Python" in done.stdout


@pytest.mark.usefixtures("project")
def test_cl04_a_symbolic_link_inside_is_told_once(cli: Callable[..., Any]) -> None:
    Path("plugins/cat/cat.py").rename("cat.py")
    Path("plugins/cat/cat.py").symlink_to(Path("cat.py").absolute())
    assert cli("validate", "plugins/cat", status=1).stdout.count("symbolic link") == 1


@pytest.mark.usefixtures("project")
def test_cl04_a_symbolic_link_beside_the_code_is_told(cli: Callable[..., Any]) -> None:
    Path("plugins/cat/notes.txt").symlink_to("nowhere")
    assert "symbolic link" in cli("validate", "plugins/cat", status=1).stdout


@pytest.mark.usefixtures("project")
def test_dm15_a_single_file_is_checked(cli: Callable[..., Any]) -> None:
    Path("lone.py").write_text("__version__ = '1.0.0'\n", "utf-8")
    assert "valid (lone 1.0.0, pluggy)" in cli("validate", "lone.py").stdout
    Path("lone.py").write_text("def (\n", "utf-8")
    done = cli("validate", "lone.py", status=1)
    assert done.stdout.count("lone.py: 1 problem") == 1
    Path("long.py").write_bytes(b"x = 1\0\n")
    assert "long.py" in cli("validate", "long.py", status=1).stdout


@pytest.mark.usefixtures("project")
def test_a_file_that_cannot_be_compiled_for_another_reason_is_told(cli: Callable[..., Any]) -> None:
    deep = "-" * 200_000 + "1\n"
    write_plugin("plugins", "dog", "", type="animal", files={"deep.py": deep})
    assert "deep.py: 1 problem" in cli("validate", "plugins/dog", status=1).stdout


@pytest.mark.usefixtures("project")
def test_pg05_a_settings_schema_that_is_none_is_told(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "dog", "", type="animal", settings={"type": "object", "minProperties": -1})
    assert "is no JSON Schema" in cli("validate", "plugins/dog", status=1).stdout


@pytest.mark.usefixtures("project")
def test_a_plugin_json_is_checked_as_a_manifest(cli: Callable[..., Any]) -> None:
    Path("sample").mkdir()
    Path("sample/sample.py").write_text("", "utf-8")
    Path("sample/plugin.json").write_text(json.dumps(SZLABS), "utf-8")
    assert "valid (sample 0.1.0, execute)" in cli("validate", "sample", "sample/plugin.json").stdout
    Path("sample/plugin.json").write_text(json.dumps({**SZLABS, "source": {"mode": "local_so"}}), "utf-8")
    assert "local_so" in cli("validate", "sample/plugin.json", status=1).stdout


@pytest.mark.usefixtures("project")
def test_cl04_a_fifo_or_a_dangling_link_as_manifest_is_a_problem_and_no_hang(
    user: Callable[..., Any],
) -> None:
    os.mkfifo("manifest.yaml")
    assert "FIFO" in user("validate", "manifest.yaml", status=1).stdout
    Path("link.yaml").symlink_to("nowhere.yaml")
    assert "nowhere.yaml" in user("validate", "link.yaml", status=1).stdout


@pytest.mark.usefixtures("project")
def test_without_a_configuration_any_type_will_do_and_that_is_told(cli: Callable[..., Any]) -> None:
    Path("config.yaml").unlink()
    done = cli("validate", "plugins/cat")
    assert "valid (cat 1.0.0, animal)" in done.stdout
    assert "the type of a plugin is not checked" in done.stderr
    Path("manifest.yaml").write_text(Path("plugins/cat/manifest.yaml").read_text("utf-8"), "utf-8")
    assert "valid" in cli("validate", "manifest.yaml").stdout
