"""CF04, CF05: what is odd is said, with the nearest known name; in strict mode it is an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pluginkit.config import Config
from pluginkit.errors import ConfigError


def load(
    tmp_path: Path, text: str, variables: Mapping[str, str] | None = None, *, strict: bool = False
) -> Config:
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    environ = {f"PLUGINKIT_{name}": value for name, value in (variables or {}).items()}
    return Config.load(tmp_path / "config.yaml", environ=environ, strict=strict)


def notices(config: Config) -> list[str]:
    return [notice.replace(f"{config.path}:", "") for notice in config.notices]


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("loging: {}", "1: loging: unknown key; did you mean 'logging'?"),
        ("logging:\n  log_levl: info", "2: logging.log_levl: unknown key; did you mean 'log_level'?"),
        ("Logging: {}", "1: Logging: unknown key; did you mean 'logging'?"),
        ("plugins_dir: x", "1: plugins_dir: unknown key; did you mean 'directories.plugins_dir'?"),
        (
            "logging: {fw_enabled: true}",
            "1: logging.fw_enabled: unknown key; did you mean 'file_watcher.fw_enabled'?",
        ),
        ("hooks: {quarantine: {limit: 3}}", "1: hooks.quarantine.limit: unknown key; known: errors, window"),
        ("hooks: {a b: 3}", "1: hooks['a b']: unknown key; known: errors, quarantine, timing"),
    ],
)
def test_cf05_an_unknown_key_is_a_notice_with_the_nearest_and_an_error_when_strict(
    tmp_path: Path, text: str, notice: str
) -> None:
    assert notices(load(tmp_path, text)) == [notice]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, strict=True)
    assert [str(problem).endswith(notice) for problem in caught.value.problems] == [True]


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("LOGGING__LOG_LEVL", "sets no known key; did you mean PLUGINKIT_LOGGING__LOG_LEVEL?"),
        ("LOGGING", "sets no known key; did you mean PLUGINKIT_LOGGING__LOG_LEVEL?"),
        ("LOGING__LOG_LEVEL", "sets no known key; did you mean PLUGINKIT_LOGGING__LOG_LEVEL?"),
        (
            "HOOKS__QUARANTINE__WINDOWS",
            "sets no known key; did you mean PLUGINKIT_HOOKS__QUARANTINE__WINDOW?",
        ),
    ],
)
def test_cf05_an_unknown_variable_of_a_known_section_likewise(tmp_path: Path, name: str, notice: str) -> None:
    (told,) = notices(load(tmp_path, "{}", {name: "x"}))
    assert told.startswith(f"environment PLUGINKIT_{name}: sets no known key; did you mean PLUGINKIT_")
    if name != "LOGGING":
        assert told == f"environment PLUGINKIT_{name}: {notice}"
    with pytest.raises(ConfigError, match="sets no known key"):
        load(tmp_path, "{}", {name: "x"}, strict=True)


def test_cf05_a_variable_far_from_every_name_has_no_suggestion(tmp_path: Path) -> None:
    far = "TRUST__" + "Z" * 90
    assert notices(load(tmp_path, "{}", {far: "x"})) == [f"environment PLUGINKIT_{far}: sets no known key"]


@pytest.mark.parametrize("name", ["SOAK", "CONFIG", "XYZZY__LOG_LEVEL", "", "__"])
def test_cf05_variables_that_are_not_about_a_section_are_left_alone(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, "{}", {name: "x"}, strict=True).notices == ()


def test_cf05_variables_without_the_prefix_are_left_alone() -> None:
    config = Config.load(
        None, environ={"LOGGING__LOG_LEVEL": "error", "pluginkit_logging__log_level": "error"}
    )
    assert config.log_level == "info"


@pytest.mark.parametrize("strict", [False, True])
def test_cf05_an_unknown_override_is_always_an_error(strict: bool) -> None:
    with pytest.raises(ConfigError, match=r"logging\.log_levl: unknown key; did you mean 'log_level'\?"):
        Config.load(None, environ={}, overrides={"logging.log_levl": "info"}, strict=strict)


def test_cf04_queue_keys_directly_under_logging_are_read_with_a_notice(tmp_path: Path) -> None:
    text = (
        "logging:\n"
        "  log_enable_persistent_queue: true\n"
        "  log_db_file: q.db\n"
        "  log_queue: zoo\n"
        "  log_remove_on_complete: false\n"
    )
    config = load(tmp_path, text, strict=True)

    queue = config.logging.mq
    assert (queue.log_enable_persistent_queue, queue.log_db_file) == (True, "q.db")
    assert (queue.log_queue, queue.log_remove_on_complete) == ("zoo", False)
    assert config.origin("logging.mq.log_queue") == "file:4"
    assert notices(config) == [
        f"{line}: logging.{name}: is read, but the place of that key is logging.mq.{name}"
        for line, name in enumerate(
            ["log_enable_persistent_queue", "log_db_file", "log_queue", "log_remove_on_complete"], 2
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "logging: {log_queue: old, mq: {log_queue: new}}",
        "logging: {mq: {log_queue: new}, log_queue: old}",
        "logging: {log_mq: {log_queue: old}, mq: {log_queue: new}}",
    ],
)
def test_cf04_the_queues_own_section_wins_over_the_older_place(tmp_path: Path, text: str) -> None:
    config = load(tmp_path, text)
    assert config.logging.mq.log_queue == "new"
    assert len(config.notices) == 1


def test_cf04_a_section_named_log_mq_is_read_with_a_notice(tmp_path: Path) -> None:
    config = load(tmp_path, "logging:\n  log_mq: {log_queue: zoo, log_quue: x}\n")
    assert config.logging.mq.log_queue == "zoo"
    assert notices(config) == [
        "2: logging.log_mq: is read, but the place of that key is logging.mq",
        "2: logging.log_mq.log_quue: unknown key; did you mean 'log_queue'?",
    ]


def test_cf04_a_wrong_value_in_the_older_place_is_named_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:1: logging\.log_queue: must be text"):
        load(tmp_path, "logging: {log_queue: [a]}")


def test_cf04_the_older_variable_is_read_and_yields_to_the_new_one(tmp_path: Path) -> None:
    config = load(tmp_path, "logging: {mq: {log_queue: file}}", {"LOGGING__LOG_QUEUE": "old"})
    assert config.logging.mq.log_queue == "old"
    assert notices(config) == [
        (
            "environment PLUGINKIT_LOGGING__LOG_QUEUE: logging.log_queue: is read, but the name of that key is "
            "PLUGINKIT_LOGGING__MQ__LOG_QUEUE"
        )
    ]
    for names in (
        ("LOGGING__LOG_QUEUE", "LOGGING__MQ__LOG_QUEUE"),
        ("LOGGING__MQ__LOG_QUEUE", "LOGGING__LOG_QUEUE"),
    ):
        both = load(tmp_path, "{}", {name: "new" if "MQ" in name else "old" for name in names})
        assert both.logging.mq.log_queue == "new"
        assert both.origin("logging.mq.log_queue") == "environment PLUGINKIT_LOGGING__MQ__LOG_QUEUE"


def test_cf04_the_environment_wins_over_the_file_from_the_older_place_too(tmp_path: Path) -> None:
    config = load(tmp_path, "logging: {log_queue: file}", {"LOGGING__MQ__LOG_QUEUE": "environment"})
    assert config.logging.mq.log_queue == "environment"
