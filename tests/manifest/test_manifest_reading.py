"""A manifest is read into one frozen value, or every error in it is listed at once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.errors import ManifestError, Problem
from pluginkit.manifest import (
    About,
    Argument,
    Capabilities,
    EgressRule,
    Entrypoint,
    ExecRule,
    FilesystemGrant,
    Handshake,
    HttpServices,
    IngressRule,
    InvalidManifest,
    Manifest,
    PluginRequirement,
    PortRange,
    Requires,
    Route,
    Security,
    Vocabulary,
    describe_problems,
    find_problems,
    normalise_name,
    parse_manifest,
    problems_as_dicts,
    read_manifest,
)
from pluginkit.strict_yaml import Document
from pluginkit.versions import Version, VersionRange

REQUIRED = {
    "name": "cat",
    "type": "animal",
    "format": "native",
    "entrypoint": "cat:Cat",
    "language": "python",
    "version": "1.0.0",
}

BROUGHT = """\
plugin: {name: "cat", type: "animal", format: "native", entrypoint: "cat:Cat", language: "python", version: "1.0.0"}
about: {description: "A cat that speaks", maintainer: "you@example.com", url: "https://example.com/cat"}
handshake: {protocol_version: 1, magic_cookie_key: "PLUGIN_MAGIC", magic_cookie_value: "secret"}
security: {auto_mtls: true}
capabilities:
  filesystem:
    - {path: "/home/user/data/", permissions: [read, write, list, create, delete], recursive: true}
  network:
    egress: [{protocol: tcp, hosts: ["api.example.com", "192.168.1.100"], ports: [443, 8080]}]
    ingress: [{protocol: tcp, ports: [9000], allowed_origins: ["192.168.1.100"]}]
  process:
    - exec: {command: "/usr/bin/rsync", args: ["-a", "--delete", "*"]}
    - kill: [children]
