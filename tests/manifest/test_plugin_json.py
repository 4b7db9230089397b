"""A plugin.json in szlabs' form is a manifest too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import Problem
from pluginkit.manifest import (
    About,
    Entrypoint,
    HttpServices,
    InvalidManifest,
    Manifest,
    Remote,
    Route,
    Vocabulary,
    as_dict,
    read_manifest,
)
from pluginkit.versions import Version

BROUGHT = """\
{"name": "sample", "version": "0.1.0", "description": "one", "maintainers": ["a@b.com"], "home": "https://example.com",
 "source": {"mode": "local", "path": "sample.py"},
 "http_services": {"driver": "starlette", "routes": [{"route": "/api/plugin/sample/:id", "method": "GET", "label": "plugin.get"}]}}
"""
LEAST: dict[str, Any] = {
    "name": "sample",
    "version": "0.1.0",
    "source": {"mode": "local", "path": "sample.py"},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plugin.json"


def read(file: Path, **changed: Any) -> Manifest:
    file.write_text(json.dumps({**LEAST, **changed}, indent=1))
    return read_manifest(file)


def problems_of(file: Path, text: str, vocabulary: Vocabulary | None = None) -> dict[str, Problem]:
    file.write_text(text)
    with pytest.raises(InvalidManifest) as caught:
        read_manifest(file, vocabulary=vocabulary)
    return {problem.path: problem for problem in caught.value.problems}


def test_dm05_the_plugin_json_that_people_bring_is_read(file: Path) -> None:
    file.write_text(BROUGHT)
    assert read_manifest(file, vocabulary=Vocabulary(frozenset({"execute"}))) == Manifest(
        name="sample",
        type="execute",
        entrypoint=Entrypoint("sample"),
        version=Version.parse("0.1.0"),
        about=About("one", ("a@b.com",), "https://example.com"),
        http_services=HttpServices("starlette", (Route("/api/plugin/sample/:id", "GET", "plugin.get"),)),
        file=file,
        source="plugin.json",
    )


@pytest.mark.parametrize(
    ("path", "module"),
    [("sample.py", "sample"), ("./sample.py", "sample"), ("pkg/sample.py", "pkg.sample"), ("sample", "sample"), ("pkg/", "pkg")],
)  # fmt: skip
def test_dm05_the_path_of_the_source_becomes_the_entrypoint(file: Path, path: str, module: str) -> None:
    assert read(file, source={"mode": "local", "path": path}).entrypoint == Entrypoint(module)


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "~/x.py", "a/../../x.py", "C:\\x.py", "\\x.py", "my-file.py", "", ".", "x.so", "a b.py", "x.py\n"])  # fmt: skip
def test_dm09_a_source_outside_the_plugin_is_refused(file: Path, path: str) -> None:
    problems = problems_of(file, json.dumps({**LEAST, "source": {"mode": "local", "path": path}}))
    assert list(problems) == ["source.path"]


def test_dm05_compiled_go_plugins_are_refused_with_what_to_write_instead(file: Path) -> None:
    (problem,) = problems_of(
        file, '{"name": "s", "version": "0.1.0",\n "source": {"mode": "local_so", "path": "s.py"}}'
    ).values()
    assert str(problem) == (
        f"{file}:2: source.mode: loads a library that was compiled from Go, which Python cannot; port the plugin to "
        'Python and write "mode": "local" with the path of its .py file '
        '(found \'local_so\'; right would be "mode": "local", "path": "sample.py")'
    )
    both = problems_of(file, json.dumps({**LEAST, "source": {"mode": "local_so", "path": "s.so"}}))
    assert list(both) == ["source.mode", "source.path"]


def test_pk02_a_source_in_git_is_parsed_for_whoever_fetches_it(file: Path) -> None:
    source = {"mode": "remote_git", "path": "sample.py", "url": "https://example.com/s.git", "ref": "v1.2.0"}
    manifest = read(file, source=source)
    assert (manifest.remote, manifest.entrypoint) == (
        Remote("https://example.com/s.git", "v1.2.0"),
        Entrypoint("sample"),
    )
    assert as_dict(manifest)["remote"] == {"url": "https://example.com/s.git", "ref": "v1.2.0"}
    del source["ref"]
    assert read(file, source=source).remote == Remote("https://example.com/s.git", None)
    problems = problems_of(file, json.dumps({**LEAST, "source": {"mode": "remote_git", "path": "s.py"}}))
    assert list(problems) == ["source.url"]


def test_dm05_an_unknown_mode_is_an_error_with_the_nearest_known_one(file: Path) -> None:
    (problem,) = problems_of(file, json.dumps({**LEAST, "source": {"mode": "locl", "path": "s.py"}})).values()
    assert problem.message == "must be one of local, remote_git; did you mean 'local'?"
    assert list(problems_of(file, json.dumps({**LEAST, "source": {"path": "s.py"}}))) == ["source.mode"]


def test_dm05_all_errors_of_a_plugin_json_are_listed_at_once(file: Path) -> None:
    text = '{"name": "../s",\n "version": 1.2,\n "naem": "x",\n "home": "example.com",\n "maintainers": "me",\n "home": "y",\n "hooks": [1]}'
    problems = problems_of(file, text)
    assert {path: problem.line for path, problem in problems.items()} == {
        "source": 1,
        "name": 1,
        "version": 2,
        "naem": 3,
        "maintainers": 5,
        "home": 6,
        "hooks[0]": 7,
    }
    assert problems["version"].example == 'version: "1.2.0"'
    assert problems["naem"].message == "is not a known key; did you mean 'name'?"


def test_dm05_a_type_and_the_sections_of_a_manifest_may_stand_in_it(file: Path) -> None:
    manifest = read(
        file,
        type="animal",
        hooks=["speak"],
        settings={"type": "object"},
        requires={"python": ">=3.11"},
        capabilities={"env": ["LANG"]},
    )
    assert (manifest.type, manifest.hooks, manifest.settings) == ("animal", ("speak",), {"type": "object"})
    assert manifest.capabilities.env == ("LANG",)
    problems = problems_of(file, json.dumps({**LEAST, "type": "anmal"}), Vocabulary(frozenset({"animal"})))
    assert problems["type"].message == "is no type of this host; did you mean 'animal'?"


def test_dm05_the_form_of_a_manifest_yaml_may_be_written_as_json(file: Path) -> None:
    fields = {
        "name": "c",
        "type": "a",
        "format": "native",
        "entrypoint": "c:C",
        "language": "python",
        "version": "1.0.0",
    }
    file.write_text(json.dumps({"plugin": fields}))
    manifest = read_manifest(file)
    assert (manifest.entrypoint, manifest.source) == (Entrypoint("c", "C"), "plugin.json")


@pytest.mark.parametrize("text", ["", "[]", '"x"', "null", "{}", "{"])
def test_dm11_a_plugin_json_that_is_none_is_refused(file: Path, text: str) -> None:
    assert problems_of(file, text)
    yaml = file.with_name("manifest.yaml")
    # The flat form is that of plugin.json only: in a manifest.yaml it is more likely a mistake.
    assert "plugin" in problems_of(yaml, BROUGHT)
