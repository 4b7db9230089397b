"""PG03: validators per key; a failure names the key; a key can be required; secrets stay hidden."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.config import Settings
from pluginkit.errors import ConfigError


def at_least_1024(port: int) -> None:
    if port < 1024:
        raise ValueError("must be at least 1024")


def refusal(settings: Settings, key: str, check: Any = None, *, required: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        settings.validate(key, check, required=required)
    return str(caught.value).partition("\n  ")[2]


def test_pg03_a_validator_runs_at_once_and_a_failure_names_the_key() -> None:
    settings = Settings({"server": {"port": 80}}, plugin="cat")
    assert refusal(settings, "server.port", at_least_1024) == "server.port: must be at least 1024 (found 80)"


def test_pg03_the_error_names_the_plugin() -> None:
    with pytest.raises(ConfigError, match="the settings of plugin 'cat' cannot be used"):
        Settings({"port": 80}, plugin="cat").validate("port", at_least_1024)


@pytest.mark.parametrize("accepts", [lambda _: None, lambda _: True, lambda _: 0, lambda value: value])
def test_pg03_a_validator_accepts_by_not_refusing(accepts: Any) -> None:
    settings = Settings({"port": 80})
    settings.validate("port", accepts)
    assert len(settings.validators) == 1


def test_pg03_false_is_a_refusal() -> None:
    assert (
        refusal(Settings({"port": 80}), "port", lambda _: False)
        == "port: is refused by its validator (found 80)"
    )


def test_pg03_an_absent_key_is_only_an_error_when_it_is_required() -> None:
    settings = Settings({"empty": None})
    for key in ("absent", "empty"):
        settings.validate(key, at_least_1024)
        assert refusal(settings, key, at_least_1024, required=True) == f"{key}: is required"
        assert refusal(settings, key, required=True) == f"{key}: is required"


def test_pg03_a_required_key_needs_no_check() -> None:
    settings = Settings({"port": 80})
    settings.validate("port", required=True)
    assert len(settings.validators) == 1


class OwnError(BaseException):
    """What no plugin should raise."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TypeError("bad operand"), "TypeError: bad operand"),
        (ValueError(), "is refused by its validator"),
        (SystemExit(3), "SystemExit: 3"),
        (OwnError("x"), "OwnError: x"),
    ],
)
def test_pg03_whatever_a_validator_raises_is_its_refusal(error: BaseException, sentence: str) -> None:
    def check(_: Any) -> None:
        raise error

    assert refusal(Settings({"port": 80}), "port", check) == f"port: {sentence} (found 80)"


def test_pg03_ctrl_c_in_a_validator_reaches_the_caller() -> None:
    def check(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Settings({"port": 80}).validate("port", check)


def test_pg03_validators_are_kept_and_judge_the_next_settings() -> None:
    settings = Settings({"port": 8080, "name": "x"})
    settings.validate("port", at_least_1024)
    settings.validate("name", required=True)

    assert settings.validators.problems(settings) == ()
    changed = settings.validators.problems(Settings({"port": 80}))
    assert [str(problem) for problem in changed] == [
        "port: must be at least 1024 (found 80)",
        "name: is required",
    ]


def test_pg03_a_validator_that_failed_is_not_kept() -> None:
    settings = Settings({"port": 80})
    refusal(settings, "port", at_least_1024)
    assert len(settings.validators) == 0


def test_cf05_a_validators_own_words_do_not_give_a_secret_away() -> None:
    def check(value: str) -> None:
        raise ValueError(f"{value!r} is too short")

    settings = Settings({"db": {"password": "hunter2"}, "x": "hunter3"}, secrets=frozenset({("x",)}))
    assert refusal(settings, "db.password", check) == "db.password: '***' is too short (found ***)"
    assert (
        refusal(settings, "db", check) == "db: {'password': '***'} is too short (found {'password': '***'})"
    )
    assert refusal(settings, "x", check) == "x: '***' is too short (found ***)"