"""

VOCABULARY = Vocabulary(types=frozenset({"animal", "execute", "transformer"}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    directory = tmp_path / "cat"
    directory.mkdir()
    return directory / "manifest.yaml"


def plugin(**changed: str) -> str:
    """The section `plugin`, its fields written as they are given; an empty one is left out."""
    fields = {key: value for key, value in {**REQUIRED, **changed}.items() if value}
    return "plugin:\n" + "".join(f"  {key}: {value}\n" for key, value in fields.items())


def problems_of(file: Path, text: str | bytes, vocabulary: Vocabulary | None = None) -> dict[str, Problem]:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidManifest) as caught:
        read_manifest(file, vocabulary=vocabulary)
    problems = caught.value.problems
    assert all(problem.file == file for problem in problems)
    by_path = {problem.path: problem for problem in problems}
    assert len(by_path) == len(problems)
    return by_path


def problem_of(file: Path, text: str | bytes, vocabulary: Vocabulary | None = None) -> Problem:
    (problem,) = problems_of(file, text, vocabulary).values()
    return problem


def test_dm03_the_manifest_that_people_bring_is_read(file: Path) -> None:
    file.write_text(BROUGHT)
    assert read_manifest(file, vocabulary=VOCABULARY) == Manifest(
        name="cat",
        type="animal",
        entrypoint=Entrypoint("cat", "Cat"),
        version=Version.parse("1.0.0"),
        about=About("A cat that speaks", ("you@example.com",), "https://example.com/cat"),
        handshake=Handshake((1,), "PLUGIN_MAGIC", "secret"),
        security=Security(auto_mtls=True),
        capabilities=Capabilities(
            filesystem=(
                FilesystemGrant(
                    "/home/user/data/", frozenset({"read", "write", "list", "create", "delete"}), recursive=True
                ),
            ),
            egress=(
                EgressRule("tcp", ("api.example.com", "192.168.1.100"), (PortRange(443, 443), PortRange(8080, 8080))),
            ),
            ingress=(
                IngressRule("tcp", (PortRange(9000, 9000),), allowed_origins=("192.168.1.100",)),
            ),
            exec=(
                ExecRule(
                    "/usr/bin/rsync",
                    (Argument("literal", "-a"), Argument("literal", "--delete"), Argument("one")),
                ),
            ),
            kill=frozenset({"children"}),
        ),
        file=file,
        source="manifest.yaml",
    )  # fmt: skip


def test_dm03_absent_sections_mean_their_defaults(file: Path) -> None:
    file.write_text(plugin())
    manifest = read_manifest(str(file))
    assert manifest == Manifest(
        name="cat",
        type="animal",
        format="native",
        entrypoint=Entrypoint("cat", "Cat"),
        language="python",
        version=Version.parse("1.0.0"),
        priority=50,
        file=file,
        source="manifest.yaml",
    )
    assert (manifest.about, manifest.security, manifest.capabilities) == (
        About(),
        Security(False),
        Capabilities(),
    )
    assert (manifest.handshake, manifest.settings, manifest.http_services) == (None, None, None)
    assert (manifest.hooks, dict(manifest.implementations), manifest.requires) == ((), {}, Requires())
    assert "0.0.1" in {str(v) for v in [Version.parse("0.0.1")] if v in manifest.requires.host}


def test_dm03_our_own_sections_are_read(file: Path) -> None:
    file.write_text(
        plugin(priority="80", implementations='{loud: "cat:Loud", quiet: quiet}')
        + 'requires: {host: ">=1.2,<2", python: ">=3.11", pluginkit: "<9", plugins: ["dog >=1", pig], '
        'packages: ["rich >=13"], before: [horse], after: [cow]}\n'
        "settings: {type: object, properties: {volume: {type: integer}}}\n"
        "hooks: [speak, sleep, speak]\n"
        "http_services: {driver: starlette, routes: [{route: /cat/:id, method: GET, label: cat.get}]}\n"
    )
    manifest = read_manifest(file)
    assert manifest.priority == 80
    assert dict(manifest.implementations) == {"loud": Entrypoint("cat", "Loud"), "quiet": Entrypoint("quiet")}
    assert manifest.requires == Requires(
        host=VersionRange(">=1.2,<2"),
        python=VersionRange(">=3.11"),
        pluginkit=VersionRange("<9"),
        plugins=(PluginRequirement("dog", VersionRange(">=1")), PluginRequirement("pig")),
        packages=("rich >=13",),
        before=("horse",),
        after=("cow",),
    )
    assert manifest.settings == {"type": "object", "properties": {"volume": {"type": "integer"}}}
    assert manifest.hooks == ("speak", "sleep")
    assert manifest.http_services == HttpServices("starlette", (Route("/cat/:id", "GET", "cat.get"),))


def test_dm03_required_plugins_may_be_written_as_a_mapping(file: Path) -> None:
    file.write_text(plugin() + 'requires: {plugins: {dog: ">=1", pig: ""}}')
    required = read_manifest(file).requires.plugins
    assert required == (PluginRequirement("dog", VersionRange(">=1")), PluginRequirement("pig"))
    assert list(map(str, required)) == ["dog >=1", "pig"]
    problems = problems_of(file, plugin() + 'requires: {plugins: {"../dog": ">=1", pig: "^1"}}')
    assert set(problems) == {"requires.plugins['../dog']", "requires.plugins.pig"}


def test_dm03_a_manifest_is_a_frozen_value_that_can_be_a_key(file: Path) -> None:
    file.write_text(plugin(implementations='{a: "cat:A"}') + "settings: {}\n")
    manifest = read_manifest(file)
    assert {manifest: 1}[read_manifest(file)] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        manifest.name = "dog"  # type: ignore[misc]  # that it cannot be set is what is tested
    with pytest.raises(TypeError):
        manifest.implementations["b"] = Entrypoint("b")  # type: ignore[index]  # the same


def test_dm04_every_missing_field_is_listed_at_once(file: Path) -> None:
    problems = problems_of(file, "# one\nplugin: {priority: 50}\nabout: {}\n")
    assert list(problems) == [f"plugin.{key}" for key in REQUIRED]
    assert {problem.line for problem in problems.values()} == {2}
    assert str(problems["plugin.version"]) == (
        f'{file}:2: plugin.version: is required, and missing here (right would be version: "1.0.0")'
    )


def test_dm04_every_error_has_line_field_value_and_example(file: Path) -> None:
    problems = problems_of(
        file,
        "plugin:\n"
        "  name: my cat\n"
        "  type: animal\n"
        "  format: native\n"
        "  entrypoint: ../../bin/sh\n"
        "  language: python\n"
        "  version: 1.10\n"
        "  priority: 500\n"
        "about: {url: example.com, maintainers: you}\n"
        "hooks: speak\n",
    )
    wanted: dict[str, tuple[int, str, str]] = {
        "plugin.name": (2, "'my cat'", "name: cat"),
        "plugin.entrypoint": (5, "'../../bin/sh'", 'entrypoint: "cat:Cat"'),
        "plugin.version": (7, "1.10", 'version: "1.10.0"'),
        "plugin.priority": (8, "500", "priority: 50"),
        "about.maintainers": (9, "'you'", "maintainers: [you@example.com]"),
        "about.url": (9, "'example.com'", "url: https://example.com/cat"),
        "hooks": (10, "'speak'", "hooks: [speak]"),
    }
    assert {path: (p.line, p.found, p.example) for path, p in problems.items()} == wanted


def test_dm04_what_yaml_refuses_is_listed_beside_the_rest(file: Path) -> None:
    problems = problems_of(file, plugin(name="yes", type="") + "about: {}\nabout: {url: x}\nhooks: [1]\n")
    assert list(problems) == ["plugin.type", "plugin.name", "about", "hooks[0]"]
    assert "YAML 1.1" in problems["plugin.name"].message
    assert "given twice" in problems["about"].message


def test_dm04_an_unknown_key_is_an_error_with_the_nearest_known_one(file: Path) -> None:
    problems = problems_of(file, plugin() + "abuot: {}\nabout: {descripton: x}\n").values()
    assert [problem.message for problem in problems] == [
        "is not a known key; did you mean 'about'?",
        "is not a known key; did you mean 'description'?",
    ]
    assert "known: description, " in problem_of(file, plugin() + "about: {qqqq: x}\n").message


def test_dm04_an_empty_value_is_neither_a_default_nor_a_crash(file: Path) -> None:
    problems = problems_of(file, plugin(version="~") + "about:\nhooks: ~\nhandshake: {protocol_version: }\n")
    assert {path: problem.message for path, problem in problems.items()} == {
        "plugin.version": "is required, and empty here",
        "about": "is empty; give it a value, or remove the key",
        "hooks": "is empty; give it a value, or remove the key",
        "handshake.protocol_version": "is required, and empty here",
        "handshake.magic_cookie_key": "is required, and missing here",
        "handshake.magic_cookie_value": "is required, and missing here",
    }


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_dm04_an_empty_manifest_says_what_it_needs(file: Path, text: str) -> None:
    problem = problem_of(file, text)
    assert (problem.line, problem.message) == (1, "is empty; a manifest has at least the section `plugin`")
    assert problem.example is not None
    file.write_text(problem.example)
    assert read_manifest(file).name == "cat"


@pytest.mark.parametrize(("text", "found"), [("[1, 2]", "[1, 2]"), ("cat", "'cat'"), ("12", "12")])
def test_dm04_a_document_that_is_no_mapping_is_refused(file: Path, text: str, found: str) -> None:
    problem = problem_of(file, text)
    assert (problem.found, problem.line) == (found, 1)
    assert "must be a mapping" in problem.message


@pytest.mark.parametrize(
    ("version", "found", "example"),
    [
        ("1.2", "1.2", '"1.2.0"'),
        ("1.10", "1.10", '"1.10.0"'),
        ("3", "3", '"3.0.0"'),
        ('"1.2"', "'1.2'", '"1.2.0"'),
        ("v1.2.3", "'v1.2.3'", '"1.2.3"'),
        ("1.2.3.4", "'1.2.3.4'", '"1.2.3"'),
        ("01.2.3", "'01.2.3'", '"1.2.3"'),
        ("a.b.3", "'a.b.3'", '"1.0.0"'),
        ("[1, 2, 3]", "[1, 2, 3]", '"1.0.0"'),
        ("true", "true", '"1.0.0"'),
    ],
)
def test_dm06_a_wrong_version_is_shown_as_it_stands_with_the_right_one(
    file: Path, version: str, found: str, example: str
) -> None:
    problem = problem_of(file, plugin(version=version))
    assert (problem.path, problem.found, problem.example) == ("plugin.version", found, f"version: {example}")
    file.write_text(plugin(version=example))
    assert str(read_manifest(file).version) == example.strip('"')


@pytest.mark.parametrize("version", ["1.2.3", '"1.2.3-rc.1"', "1.2.3+build", "0.0.0"])
def test_dm06_semantic_versions_are_accepted(file: Path, version: str) -> None:
    file.write_text(plugin(version=version))
    assert str(read_manifest(file).version) == version.strip('"')


@pytest.mark.parametrize("name", ["cat", "Cat", "my-cat", "my_cat.v2", "c", "9lives", "a" * 64])
def test_se10_harmless_names_are_accepted(file: Path, name: str) -> None:
    file.write_text(plugin(name=name))
    assert read_manifest(file).name == name


@pytest.mark.parametrize(
    "name",
    ["''", ".", "..", "../cat", "a/b", "a\\b", "-rf", "_cat", "cat.", "'cat '", "a b", "käse", "a" * 65, '"cat\\n"',
     '"a\\tb"', '"\\e[31mcat"', "$(sh)", "'a;b'", "a:b", "'~'"],
)  # fmt: skip
def test_se10_names_cannot_traverse_or_inject(file: Path, name: str) -> None:
    problem = problem_of(file, plugin(name=name))
    assert problem.path == "plugin.name"
    assert str(problem).isprintable()


@pytest.mark.parametrize(("one", "other"), [("My_Cat.v2", "my-cat-v2"), ("a--_.b", "A.B"), ("cat", "CAT")])
def test_dm07_names_are_compared_as_pep_503_normalises_them(one: str, other: str) -> None:
    assert normalise_name(one) == normalise_name(other)
    assert normalise_name(one) != normalise_name(f"{other}-2")


def test_se10_no_name_is_endless(file: Path) -> None:
    long = "x" * 65
    text = plugin(type=long) + f"hooks: [{long}, speak-up]\nrequires: {{packages: [{long * 20}]}}\n"
    assert {path: problem.message for path, problem in problems_of(file, text).items()} == {
        "plugin.type": "must not be longer than 64 characters",
        "hooks[0]": "must not be longer than 64 characters",
        "hooks[1]": "must be a name as in Python: a letter or '_', then letters, digits and '_'",
        "requires.packages[0]": "must not be longer than 1000 characters",
    }


def test_se10_unknown_keys_cannot_inject_either(file: Path) -> None:
    problem = problem_of(file, plugin() + '"\\e[2J\\nabout": 1\n')
    assert str(problem).isprintable()


@pytest.mark.parametrize("entrypoint", ["cat", "cat:Cat", "cat.impl", "cat.impl:Cats.loud", "_cat:_Cat"])
def test_dm09_modules_and_attributes_are_accepted(file: Path, entrypoint: str) -> None:
    file.write_text(plugin(entrypoint=f'"{entrypoint}"'))
    assert str(read_manifest(file).entrypoint) == entrypoint


@pytest.mark.parametrize(
    ("entrypoint", "message"),
    [
        ("../../bin/sh", "must lie inside the plugin's own directory"),
        ("/bin/sh", "must lie inside the plugin's own directory"),
        ("~/cat", "must lie inside the plugin's own directory"),
        ("C:\\\\cat", "must lie inside the plugin's own directory"),
        ("cat..impl", "must lie inside the plugin's own directory"),
        ("sub/cat:Cat", "must be the name of a module, not of a file"),
        ("cat.py:Cat", "must be the name of a module, not of a file"),
        ("sub\\\\cat", "must be the name of a module, not of a file"),
        ("", "must be a module"),
        (":Cat", "must be a module"),
        ("cat:", "must be a module"),
        ("cat:Cat:x", "must be a module"),
        ("my-cat", "must be a module"),
        ("cat:Cat()", "must be a module"),
        ("cat\\n", "must be a module"),
        (".cat", "must be a module"),
        ("a" * 300, "must not be longer than 256 characters"),
    ],
)
def test_dm09_an_entrypoint_cannot_leave_the_plugin(file: Path, entrypoint: str, message: str) -> None:
    problem = problem_of(file, plugin(entrypoint=f'"{entrypoint}"'))
    assert problem.path == "plugin.entrypoint"
    assert problem.message.startswith(message)
    problem = problem_of(file, plugin(implementations=f'{{loud: "{entrypoint}"}}'))
    assert problem.path == "plugin.implementations.loud"


def test_dm08_unknown_words_are_errors_with_the_nearest_known_one(file: Path) -> None:
    text = plugin(type="anmal", format="natve", language="pyton")
    problems = problems_of(file, text, VOCABULARY)
    assert {path: (problem.message, problem.example) for path, problem in problems.items()} == {
        "plugin.type": ("is no type of this host; did you mean 'animal'?", "type: animal"),
        "plugin.format": ("is no format of this host; did you mean 'native'?", "format: native"),
        "plugin.language": ("is no language of this host; did you mean 'python'?", "language: python"),
    }
    far = problem_of(file, plugin(type="xyzzy"), VOCABULARY)
    assert far.message == "is no type of this host; known: animal, execute, transformer"
    assert problem_of(file, plugin(type="x"), Vocabulary(frozenset())).example is None


def test_dm08_without_a_host_any_word_passes(file: Path) -> None:
    file.write_text(plugin(type="anything", format="wasm", language="rust"))
    manifest = read_manifest(file)
    assert (manifest.type, manifest.format, manifest.language) == ("anything", "wasm", "rust")
    assert problem_of(file, plugin(type="an imal")).path == "plugin.type"
    assert problem_of(file, plugin(implementations='{"a b": "cat"}')).path == "plugin.implementations['a b']"


def test_dm08_a_host_can_extend_its_vocabulary(file: Path) -> None:
    file.write_text(plugin(type="robot", format="wasm", language="rust"))
    extended = Vocabulary(frozenset({"robot"}), frozenset({"native", "wasm"}), frozenset({"rust"}))
    assert read_manifest(file, vocabulary=extended).format == "wasm"


@pytest.mark.parametrize(("priority", "right"), [("0", True), ("100", True), ("50.0", True), ("-1", False), ("101", False), ("high", False), ("true", False), ("50.5", False), ('"50"', False)])  # fmt: skip
def test_lh18_priorities_go_from_0_to_100(file: Path, priority: str, right: bool) -> None:
    if right:
        file.write_text(plugin(priority=priority))
        assert read_manifest(file).priority == int(float(priority))
    else:
        assert problem_of(file, plugin(priority=priority)).message == "must be a whole number, from 0 to 100"


def test_se04_a_handshake_needs_all_its_fields(file: Path) -> None:
    problems = problems_of(file, plugin() + "handshake: {protocol_version: 0, magic_cookie_key: ' '}\n")
    assert {path: problem.message for path, problem in problems.items()} == {
        "handshake.protocol_version": "must be a whole number, 1 or more",
        "handshake.magic_cookie_key": "must not be empty",
        "handshake.magic_cookie_value": "is required, and missing here",
    }


def test_lc12_wrong_ranges_and_requirements_are_refused_with_their_reason(file: Path) -> None:
    text = 'requires: {host: 1.2, python: ">=3.11 <4", plugins: ["cat ^1", "../x"], packages: ["a b", "x y"], before: [-x]}'
    problems = problems_of(file, plugin() + text)
    assert {path: problem.message.partition(":")[0] for path, problem in problems.items()} == {
        "requires.host": "must be text, but without quotes this is a number",
        "requires.python": "is not a version range",
        "requires.plugins[0]": "'^1' is not a version range",
        "requires.plugins[1]": "must be a plugin name",
        "requires.packages[0]": "is not a requirement as in PEP 508",
        "requires.packages[1]": "is not a requirement as in PEP 508",
        "requires.before[0]": "must be a plugin name",
    }


def test_pg05_a_settings_schema_stays_in_itself(file: Path) -> None:
    text = (
        "settings:\n"
        "  type: object\n"
        "  properties:\n"
        "    inside: {$ref: '#/$defs/a'}\n"
        "    default: {$ref: 'http://example.com/a.json'}\n"
        "    several: {anyOf: [{type: string}, {$dynamicRef: 'file:///etc/passwd'}]}\n"
        "    $ref: {type: string}\n"
    )
    problems = problems_of(file, plugin() + text)
    assert {path: problem.line for path, problem in problems.items()} == {
        "settings.properties.default['$ref']": 12,
        "settings.properties.several.anyOf[1]['$dynamicRef']": 13,
    }
    assert problem_of(file, plugin() + "settings: {type: array}\n").path == "settings.type"
    assert problem_of(file, plugin() + "settings: {properties: []}\n").path == "settings.properties"
    assert problem_of(file, plugin() + "settings: []\n").path == "settings"


def test_cl04_validate_looks_into_the_settings_schema(file: Path) -> None:
    file.write_text(plugin() + "settings:\n  properties:\n    volume: {type: integr}\n")
    assert read_manifest(file).settings is not None
    (problem,) = find_problems(file)
    assert (problem.path, problem.line, problem.found) == ("settings.properties.volume.type", 10, "'integr'")
    assert problem.message.startswith("is no JSON Schema: ")
    file.write_text(plugin() + "settings: {properties: {volume: {type: integer}}}\n")
    assert find_problems(file) == ()
    file.write_text(plugin())
    assert find_problems(file, vocabulary=VOCABULARY) == ()
    assert len(find_problems(file, vocabulary=Vocabulary(frozenset({"robot"})))) == 1


def test_ht01_routes_are_checked_one_by_one(file: Path) -> None:
    text = (
        "http_services:\n"
        "  driver: my driver\n"
        "  routes:\n"
        "    - {route: /ok/:id, method: GET, label: ok}\n"
        "    - {route: no-slash, method: get, label: ''}\n"
        "    - {route: /a/../b, method: BREW}\n"
        "    - /just/a/path\n"
    )
    problems = problems_of(file, plugin() + text)
    assert sorted(problems) == [
        "http_services.driver",
        "http_services.routes[1].label",
        "http_services.routes[1].method",
        "http_services.routes[1].route",
        "http_services.routes[2].label",
        "http_services.routes[2].method",
        "http_services.routes[2].route",
        "http_services.routes[3]",
    ]
    assert problems["http_services.routes[1].method"].example == "GET"


def test_dm11_whatever_stands_in_the_place_of_a_manifest_is_named(file: Path) -> None:
    def message() -> str:
        with pytest.raises(InvalidManifest) as caught:
            read_manifest(file)
        (problem,) = caught.value.problems
        return problem.message

    assert message() == "does not exist"
    os.mkfifo(file)
    assert message() == "is a FIFO (named pipe), not a regular file"
    file.unlink()
    file.symlink_to("absent")
    assert message() == "is a symbolic link to 'absent', which does not exist"
    file.unlink()
    file.mkdir()
    assert message() == "is a directory, not a regular file"
    file.rmdir()
    file.write_bytes(b"#" * 70000)
    assert message() == "is larger than 65536 bytes"


def test_dm11_the_error_names_the_plugin_by_its_directory(file: Path) -> None:
    file.write_text("plugin: {}")
    with pytest.raises(ManifestError, match="plugin 'cat': the manifest cannot be used") as caught:
        read_manifest(file)
    assert isinstance(caught.value, InvalidManifest)
    assert (caught.value.plugin, caught.value.file, caught.value.reason.code) == (
        "cat",
        file,
        "manifest-invalid",
    )
    assert InvalidManifest([]).plugin == "?"


def test_cl04_problems_are_described_for_people_and_for_programs(file: Path) -> None:
    file.write_text(plugin(type="anmal", version="1.2"))
    problems = find_problems(file, vocabulary=VOCABULARY)
    assert describe_problems(problems) == (
        f"{file}: 2 problems\n"
        "  line 3: plugin.type is no type of this host; did you mean 'animal'?\n"
        "    found: 'anmal'\n"
        "    right: type: animal\n"
        "  line 7: plugin.version must be text, but without quotes this is a number\n"
        "    found: 1.2\n"
        '    right: version: "1.2.0"'
    )
    assert problems_as_dicts(problems)[0] == {
        "file": str(file),
        "line": 3,
        "column": 3,
        "path": "plugin.type",
        "message": "is no type of this host; did you mean 'animal'?",
        "found": "'anmal'",
        "example": "type: animal",
    }
    assert describe_problems([Problem("is odd")]) == "manifest: 1 problem\n  is odd"
    assert problems_as_dicts([Problem("is odd")])[0]["file"] is None


def test_dm14_reading_needs_neither_yaml_nor_packaging_until_it_does(
    file: Path, child: Callable[..., Any]
) -> None:
    file.write_text(plugin() + 'requires: {host: ">=1.2"}\n')
    done = child(
        "import sys\n"
        "import pluginkit.manifest, pluginkit.strict_yaml, pluginkit.versions, pluginkit.events, pluginkit.atomic\n"
        "heavy = {'yaml', 'packaging', 'jsonschema', 'logging', 'importlib.metadata', 'difflib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        f"pluginkit.manifest.read_manifest({str(file)!r})\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert done.stdout == "[]\n['yaml']\n"


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["plugin", "name", "version", "about", "capabilities", "process", "exec", "network", "egress",
                         "requires", "plugins", "settings", "hooks", "http_services", "routes", "x"]),
        inner, max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(data)
def test_dm11_no_data_makes_the_check_fail_in_another_way(data: Any) -> None:
    for file in ("manifest.yaml", "plugin.json"):
        with pytest.raises(InvalidManifest) as caught:
            parse_manifest(Document(data, {}), file=file)
        assert str(caught.value)
