"""CF05: secrets do not leak through what shows configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.config import Config
from pluginkit.config.redaction import HIDDEN, is_secret, redacted
from pluginkit.errors import ConfigError

SECRET = "hunter2-unmistakable"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "Password",
            "db_password",
            "dbPassword",
            "passwd",
            "userPwd",
            "passphrase",
            "client_secret",
        ),
        *("SECRET", "token", "auth-token", "accessToken", "tokens", "api_key", "apiKey", "API-KEY", "apikey"),
        *("private_key", "secret_access_key", "credentials", "session_cookie", "Authorization", "sentry_dsn"),
        *("connection_string", "magic_cookie_value", "encryption.key"),
    ],
)
def test_cf05_names_that_speak_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "key",
        "keys",
        "public_key",
        "monkey",
        "magic_cookie_key",
        "tokenizer",
        "tokenise",
        "plugins_dir",
        "compass",
        "",
    ],
)
def test_cf05_harmless_names_are_shown(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("max_tokens", 4096, False),
        ("token_limit", 10, False),
        ("max_tokens", "abc", True),
        ("password", 12345, True),
        ("password", True, False),
        ("password", None, False),
    ],
)
def test_cf05_what_says_nothing_is_shown(name: str, value: object, secret: bool) -> None:
    assert is_secret(name, value) is secret


def test_cf05_secrets_are_hidden_at_any_depth_and_in_urls() -> None:
    config = {
        "db": {"password": SECRET, "url": f"postgres://me:{SECRET}@db/x", "port": 5432},
        "tokens": [SECRET, {"of": SECRET}],
        "credentials": {"user": "me", "value": SECRET},
        "list": [{"apiKey": SECRET}],
        "reference": {"$env": "DB_PASSWORD"},
        "secret": {"$file": "secret.txt"},
    }
    shown = redacted(config)
    assert SECRET not in json.dumps(shown)
    assert shown["db"] == {"password": HIDDEN, "url": f"postgres://me:{HIDDEN}@db/x", "port": 5432}
    assert shown["reference"] == {"$env": "DB_PASSWORD"}
    assert shown["secret"] == {"$file": "secret.txt"}
    assert config["db"]["password"] == SECRET  # type: ignore[index]  # the original is left as it was


def test_cf05_only_a_reference_of_the_right_form_is_shown() -> None:
    assert redacted({"token": {"$env": SECRET, "x": 1}}) == {"token": HIDDEN}
    assert redacted({"x": {"$env": {"password": SECRET}}}) == {"x": {"$env": {"password": HIDDEN}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"calls: [{{hook: login, with: {{user: me, password: {SECRET}}}}}]\n"
        f"trust: {{registry: {{token: {SECRET}}}}}\n"
        f"capabilities: {{deny: {{proxy: 'http://u:{SECRET}@proxy'}}}}\n",
        "utf-8",
    )
    return path


def test_cf05_as_dict_hides_secrets_unless_it_is_told_not_to(path: Path) -> None:
    config = Config.load(path, environ={})
    assert SECRET not in json.dumps(config.as_dict())
    assert config.as_dict()["calls"] == [{"hook": "login", "with": {"user": "me", "password": HIDDEN}}]
    assert json.dumps(config.as_dict(redact=False)).count(SECRET) == 3


def test_cf05_repr_shows_no_secrets(path: Path) -> None:
    assert SECRET not in repr(Config.load(path, environ={}))


@pytest.mark.parametrize(
    "text",
    [
        "calls: [{{hook: 5, with: {{password: {0}}}}}]",
        "calls: [{{hook: login, wiht: {{password: {0}}}}}]",
        "calls: {{password: {0}}}",
        "trust: [{{token: {0}}}]",
        "contracts: {{password: {0}}}",
        "logging: {{log_level: ['http://u:{0}@x']}}",
    ],
)
def test_cf05_errors_do_not_repeat_secrets(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text.format(SECRET), "utf-8")
    with pytest.raises(ConfigError) as caught:
        Config.load(tmp_path / "config.yaml", environ={})
    assert caught.value.problems
    assert SECRET not in str(caught.value)


@given(
    st.recursive(
        st.just(SECRET),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    st.sampled_from(["password", "x_token_y", "apiKey", "Client-Secret"]),
)
def test_cf05_nothing_below_a_secret_name_is_shown(value: object, name: str) -> None:
    assert SECRET not in json.dumps(redacted({"outer": [{name: value}]}))
