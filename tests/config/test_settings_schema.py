"""PG05, PG06: settings against the manifest's JSON Schema; defaults, durations, secrets, config types."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pluginkit.config import InvalidSchema, PluginConfig, Settings, SettingsSchema
from pluginkit.errors import ConfigError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["mode"],
    "properties": {
        "mode": {"enum": ["fast", "slow"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 80},
        "retry": {"type": "string", "format": "duration", "default": "5m"},
        "db": {
            "type": "object",
            "required": ["host"],
            "properties": {
                "host": {"type": "string"},
                "port": {"type": "integer", "default": 5432},
                "password": {"type": "string", "minLength": 8},
            },
        },
        "cache": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 10},
                "ttl": {"format": "duration", "default": "1h"},
            },
        },
        "hosts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "weight": {"type": "number", "default": 1.5}},
            },
        },
        "headers": {"type": "object"},
        "open": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": True},
        "numbers": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}


@dataclass(frozen=True)
class Declared:
    """What is used of a manifest."""

    settings: Mapping[str, Any] | None
    name: str = "cat"


def write(directory: Path, settings: str, *, head: str = "") -> PluginConfig:
    (directory / "cat.config.yaml").write_text(f"{head}settings:\n{settings}", "utf-8")
    return PluginConfig.read(directory, "cat")


def problems_of(config: PluginConfig, schema: Mapping[str, Any] | None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.settings_for(Declared(schema), environ=environ)
    return [str(problem).replace(f"{config.file}", "FILE") for problem in caught.value.problems]


def faults(schema: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    found = SettingsSchema(schema).apply(settings)[1]
    return [f"{'.'.join(map(str, fault.at))}: {fault.message}" for fault in found]


def test_pg05_without_a_schema_settings_pass_unchecked(tmp_path: Path) -> None:
    config = write(tmp_path, "  anything: {at: [all]}\n  retry: 5m\n")
    settings = config.settings_for(Declared(None), environ={})
    assert settings == {"anything": {"at": ["all"]}, "retry": "5m"}
    assert settings.get_duration("retry") == 300.0


def test_pg05_defaults_are_applied_at_every_level(tmp_path: Path) -> None:
    config = write(tmp_path, "  mode: fast\n  db: {host: x}\n  hosts: [{name: a}, {name: b, weight: 2}]\n")
    assert config.settings_for(Declared(SCHEMA), environ={}) == {
        "mode": "fast",
        "port": 80,
        "retry": 300.0,
        "db": {"host": "x", "port": 5432},
        "cache": {"size": 10, "ttl": 3600.0},
        "hosts": [{"name": "a", "weight": 1.5}, {"name": "b", "weight": 2}],
    }


def test_pg05_an_absent_mapping_that_requires_what_has_no_default_stays_absent() -> None:
    completed, found = SettingsSchema(SCHEMA).apply({"mode": "fast"})
    assert "db" not in completed
    assert found == ()


def test_pg05_without_a_file_the_plugin_gets_the_defaults() -> None:
    schema = {**SCHEMA, "required": []}
    settings = PluginConfig(name="cat").settings_for(Declared(schema), environ={})
    assert settings == {"port": 80, "retry": 300.0, "cache": {"size": 10, "ttl": 3600.0}}


def test_pg05_without_a_file_a_required_setting_is_still_required() -> None:
    assert problems_of(PluginConfig(name="cat"), SCHEMA) == ["plugin cat: settings.mode: is required"]


def test_pg05_all_errors_are_said_at_once_with_path_and_line(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        "  mode: fsat\n"
        "  prot: 1\n"
        "  port: 0\n"
        "  retry: soon\n"
        "  db: {prot: 1, password: short}\n"
        "  hosts:\n"
        "    - {nmae: a}\n"
        "    - name: 5\n"
        "  headers: {any: thing}\n"
        "  open: {a: x, b: y}\n"
        "  numbers: {one: 1, two: x}\n",
    )
    assert problems_of(config, SCHEMA) == [
        "FILE:2: settings.mode: must be one of 'fast', 'slow' (found 'fsat')",
        "FILE:3: settings.prot: unknown key; did you mean 'port'? (found 1)",
        "FILE:4: settings.port: must be at least 1 (found 0)",
        (
            "FILE:5: settings.retry: must be a duration such as 100ms, 2s, 5m or 1h30m, "
            "or a number of seconds (found 'soon')"
        ),
        "FILE:6: settings.db.host: is required",
        "FILE:6: settings.db.password: must have at least 8 characters (found ***)",
        "FILE:6: settings.db.prot: unknown key; did you mean 'port'? (found 1)",
        "FILE:8: settings.hosts[0].name: is required",
        "FILE:8: settings.hosts[0].nmae: unknown key; did you mean 'name'? (found 'a')",
        "FILE:9: settings.hosts[1].name: must be text (found 5)",
        "FILE:11: settings.open.a: must be an integer (found 'x')",
        "FILE:12: settings.numbers.two: must be an integer (found 'x')",
    ]


@pytest.mark.parametrize(
    ("schema", "settings", "found"),
    [
        ({"properties": {"a": {}}}, {"b": 1}, ["b: unknown key; known: a"]),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"b": 1}, []),
        ({"properties": {"a": {}}, "unevaluatedProperties": True}, {"b": 1}, []),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, ["b: unknown key; known: a"]),
        ({"properties": {"a": {}}, "patternProperties": {"^x-": {}}}, {"x-b": 1}, []),
        ({"patternProperties": {"^x-": {}}}, {"b": 1}, ["b: unknown key; there is none"]),
        ({"type": "object"}, {"b": 1}, []),
        ({}, {"b": 1}, []),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a": 1, "b": 1}, []),
        (
            {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
            {"a": 1, "c": 1},
            ["c: unknown key; known: a, b"],
        ),
        (
            {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}}}},
            {"b": 1},
            ["b: unknown key; known: a"],
        ),
        (
            {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"properties": {"b": {}}}}},
            {"a": {"c": 1}},
            ["a.c: unknown key; known: b"],
        ),
        (
            {"$ref": "#/$defs/x", "properties": {"b": {}}, "$defs": {"x": {"properties": {"a": {}}}}},
            {"a": 1, "b": 1},
            [],
        ),
        ({"unevaluatedProperties": {"type": "integer"}}, {"b": 1}, []),
        (
            {"unevaluatedProperties": {"type": "integer"}},
            {"b": "x"},
            ["b: does not fit what the schema says of keys that it does not name"],
        ),
        (
            {"properties": {"a": {}}, "allOf": [{"additionalProperties": True}]},
            {"b": 1},
            [],
        ),
        (
            {
                "if": {"properties": {"k": {"const": 1}}},
                "then": {"properties": {"a": {}}},
                "properties": {"k": {}},
            },
            {"k": 1, "a": 1},
            [],
        ),
        (
            {"properties": {"a": {}}, "dependentSchemas": {"a": {"properties": {"b": {}}}}},
            {"a": 1, "b": 2},
            [],
        ),
        (
            {
                "properties": {
                    "list": {"prefixItems": [{"properties": {"a": {}}}], "items": {"properties": {"b": {}}}}
                }
            },
            {"list": [{"b": 1}, {"a": 1}]},
            ["list.0.b: unknown key; known: a", "list.1.a: unknown key; known: b"],
        ),
        (
            {"properties": {"x": {"not": {"properties": {"a": {"const": 1}}, "required": ["a"]}}}},
            {"x": {"a": 2, "b": 1}},
            [],
        ),
        (
            {
                "oneOf": [
                    {"properties": {"k": {"const": 1}, "a": {}}},
                    {"properties": {"k": {"const": 2}, "b": {}}},
                ]
            },
            {"k": 1, "b": 1},
            [": has keys that do not go together"],
        ),
    ],
)
def test_pg05_unknown_keys_are_errors_unless_the_schema_says_what_becomes_of_them(
    schema: dict[str, Any], settings: dict[str, Any], found: list[str]
) -> None:
    before = copy.deepcopy(schema)
    assert faults(schema, settings) == found
    assert schema == before


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, 1, "must be text"),
        ({"type": ["integer", "null"]}, "x", "must be an integer or null"),
        ({"type": "boolean"}, "yes", "must be true or false"),
        ({"type": "object"}, 1, "must be a mapping"),
        ({"type": "array"}, {}, "must be a list"),
        ({"const": 3}, 4, "must be 3"),
        ({"maximum": 3}, 4, "must be at most 3"),
        ({"exclusiveMinimum": 3}, 3, "must be more than 3"),
        ({"exclusiveMaximum": 3}, 3, "must be less than 3"),
        ({"multipleOf": 2}, 3, "must be a multiple of 2"),
        ({"maxLength": 1}, "ab", "must have at most 1 characters"),
        ({"pattern": "^a"}, "b", "must match the pattern ^a"),
        ({"minItems": 1}, [], "must have at least 1 items"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 items"),
        ({"uniqueItems": True}, [1, 1], "must not have an item twice"),
        ({"minProperties": 1}, {}, "must have at least 1 keys"),
        ({"maxProperties": 0}, {"a": 1}, "must have at most 0 keys"),
        ({"not": {"const": 1}}, 1, "is not allowed"),
        ({"format": "ipv4"}, "x", "must have the format 'ipv4'"),
        ({"contains": {"const": 1}}, [2], "does not fit what the schema says by 'contains'"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, None),
        (
            {"anyOf": [{"type": "integer"}, {"type": "object", "required": ["x"]}]},
            "s",
            "fits none of the forms that it may have; the closest: must be an integer",
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"x": {"type": "integer"}}}]},
            {"x": "s"},
            "fits none of the forms that it may have; the closest: x: must be an integer",
        ),
        (
            {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
            2,
            "fits more than one of the forms that it may have",
        ),
        (False, 1, "is not allowed"),
        ({"dependentRequired": {"a": ["b"], "c": ["d"]}}, {"a": 1}, None),
    ],
)
def test_pg05_every_refusal_says_what_would_be_right(schema: Any, value: Any, message: str | None) -> None:
    found = faults({"properties": {"key": schema}}, {"key": value})
    assert found == ([f"key: {message}"] if message else ["key.b: is required"])


def test_pg05_a_schema_that_is_false_allows_nothing_at_its_place() -> None:
    schema = {"properties": {"list": {"prefixItems": [True, False]}, "key": False}}
    assert faults(schema, {"list": [1, 2], "key": 1}) == ["key: is not allowed", "list.1: is not allowed"]


def test_pg05_a_key_that_is_refused_by_its_name_is_named() -> None:
    assert faults({"propertyNames": {"maxLength": 1}}, {"ab": 1, "c": 2}) == [
        "ab: must have at most 1 characters"
    ]


def test_pg05_no_refusal_repeats_the_value() -> None:
    secret = "hunter2-unmistakable"
    schemas = [
        {"type": "integer"}, {"enum": [1]}, {"const": 1}, {"minLength": 99}, {"maxLength": 1}, {"pattern": "^$"},
        {"format": "ipv4"}, {"not": {}}, {"anyOf": [{"type": "null"}]}, {"format": "duration"}, False,
    ]  # fmt: skip
    for schema in schemas:
        found = faults({"properties": {"key": schema}}, {"key": secret})
        assert found
        assert secret not in str(found)


@pytest.mark.parametrize(
    ("schema", "given_value", "delivered"),
    [
        ({"type": "string", "format": "duration"}, "1h30m", 5400.0),
        ({"type": "string", "format": "duration"}, 7, 7.0),
        ({"type": "number", "format": "duration"}, "100ms", 0.1),
        ({"format": "duration"}, 0.5, 0.5),
        ({"type": ["string", "null"], "format": "duration"}, None, None),
        ({"$ref": "#/$defs/wait"}, "2s", 2.0),
        ({"allOf": [{"format": "duration"}]}, "2s", 2.0),
        ({"type": "array", "items": {"format": "duration"}}, ["2s", 3], [2.0, 3.0]),
        ({"type": "object", "additionalProperties": {"format": "duration"}}, {"a": "2s"}, {"a": 2.0}),
        (
            {"type": "object", "patternProperties": {"^w": {"format": "duration"}}},
            {"wait": "2s"},
            {"wait": 2.0},
        ),
        ({"anyOf": [{"type": "string", "format": "duration"}]}, "2s", "2s"),
        ({"minimum": 60, "format": "duration"}, "1m", 60.0),
    ],
)
def test_pg06_durations_are_delivered_in_seconds(
    schema: dict[str, Any], given_value: Any, delivered: Any
) -> None:
    root = {"properties": {"key": schema}, "$defs": {"wait": {"format": "duration"}}}
    assert SettingsSchema(root).apply({"key": given_value}) == ({"key": delivered}, ())


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string", "format": "duration"}, "soon", "must be a duration such as"),
        ({"format": "duration"}, True, "must be a duration such as"),
        ({"format": "duration"}, [], "must be a duration such as"),
        ({"format": "duration"}, "PT5M", "must be a duration such as"),
        ({"type": "string", "format": "duration"}, None, "must be text"),
        ({"anyOf": [{"type": "string", "format": "duration"}]}, "soon", "the closest: must be a duration"),
    ],
)
def test_pg06_what_is_no_duration_is_refused(schema: dict[str, Any], value: Any, message: str) -> None:
    (found,) = faults({"properties": {"key": schema}}, {"key": value})
    assert message in found


def test_pg06_a_duration_out_of_bounds_is_shown_as_it_was_written(tmp_path: Path) -> None:
    config = write(tmp_path, "  wait: 5m\n")
    schema = {"properties": {"wait": {"format": "duration", "maximum": 60}}}
    assert problems_of(config, schema) == ["FILE:2: settings.wait: must be at most 60 (found '5m')"]


def test_pg05_a_default_that_its_own_schema_refuses_is_named_as_such(tmp_path: Path) -> None:
    config = write(tmp_path, "  a: 1\n")
    schema = {"properties": {"a": {}, "port": {"type": "integer", "default": "x"}}}
    assert problems_of(config, schema) == [
        "FILE:1: settings.port: the default in the plugin's schema must be an integer (found 'x')"
    ]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, "type: 'objekt' is not valid"),
        ({"properties": []}, "properties: [] is not of type 'object'"),
        ({"properties": {"a": {"pattern": "("}}}, "properties.a.pattern: '(' is not a 'regex'"),
        (
            {"properties": {"a": {"$ref": "#/$defs/x"}}},
            "a $ref leads to nothing inside the schema: '/$defs/x'",
        ),
        ({"properties": {"a": {"$ref": "https://example.com/x"}}}, "'https://example.com/x'"),
        (
            {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
            "back to itself",
        ),
        ({"patternProperties": {"(": {}}}, "is not a 'regex'"),
    ],
)
def test_pg05_a_schema_that_is_none_is_named_as_the_authors_mistake(
    tmp_path: Path, schema: dict[str, Any], why: str
) -> None:
    (problem,) = problems_of(write(tmp_path, "  a: 1\n"), schema)
    assert problem.startswith("settings: is no usable JSON Schema, its author has to mend it: ")
    assert why in problem
    with pytest.raises(InvalidSchema):
        SettingsSchema(schema).apply({"a": 1})


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, "is not valid"),
        ({"properties": {"a": {"type": "integer", "default": "x"}}}, "the default at a must be an integer"),
        (
            {"properties": {"a": {"properties": {"b": {"type": "integer", "default": "x"}}}}},
            "the default at a.b must be",
        ),
        (
            {"properties": {"w": {"format": "duration", "default": "soon"}}},
            "the default at w must be a duration",
        ),
    ],
)
def test_pg05_a_schema_can_be_judged_without_settings(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSchema, match=why):
        SettingsSchema(schema).require_sound()


def test_pg05_a_sound_schema_is_found_sound_though_it_requires_something() -> None:
    SettingsSchema(SCHEMA).require_sound()


def test_pg05_a_schema_that_holds_itself_is_followed_as_far_as_the_settings_go() -> None:
    schema = {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer", "default": 1},
                    "left": {"$ref": "#/$defs/tree"},
                    "right": {"$ref": "#"},
                },
            }
        },
    }
    completed, found = SettingsSchema(schema).apply({"left": {"left": {}}, "right": {"up": 1}})
    assert completed["left"]["left"]["size"] == 1
    assert [fault.at for fault in found] == [("right", "up")]


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("#/$defs/a~1b", {"x": 1}),
        ("#/$defs/a%20b", {"x": 1}),
        ("#/prefixItems/0", {"x": 1}),
        ("#/nope/1", {}),
    ],
)
def test_pg05_defaults_are_found_through_references(reference: str, target: dict[str, Any]) -> None:
    part = {"properties": {"x": {"default": 1}}}
    schema = {
        "properties": {"k": {"$ref": reference}},
        "$defs": {"a/b": part, "a b": part},
        "prefixItems": [part],
    }
    try:
        completed, _ = SettingsSchema(schema).apply({"k": {}})
    except InvalidSchema:
        completed = {"k": {}}
    assert completed == {"k": target}


def test_pg05_a_broken_pattern_of_a_schema_that_is_not_checked_yet_does_no_harm() -> None:
    schema = {"properties": {"k": {"default": {"a": 1}, "patternProperties": {"(": {}}}}}
    assert SettingsSchema(schema).apply({}) == ({"k": {"a": 1}}, ())


@pytest.mark.parametrize(
    "schema", [{"properties": {"a": 5}}, {"properties": 5}, {"properties": {"a": {"allOf": 5}}}]
)
def test_pg05_without_settings_even_a_schema_that_is_none_does_no_harm(schema: dict[str, Any]) -> None:
    assert SettingsSchema(schema).apply({}) == ({}, ())


def test_pg05_defaults_are_not_shared_between_calls() -> None:
    schema = SettingsSchema({"properties": {"list": {"default": [1]}}})
    schema.apply({})[0]["list"].append(2)
    assert schema.apply({})[0] == {"list": [1]}


# $env and $file


def test_pg05_references_to_secrets_are_resolved_and_hidden(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("from-file\n", "utf-8")
    config = write(
        tmp_path,
        "  db: {host: {$env: DB_HOST}, password: {$file: secret.txt}, port: {$env: DB_PORT}}\n  mode: fast\n",
    )
    settings = config.settings_for(Declared(SCHEMA), environ={"DB_HOST": "from-env", "DB_PORT": "5433"})

    assert settings["db"] == {"host": "from-env", "password": "from-file", "port": 5433}
    assert settings.as_dict()["db"] == {"host": "***", "password": "***", "port": "***"}
    assert "from-" not in repr(settings)


def test_pg05_references_are_resolved_without_a_schema_too(tmp_path: Path) -> None:
    config = write(tmp_path, "  list: [{$env: A}, x]\n")
    settings = config.settings_for(Declared(None), environ={"A": "hunter2"})
    assert settings == {"list": ["hunter2", "x"]}
    assert settings.as_dict() == {"list": ["***", "x"]}


def test_pg05_the_processes_environment_is_used_when_no_other_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAT_KEY", "meow")
    assert write(tmp_path, "  key: {$env: CAT_KEY}\n").settings_for(Declared(None)) == {"key": "meow"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "5432", 5432),
        ("number", "1.5", 1.5),
        ("boolean", "yes", True),
        ("boolean", "0", False),
        ("string", "5432", "5432"),
        (["string", "integer"], "5432", "5432"),
        ("null", "x", None),
        (None, "5432", "5432"),
    ],
)
def test_pg05_text_from_outside_is_read_as_the_schema_wants_it(
    tmp_path: Path, kind: str | None, text: str, value: object
) -> None:
    config = write(tmp_path, "  key: {$env: KEY}\n")
    schema = {"properties": {"key": {} if kind is None else {"type": kind}}}
    if value is None:
        assert problems_of(config, schema, KEY=text) == ["FILE:2: settings.key: must be null (found ***)"]
    else:
        assert config.settings_for(Declared(schema), environ={"KEY": text}) == {"key": value}


def test_pg05_a_duration_may_come_from_the_environment(tmp_path: Path) -> None:
    config = write(tmp_path, "  wait: {$env: WAIT}\n")
    schema = {"properties": {"wait": {"type": "string", "format": "duration"}}}
    assert config.settings_for(Declared(schema), environ={"WAIT": "5m"}) == {"wait": 300.0}


def test_pg05_a_missing_secret_is_an_error_that_names_it_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "latin").write_bytes(b"\xff")
    config = write(
        tmp_path,
        "  mode: {$env: ABSENT}\n"
        "  port: {$file: absent.txt}\n"
        "  retry: {$file: directory}\n"
        "  headers: {$file: latin}\n"
        "  cache: {$file: ~nobody-of-that-name/x}\n",
    )
    problems = problems_of(config, SCHEMA)
    assert problems[:4] == [
        "FILE:2: settings.mode: needs the environment variable ABSENT, which is not set",
        "FILE:3: settings.port: needs the file absent.txt, which does not exist",
        "FILE:4: settings.retry: needs the file directory, which is a directory, not a regular file",
        "FILE:5: settings.headers: needs the file latin, which is not UTF-8 text",
    ]
    assert problems[4].startswith("FILE:6: settings.cache: needs the file ~nobody-of-that-name/x, which ")
    assert len(problems) == 5


@pytest.mark.parametrize(
    "reference", ["{$env: A, x: 1}", "{$env: 5}", '{$env: ""}', "{$file: }", "{$env: A, $file: b}"]
)
def test_pg05_a_reference_of_another_form_is_an_error(tmp_path: Path, reference: str) -> None:
    (problem,) = problems_of(write(tmp_path, f"  key: {reference}\n"), None, A="x")
    assert problem.startswith(
        'FILE:2: settings.key: must be {"$env": NAME} or {"$file": PATH} and nothing else'
    )


@pytest.mark.parametrize(
    ("content", "text"), [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a", " a"), ("", "")]
)
def test_pg05_only_the_newline_at_the_end_of_a_secret_file_is_dropped(
    tmp_path: Path, content: str, text: str
) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    settings = write(tmp_path, "  key: {$file: secret}\n").settings_for(Declared(None), environ={})
    assert settings == {"key": text}


def test_pg05_a_refused_secret_is_not_shown(tmp_path: Path) -> None:
    config = write(tmp_path, "  db: {host: x, port: {$env: P}}\n  mode: fast\n")
    assert problems_of(config, SCHEMA, P="hunter2") == [
        "FILE:2: settings.db.port: must be an integer (found ***)"
    ]


# Config types, strict mode


@pytest.mark.parametrize(
    ("declared", "kind", "delivered"),
    [
        (None, None, True),
        (["a"], None, True),
        (["a"], "a", True),
        (None, "a", False),
        (["a"], "b", False),
        ("ab", "a", False),
    ],
)
def test_pg06_only_the_config_types_that_the_plugin_declared_are_delivered(
    tmp_path: Path, declared: Any, kind: str | None, delivered: bool, caplog: pytest.LogCaptureFixture
) -> None:
    config = write(tmp_path, "  port: 1\n", head=f"type: {kind}\n" if kind else "")
    schema = {"properties": {"port": {"type": "integer", "default": 80}}}
    if declared is not None:
        schema["x-config-types"] = declared
    settings = config.settings_for(Declared(schema), environ={})
    assert settings == {"port": 1 if delivered else 80}
    assert len(caplog.records) == (0 if delivered else 1)
    if not delivered:
        assert f"plugin 'cat' takes no configuration of type {kind!r}, it is not delivered" in caplog.text


def test_pg04_strict_mode_reaches_the_look_ups(tmp_path: Path) -> None:
    settings = write(tmp_path, "  port: x\n").settings_for(Declared(None), environ={}, strict=True)
    with pytest.raises(ConfigError, match="the settings of plugin 'cat' cannot be used"):
        settings.get_int("port", 1)


# Against jsonschema itself

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
leaf_schemas = st.sampled_from(
    [
        {"type": "integer"},
        {"type": "string", "minLength": 1},
        {"enum": [1, "x"]},
        {"type": "boolean"},
        {},
        True,
    ]
)
schemas = st.recursive(
    leaf_schemas,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)},
            optional={
                "required": st.lists(names, unique=True, max_size=2),
                "additionalProperties": st.booleans() | inner,
            },
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=6,
)


@given(schemas, st.dictionaries(names, values, max_size=3))
def test_pg05_nothing_passes_that_jsonschema_refuses(schema: Any, settings: dict[str, Any]) -> None:
    root = {"properties": dict.fromkeys("ab", schema), "additionalProperties": schema}
    completed, found = SettingsSchema(root).apply(settings)
    assert completed == settings
    if not found:
        assert Draft202012Validator(root).is_valid(settings)
    elif Draft202012Validator(root).is_valid(settings):
        # The one rule that is ours: what is refused beyond JSON Schema are keys that nobody named.
        assert "unknown key" in str(found) or "fits none" in str(found) or "do not go together" in str(found)


@given(schemas, values)
def test_pg05_completing_settings_twice_changes_nothing_more(schema: Any, default: Any) -> None:
    root = {"properties": {"a": {"properties": {"b": {"default": default}}}, "c": schema}}
    once, _ = SettingsSchema(root).apply({})
    twice, _ = SettingsSchema(root).apply(once)
    assert once == twice
    assert json.loads(json.dumps(once)) == once
    assert isinstance(Settings(once).as_dict(), dict)
