"""The JSON Schema that ships in the wheel and the hand check give the same verdict."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pluginkit.manifest import InvalidManifest, as_dict, manifest_schema, parse_manifest
from pluginkit.manifest.schema import FORMATS, SCHEMA_FILE, format_checker
from pluginkit.strict_yaml import Document

SCHEMA = manifest_schema()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=format_checker())

# The one rule that JSON Schema has no words for; the schema's description says so.
BEYOND_THE_SCHEMA = "may only stand at the end"

WHOLE: dict[str, Any] = {
    "plugin": {
        "name": "cat",
        "type": "animal",
        "format": "native",
        "entrypoint": "cat:Cat",
        "language": "python",
        "version": "1.0.0-rc.1+build",
        "priority": 70,
        "reload": "gated",
        "implementations": {"loud": "cat.loud:Cat.loud"},
    },
    "about": {
        "description": "A cat.\nIt speaks.",
        "maintainer": "you@example.com",
        "maintainers": ["me@example.com"],
        "url": "https://example.com/cat",
        "license": "MIT",
    },
    "handshake": {"protocol_version": [1, 2], "magic_cookie_key": "CAT", "magic_cookie_value": "secret"},
    "security": {"auto_mtls": True},
    "capabilities": {
        "filesystem": [
            {
                "path": "${data}/",
                "permissions": ["read", "write", "list", "create", "delete"],
                "recursive": True,
            },
            {"path": "/srv/file", "permissions": ["read"], "symlinks": "none"},
        ],
        "network": {
            "egress": [
                {
                    "protocol": "tcp",
                    "hosts": ["api.example.com", "*.x.org", "10.0.0.0/8"],
                    "ports": [443, "*"],
                }
            ],
            "ingress": [
                {"protocol": "udp", "ports": ["80-90"], "bind": ["::1"], "allowed_origins": ["a.org"]}
            ],
        },
        "process": {
            "exec": [{"command": "/usr/bin/git", "args": ["pull", "*", "lit:*", "path:read", "**"]}],
            "kill": ["children"],
            "list": ["children"],
            "signal": [],
        },
        "env": ["LANG"],
    },
    "requires": {
        "host": ">=1.2,<2",
        "python": ">=3.11",
        "pluginkit": "~=0.1",
        "plugins": ["dog >=1", "pig"],
        "packages": ["rich >=13 ; python_version > '3'"],
        "before": ["dog"],
        "after": ["pig"],
    },
    "settings": {
        "type": "object",
        "properties": {"volume": {"$ref": "#/$defs/volume"}, "default": {"enum": ["a"]}},
        "$defs": {"volume": {"type": "integer", "default": 3}},
    },
    "hooks": ["speak"],
    "http_services": {
        "driver": "starlette",
        "routes": [{"route": "/api/cat/:id", "method": "GET", "label": "cat.get"}],
    },
}

OTHER_FORMS: list[tuple[tuple[str | int, ...], Any]] = [
    (("capabilities", "process"), [{"exec": {"command": "/bin/ls"}}, {"kill": ["children"]}]),
    (("capabilities", "process", "exec"), {"command": "/bin/ls"}),
    (("capabilities", "process"), []),
    (("capabilities", "process"), [{"kill": [], "list": []}]),
    (("capabilities", "process"), [{}]),
    (("requires", "plugins"), {"dog": ">=1", "pig": ""}),
    (("requires", "plugins"), {"": "", "a/b": ">=1"}),
    (("settings",), {}),
    (("settings", "properties", "volume"), {"$ref": "https://example.com/schema.json"}),
    (("settings", "properties", "default"), {"$ref": "other.json"}),
    (("settings", "properties", "$ref"), {"type": "string"}),
    (("settings", "$dynamicRef"), "elsewhere#x"),
    (("plugin", "priority"), 50.0),
]

junk: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 1.0, 2.5, 443, 70000, 101, [], {}, [[]], [None], {"": None}, {"a": 1}, [1], [{}]),
        *("", " ", "a", "cat", "a b", "../a", "/", "//", "/a/..", "/a/*", "~/x", "${data}", "${home}/x", "a\n", "a\0", "a\x1b["),
        *("1.2", "1.2.3", "v1.2.3", ">=1", ">=1,", "^1", "==1.*", ">=1.*", "a.b:c", "a:", ":a", "a..b", "1a", "a-b", "é", "a" * 65),
        *("x" * 300, "*", "**", "lit:", "path:", "path:read", "path:reed", "--x=*", "443", "1-2", "2-1", "1-99999", "tcp", "TCP"),
        *("http://a", "https://", "ftp://a", "127.0.0.1", "127.1", "::1", "fe80::1%eth0", "10.0.0.1/8", "a.*.b", "A.Org.", "*.a", "***.a"),
        *("-a.b", "0x7f.1", "\uff11\uff12\uff17.0.0.1", "GET", "get", "children", "all", "read", "red", "a [x", "a>=1", "a @ b", "a; b", "cat ^1"),
        *("#/x", "x#", "object", "A" * 129 + ".0.0", "\u202eabc", "\u2028", "cat\n", "/a\n", "a\tb", "/api/{id}", "/api ?"),
    ]
)  # fmt: skip


def paths_in(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield at
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from paths_in(value, (*at, key))


def value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    value_at(data, path[:-1])[path[-1]] = value
    return data


@st.composite
def manifests(draw: st.DrawFn) -> Any:
    """The whole manifest with some parts left out, exchanged, added or written in another form."""
    data: Any = copy.deepcopy(WHOLE)
    for path, value in draw(st.lists(st.sampled_from(OTHER_FORMS), max_size=2)):
        try:
            data = put(data, path, copy.deepcopy(value))
        except (KeyError, IndexError, TypeError):
            continue
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(paths_in(data))))
        match draw(st.sampled_from(["replace", "replace", "remove", "add", "text"])):
            case "replace":
                data = put(data, path, copy.deepcopy(draw(junk)))
            case "remove" if path:
                del value_at(data, path[:-1])[path[-1]]
            case "add":
                place = value_at(data, path)
                if isinstance(place, dict):
                    place[draw(st.text("ab$.é", min_size=1, max_size=3))] = copy.deepcopy(draw(junk))
                elif isinstance(place, list):
                    place.append(copy.deepcopy(draw(junk)))
            case "text":
                data = put(data, path, draw(st.text(max_size=6)))
    return data


def is_valid_by_hand(data: Any) -> bool:
    try:
        parse_manifest(Document(data, {}))
    except InvalidManifest as error:
        return all(BEYOND_THE_SCHEMA in problem.message for problem in error.problems)
    return True


@given(manifests())
def test_dm03_the_schema_and_the_hand_check_agree(data: Any) -> None:
    by_schema = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]
    assert is_valid_by_hand(data) == (not by_schema), by_schema


@pytest.mark.parametrize("path", list(paths_in(WHOLE)), ids=str)
def test_dm03_they_agree_about_every_kind_of_value_in_every_place(path: tuple[str | int, ...]) -> None:
    values: list[Any] = [True, None, 3, 1.0, "x", [], {}]
    for value in values:
        data = put(copy.deepcopy(WHOLE), path, copy.deepcopy(value))
        assert is_valid_by_hand(data) == VALIDATOR.is_valid(data), value


def test_dm03_the_whole_example_is_valid_and_every_key_of_the_schema_is_in_it() -> None:
    VALIDATOR.validate(WHOLE)
    assert is_valid_by_hand(WHOLE)
    used = {step for path in paths_in(WHOLE) for step in path if isinstance(step, str)}
    known = {name for part in [SCHEMA, *SCHEMA["$defs"].values()] for name in part.get("properties", {})}
    assert known - used - {"$ref", "$dynamicRef"} == set()


@given(manifests())
def test_dm14_the_plain_form_of_a_manifest_reads_as_the_same_manifest(data: Any) -> None:
    try:
        manifest = parse_manifest(Document(data, {}))
    except InvalidManifest:
        return
    plain = json.loads(json.dumps(as_dict(manifest)))
    assert set(plain) == set(as_dict(parse_manifest(Document(WHOLE, {}))))
    for key in ("file", "source", "remote"):
        del plain[key]
    written = {key: value for key, value in plain.items() if value is not None}
    for key in ("url", "license"):
        if not written["about"][key]:
            del written["about"][key]
    assert parse_manifest(Document(written, {})) == manifest


def test_dm03_the_schema_is_a_schema_that_editors_can_use() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == SCHEMA
    assert manifest_schema() is not manifest_schema()
    for name, section in SCHEMA["properties"].items():
        target = SCHEMA["$defs"][section["$ref"].rpartition("/")[2]] if "$ref" in section else section
        assert target["title"], name
    for example in SCHEMA["examples"]:
        VALIDATOR.validate(example)


def test_dm03_every_example_in_the_schema_is_a_right_one() -> None:
    def check(part: Any, at: str) -> int:
        count = 0
        if isinstance(part, dict):
            if at.rpartition(".")[2] not in ("properties", "$defs"):
                # The examples of a part are judged by that part, with the definitions it refers to.
                judge = Draft202012Validator(
                    {**part, "$defs": SCHEMA["$defs"]}, format_checker=format_checker()
                )
                for example in part.get("examples", []):
                    assert judge.is_valid(example), (at, example)
                    count += 1
            count += sum(check(value, f"{at}.{key}") for key, value in part.items() if key != "examples")
        return count

    assert check({key: value for key, value in SCHEMA.items() if key != "$id"}, "") > 40


def test_dm03_every_format_of_the_schema_is_known_and_used() -> None:
    def formats(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("format"), str):
                yield part["format"]
            for value in part.values():
                yield from formats(value)

    assert set(formats(SCHEMA)) == set(FORMATS)
