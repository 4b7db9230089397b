"""PG04: typed look-ups with a default; a wrong type is a warning, or an error in strict mode."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.config import Settings
from pluginkit.errors import ConfigError

DATA = {
    "text": "x",
    "number": 3,
    "whole": 3.0,
    "part": 2.5,
    "flag": True,
    "nothing": None,
    "items": [1, {"a": 2}],
    "wait": "1m30s",
    "db": {"port": 5432, "pool": {"size": 4}, "password": "hunter2"},
    "a.b": {"c.d": "dotted"},
    "a": {"b": {"c": "nested"}},
}

Getter = Callable[..., Any]


@pytest.fixture
def settings() -> Settings:
    return Settings(DATA, plugin="cat")


@pytest.mark.parametrize(
    ("getter", "key", "value"),
    [
        ("get_str", "text", "x"),
        ("get_int", "number", 3),
        ("get_int", "whole", 3),
        ("get_int", "db.port", 5432),
        ("get_int", "db.pool.size", 4),
        ("get_float", "part", 2.5),
        ("get_float", "number", 3.0),
        ("get_bool", "flag", True),
        ("get_list", "items", [1, {"a": 2}]),
        ("get_duration", "wait", 90.0),
        ("get_duration", "number", 3.0),
        ("get_str", "a.b.c.d", "dotted"),
        ("find", "db.pool", {"size": 4}),
        ("find", "a.b", {"c.d": "dotted"}),
    ],
)
def test_pg04_a_value_of_the_right_type_is_given(
    settings: Settings, getter: str, key: str, value: object
) -> None:
    found = getattr(settings, getter)(key, "default")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "getter", ["get_str", "get_int", "get_float", "get_bool", "get_list", "get_duration", "find"]
)
@pytest.mark.parametrize(
    "key", ["absent", "nothing", "db.absent", "db.port.deeper", "absent.x", "", ".", "db."]
)
def test_pg04_an_absent_or_null_key_gives_the_default_without_a_word(
    settings: Settings, getter: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert getattr(settings, getter)(key, "default") == "default"
    assert getattr(settings, getter)(key) is None
    assert caplog.records == []


WRONG = [
    ("get_str", "number", "text", "3"),
    ("get_str", "flag", "text", "True"),
    ("get_int", "text", "an integer", "'x'"),
    ("get_int", "part", "an integer", "2.5"),
    ("get_int", "flag", "an integer", "True"),
    ("get_float", "flag", "a number", "True"),
    ("get_float", "text", "a number", "'x'"),
    ("get_bool", "number", "true or false", "3"),
    ("get_bool", "text", "true or false", "'x'"),
    ("get_list", "text", "a list", "'x'"),
    ("get_list", "db", "a list", "{'port': 5432, 'pool': {'size': 4}, 'password': '***'}"),
    ("get_duration", "text", "a duration", "'x'"),
    ("get_duration", "flag", "a duration", "True"),
]


@pytest.mark.parametrize(("getter", "key", "expected", "found"), WRONG)
def test_pg04_a_wrong_type_is_a_warning_and_the_default(
    settings: Settings, getter: str, key: str, expected: str, found: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert getattr(settings, getter)(key, "default") == "default"

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("pluginkit", logging.WARNING)
    assert record.getMessage() == (
        f"settings of plugin 'cat' {key}: must be {expected} (found {found}); the default 'default' is used"
    )


@pytest.mark.parametrize(("getter", "key", "expected", "found"), WRONG)
def test_pg04_a_wrong_type_is_an_error_in_strict_mode(
    getter: str, key: str, expected: str, found: str
) -> None:
    strict = Settings(DATA, strict=True)
    with pytest.raises(ConfigError) as caught:
        getattr(strict, getter)(key, "default")
    assert str(caught.value) == f"the settings cannot be used\n  {key}: must be {expected} (found {found})"


def test_pg04_the_same_warning_is_given_once(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        settings.get_int("text", 1)
    settings.get_bool("text", True)
    assert len(caplog.records) == 2


def test_cf05_a_warning_does_not_show_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings({"password": "hunter2", "port": "hunter3"}, secrets=frozenset({("port",)}))
    settings.get_int("password", "hunter4")
    settings.get_int("port", 1)
    assert "hunter" not in caplog.text
    assert caplog.text.count("***") == 3


def test_pg01_settings_are_a_mapping(settings: Settings) -> None:
    assert settings["number"] == 3
    assert settings["db"]["port"] == 5432
    assert settings.get("absent", 1) == 1
    assert "text" in settings
    assert list(settings) == list(DATA)
    assert len(settings) == len(DATA)
    assert settings == DATA
    assert dict(settings) == DATA
    with pytest.raises(KeyError):
        settings["absent"]
    assert Settings() == {}


def test_pg01_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(TypeError):
        settings["text"] = "y"  # type: ignore[index]  # that it is refused is the point
    settings["db"]["port"] = 1
    settings["items"].append(5)
    settings.get_list("items", []).append(6)
    settings.find("db")["port"] = 2
    settings.as_dict(redact=False)["db"]["port"] = 3
    assert settings == DATA


def test_pg01_settings_do_not_follow_the_data_that_they_were_made_of() -> None:
    data: dict[str, Any] = {"db": {"port": 1}}
    settings = Settings(data)
    data["db"]["port"] = 2
    assert settings.get_int("db.port") == 1


def test_cf05_settings_hide_secrets_when_they_are_shown(settings: Settings) -> None:
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in json.dumps(settings.as_dict())
    assert settings.as_dict(redact=False) == DATA
    assert settings.get_str("db.password") == "hunter2"


def test_cf05_resolved_references_are_hidden_whatever_they_are_called() -> None:
    settings = Settings({"a": [{"x": "hunter2"}], "b": 1}, secrets=frozenset({("a", 0, "x")}))
    assert settings.as_dict() == {"a": [{"x": "***"}], "b": 1}
    assert settings.get_list("a", []) == [{"x": "hunter2"}]


def test_cf05_secrets_are_taken_out_of_text() -> None:
    data = {
        "token": "abcdef",
        "password": 123456,
        "list": ["zzz"],
        "pwd": "x",
        "tokens": {"deep": ["abc", None, True]},
    }
    settings = Settings(data, secrets=frozenset({("list", 0)}))
    assert settings.conceal("abcdef abc 123456 zzz x") == "*** *** *** *** x"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.text("ab.", max_size=3), json_values, max_size=4), st.text("ab.", max_size=6))
def test_pg04_every_look_up_gives_its_type_or_the_default(data: dict[str, Any], key: str) -> None:
    settings = Settings(data)
    default = object()
    found = settings.find(key, default)
    types: dict[Getter, type | tuple[type, ...]] = {
        settings.get_str: str,
        settings.get_int: int,
        settings.get_float: float,
        settings.get_bool: bool,
        settings.get_list: list,
        settings.get_duration: float,
    }
    for getter, kind in types.items():
        value = getter(key, default)
        assert value is default or (isinstance(value, kind) and found is not default)
