"""EX01 to EX06: each sample plugin keeps to its contract and gives what the checklist says."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.contracts import CallContext, Contract, ProcessResult, Transformation, check, remarks
from pluginkit.discovery import Catalogue
from pluginkit.errors import ConfigError, LabelError

NAMES = [
    "cat",
    "cow",
    "dog",
    "filelister",
    "greeter",
    "horse",
    "host-info",
    "notes",
    "pig",
    "reverse",
    "shrug",
    "simple-processor",
    "transformer",
    "uppercase",
]


def settings_file(directory: Path, name: str, text: str) -> Path:
    directory.joinpath(f"{name}.config.yaml").write_text(
        f"name: {name}\nsettings: {text}\n", encoding="utf-8"
    )
    return directory


def test_ex01_all_samples_are_found_and_none_is_broken(catalogue: Catalogue) -> None:
    assert sorted(catalogue.found) == NAMES
    assert not catalogue.broken
    assert not catalogue.conflicts


@pytest.mark.parametrize("name", NAMES)
def test_ex01_every_sample_keeps_to_its_contract(
    name: str, load_sample: Any, contracts: dict[str, Contract]
) -> None:
    sample = load_sample(name)
    contract = contracts.get(
        sample.found.manifest.type, contracts["transformer"]
    )  # shrug has a derived manifest
    assert check(contract, sample.implementations, plugin=name, target=sample.target) == ()
    assert remarks(contract, sample.implementations, target=sample.target) == ()


@pytest.mark.parametrize("name", NAMES)
def test_ex01_every_manifest_is_a_model(name: str, load_sample: Any) -> None:
    sample = load_sample(name)
    manifest = sample.found.manifest
    assert manifest.about.description
    assert manifest.source != "manifest.yaml" or tuple(sorted(sample.implementations)) == tuple(
        sorted(manifest.hooks)
    )
    assert manifest.source == "derived" or manifest.about.maintainers


@pytest.mark.parametrize(
    ("name", "quiet", "loud"),
    [
        ("cat", "Meow", "MEOW!"),
        ("dog", "Woof", "WOOF!"),
        ("pig", "Oink", "OINK!"),
        ("cow", "Moo", "MOO!"),
        ("horse", "Neigh", "NEIGH!"),
    ],
)
def test_ex01_animals_speak(name: str, quiet: str, loud: str, load_sample: Any) -> None:
    speak = load_sample(name).target.speak
    assert (speak(is_loud=False), speak(is_loud=True)) == (quiet, loud)


def test_lc03_the_cow_follows_the_host_through_its_life(load_sample: Any) -> None:
    cow = load_sample("cow").target
    cow.on_load()
    assert not cow.awake
    cow.on_start()
    assert cow.awake
    cow.on_stop()
    assert not cow.awake
    cow.on_unload()


@pytest.mark.parametrize(
    ("name", "text", "result"),
    [
        ("uppercase", "hello world", "HELLO WORLD"),
        ("reverse", "hello world", "dlrow olleh"),
        ("reverse", "", ""),
        ("reverse", "e\u0301a", "a\u0301e"),
        ("shrug", "hello world", "hello world ¯\\_(ツ)_/¯"),
        ("transformer", "hello world", "hello plugins"),
    ],
)
def test_ex02_transformers_transform(name: str, text: str, result: str, load_sample: Any) -> None:
    assert load_sample(name).target.transform(text=text) == result


def test_ex02_reverse_twice_is_the_text_again(load_sample: Any) -> None:
    reverse = load_sample("reverse").target.transform

    @given(st.text())
    def twice(text: str) -> None:
        assert reverse(reverse(text)) == text
        assert sorted(reverse(text)) == sorted(text)

    twice()


def test_ex03_greeter_greets_and_tells_its_version(load_sample: Any) -> None:
    sample = load_sample("greeter")
    assert sample.target.greet(name="World") == "Hello, World!"
    assert sample.target.greeter_version() == "1.0.0" == str(sample.found.manifest.version)


def test_pg05_the_greeters_word_comes_from_its_settings(load_sample: Any, tmp_path: Path) -> None:
    assert load_sample("greeter", tmp_path).target.greet(name="World") == "Hello, World!"
    settings_file(tmp_path, "greeter", "{greeting: Ahoy}")
    assert load_sample("greeter", tmp_path).target.greet(name="World") == "Ahoy, World!"


@pytest.mark.parametrize("settings", ["{greeting: ''}", "{greeting: 3}", "{greting: Ahoy}"])
def test_pg05_wrong_settings_of_the_greeter_are_refused(
    settings: str, load_sample: Any, tmp_path: Path
) -> None:
    settings_file(tmp_path, "greeter", settings)
    with pytest.raises(ConfigError, match=r"gree?ting"):
        load_sample("greeter", tmp_path)


def test_ex04_the_processor_gives_capitals_with_metadata(load_sample: Any) -> None:
    process = load_sample("simple-processor").target.process
    assert process(data="aGVsbG8gd29ybGQ=", format="text") == ProcessResult(
        "SEVMTE8gV09STEQ=", {"processed_by": "simple-processor", "format": "text"}
    )


def test_ex04_the_processor_lists_its_formats_and_serves_each(load_sample: Any) -> None:
    processor = load_sample("simple-processor").target
    assert processor.formats() == ["text", "binary"]
    umlaut = base64.b64encode("ä ß".encode()).decode()
    results = [
        base64.b64decode(processor.process(umlaut, name).data).decode() for name in processor.formats()
    ]
    assert results == ["Ä SS", "ä ß"]


@pytest.mark.parametrize(
    ("data", "format", "says"),
    [
        ("not base64!", "text", "data is not base64"),
        ("/w==", "text", "utf-8"),
        ("", "xml", "unknown format 'xml'; known: text, binary"),
    ],
)
def test_ex04_the_processor_refuses_what_it_cannot_read(
    data: str, format: str, says: str, load_sample: Any
) -> None:
    with pytest.raises(ValueError, match=says):
        load_sample("simple-processor").target.process(data, format)


def test_ex05_the_transformer_lists_its_transformations_with_parameters(load_sample: Any) -> None:
    listed = {one.name: one for one in load_sample("transformer").target.transformations()}
    assert list(listed) == ["title", "replace", "shorten"]
    assert all(isinstance(one, Transformation) and one.description for one in listed.values())
    shown = [(p.name, p.type, p.required, p.default) for p in listed["shorten"].parameters]
    assert shown == [("width", "integer", True, None), ("placeholder", "string", False, " …")]


@pytest.mark.parametrize(
    ("settings", "result"),
    [
        ("{}", "Hello Wide World"),
        ("{transformation: replace, parameters: {old: 'wide '}}", "hello world"),
        ("{transformation: shorten, parameters: {width: 7}}", "hello …"),
    ],
)
def test_ex05_the_settings_choose_the_transformation(
    settings: str, result: str, load_sample: Any, tmp_path: Path
) -> None:
    settings_file(tmp_path, "transformer", settings)
    assert load_sample("transformer", tmp_path).target.transform(text="hello wide world") == result


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("{transformation: replace}", "replace needs the parameter 'old'"),
        ("{transformation: title, parameters: {width: 3}}", "title has no parameter 'width'; it has none"),
        (
            "{transformation: shorten, parameters: {with: 3}}",
            "no parameter 'with'; it has width, placeholder",
        ),
    ],
)
def test_ex05_parameters_that_do_not_fit_fail_the_load(
    settings: str, says: str, load_sample: Any, tmp_path: Path
) -> None:
    settings_file(tmp_path, "transformer", settings)
    with pytest.raises(ValueError, match=says):
        load_sample("transformer", tmp_path)


def test_ex06_host_info_reads_a_value_of_the_host_and_leaves_one(load_sample: Any) -> None:
    execute = load_sample("host-info").target.execute
    ctx = CallContext({"asked_by": "a test"})
    assert execute(ctx) == "host-info was asked by a test"
    assert ctx.get_value("answered_by") == "host-info"
    assert execute(CallContext()) == "host-info was asked by an unnamed host"


def test_ex06_notes_serves_each_label_of_its_routes(load_sample: Any) -> None:
    sample = load_sample("notes")
    execute = sample.target.execute
    assert execute(CallContext({"label": "plugin.list"})) == ["1"]
    assert execute(CallContext({"label": "plugin.post", "text": "Milk"})) == {"id": "2", "text": "Milk"}
    assert execute(CallContext({"label": "plugin.get", "id": 2})) == {"id": "2", "text": "Milk"}
    routes = sample.found.manifest.http_services.routes
    assert {route.label for route in routes} == set(sample.target.Notes.labels)


def test_lh10_notes_refuses_a_missing_and_an_unknown_label(load_sample: Any) -> None:
    execute = load_sample("notes").target.execute
    for values in ({}, {"label": "plugin.delete"}):
        with pytest.raises(LabelError, match=r"\(known: plugin.get, plugin.list, plugin.post\)"):
            execute(CallContext(values))


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"label": "plugin.get"}, ValueError, "the call brings no 'id'"),
        ({"label": "plugin.get", "id": "9"}, LookupError, "no note '9'; known: 1"),
        ({"label": "plugin.post"}, ValueError, "the call brings no 'text'"),
    ],
)
def test_ex06_notes_says_what_a_call_lacks(
    values: dict[str, object], error: type[Exception], says: str, load_sample: Any
) -> None:
    with pytest.raises(error, match=says):
        load_sample("notes").target.execute(CallContext(values))


def test_ex08_filelister_lists_what_it_is_granted_and_is_denied_the_rest(tmp_path: Path) -> None:
    from pluginkit import Host
    from pluginkit.config import Config
    from tests.samples.conftest import ROOT

    config = Config.load(ROOT / "config.yaml", environ={}, overrides={"plugins.include": ["filelister"]})
    with Host(config, state_dir=tmp_path, entry_point_group=None) as host:
        told: list[Any] = []
        host.events.subscribe(told.append, kinds=["capability_denied", "guard"])
        assert host.hook.list_files(path=".") == [["hello.txt"]]
        assert told == []
        assert host.hook.list_files(path="/etc") == [["denied: fs.list of /etc"]]
        (event,) = told
        assert (event.kind, event.plugin, event.data["operation"], event.data["target"], event.data["code"]) == (
            "capability_denied", "filelister", "fs.list", "/etc", "no-grant",
        )  # fmt: skip
        grants = host.grants("filelister")
        assert grants is not None
        assert [row["granted"] for row in grants.rows] == ["whole"]


def test_ex08_filelister_bears_a_host_that_grants_it_nothing(load_sample: Any) -> None:
    target = load_sample("filelister").target
    target.on_load()
    assert target.list_files(path=".") == ["denied: fs.list of ."]
