"""CF02: defaults < file < environment < command line, for every key, and what text from outside means."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.config import KEYS, Config, Key
from pluginkit.errors import ConfigError, Problem

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=12).map(
    lambda text: f"x{text}"
)
DURATIONS = st.integers(1, 500).map(lambda number: f"{number}ms") | st.integers(1, 99).map(
    lambda number: f"{number}m"
)

# A right value of each key, as it stands in the file; each differs from the default.
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "text, not empty": WORDS,
    "name of a file": WORDS.map(lambda text: f"f{text}x"),
    "boolean": st.booleans(),
    "path": WORDS.map(lambda text: f"/srv/{text}"),
    "version": st.integers(1, 99).map(lambda number: f"{number}.0.1"),
    "integer, at least 0": st.integers(0, 10**6),
    "integer, at least 1, or a list of them": st.integers(1, 99) | st.lists(st.integers(1, 99), min_size=1),
    "integer, at least 1": st.integers(1, 10**6),
    "number (MB), more than 0, at most 2": st.sampled_from([0.5, 1, 1.25]),
    "trace, debug, info, warn, error": st.sampled_from(["trace", "debug", "warn", "error"]),
    "record, raise, group": st.sampled_from(["raise", "group"]),
    "threads, processes, dask:ADDRESS or module:function": st.sampled_from(["processes", "a.b:make"]),
    "duration": DURATIONS,
    "duration, more than 0": DURATIONS,
    "list of text": st.lists(WORDS, max_size=3),
    "mapping": st.dictionaries(WORDS, st.integers(-99, 99) | WORDS, max_size=3),
    "mapping of name to level": st.dictionaries(WORDS, st.sampled_from(["trace", "warn"]), max_size=3),
    "mapping of type to module:Class": st.dictionaries(WORDS, st.just("a.b:C"), max_size=3),
    "observe, block, off": st.sampled_from(["observe", "block"]),
    "mapping as in a manifest, or requested": st.just("requested")
    | st.fixed_dictionaries({"env": st.lists(WORDS, max_size=3)}),
    "mapping of plugin to {allow, deny, dangerous}": st.dictionaries(
        WORDS, st.fixed_dictionaries({"dangerous": st.booleans()}), max_size=3
    ),
    "list of {hook, with}": st.lists(
        st.fixed_dictionaries({"hook": st.just("speak"), "with": st.just({"a": 1})})
    ),
}
SOURCES = ("file", "environment", "command line")


@st.composite
def given_values(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """For each source some keys with right values."""
    keys = draw(st.lists(st.sampled_from(list(KEYS.values())), min_size=1, max_size=5, unique=True))
    return {
        source: {str(key): draw(VALUES[key.kind.label]) for key in keys if draw(st.booleans())}
        for source in SOURCES
    }


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for dotted, value in values.items():
        *sections, name = dotted.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = value
    return tree


def as_text(value: Any) -> str:
    """A value as people put it into an environment variable."""
    return value if isinstance(value, str) else json.dumps(value)


def load(values: Mapping[str, Mapping[str, Any]], *, text_overrides: bool = False) -> Config:
    by_name = {str(key): key for key in KEYS.values()}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "config.json")
        path.write_text(json.dumps(nested(values["file"])), "utf-8")
        overrides = values["command line"]
        return Config.load(
            path,
            environ={
                by_name[name].environment_name: as_text(value)
                for name, value in values["environment"].items()
            },
            overrides={name: as_text(value) for name, value in overrides.items()}
            if text_overrides
            else overrides,
            strict=True,
        )


def plain(config: Config, key: Key) -> Any:
    return next(value for name, value, _ in config.rows(redact=False) if name == str(key))


def expected(key: Key, value: Any) -> Any:
    alone = Config.load(None, environ={}, overrides={str(key): value})
    return plain(alone, key)


@given(given_values(), st.booleans())
def test_cf02_the_later_source_wins_key_by_key_and_origin_says_which(
    values: dict[str, dict[str, Any]], text_overrides: bool
) -> None:
    config = load(values, text_overrides=text_overrides)

    for key in KEYS.values():
        source = next((source for source in reversed(SOURCES) if str(key) in values[source]), None)
        origin = config.origin(str(key))
        if source is None:
            assert origin in ("default", "derived")
        else:
            assert origin.startswith(source)
            assert plain(config, key) == expected(key, values[source][str(key)])


@pytest.mark.parametrize("key", KEYS.values(), ids=str)
@given(data=st.data())
def test_cf02_every_key_has_its_environment_variable(key: Key, data: st.DataObject) -> None:
    assert key.environment_name == "PLUGINKIT_" + "__".join(part.upper() for part in key.path)
    value = data.draw(VALUES[key.kind.label])
    config = Config.load(None, environ={key.environment_name: as_text(value)})
    assert config.origin(str(key)) == f"environment {key.environment_name}"
    assert plain(config, key) == expected(key, value)


def test_cf02_the_nested_name_of_the_issue_sets_the_queue() -> None:
    config = Config.load(None, environ={"PLUGINKIT_LOGGING__MQ__LOG_QUEUE": "other"})
    assert config.logging.mq.log_queue == "other"


def test_cf02_the_processes_environment_is_read_when_no_other_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLUGINKIT_LOGGING__LOG_LEVEL", "error")
    assert Config.load(None).log_level == "error"


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("APPLICATION__APP_NAME", "123", "application.app_name", "123"),
        ("APPLICATION__APP_NAME", "no", "application.app_name", "no"),
        ("APPLICATION__APP_NAME", "[a", "application.app_name", "[a"),
        ("LOGGING__LOG_COMPRESS", "YES", "logging.log_compress", True),
        ("LOGGING__LOG_COMPRESS", "1", "logging.log_compress", True),
        ("LOGGING__LOG_INCLUDE_LOCATION", " off ", "logging.log_include_location", False),
        ("LOGGING__LOG_INCLUDE_LOCATION", "0", "logging.log_include_location", False),
        ("LOGGING__LOG_MAX_AGE", "7", "logging.log_max_age", 7),
        ("LOGGING__LOG_MAX_SIZE", "1.5", "logging.log_max_size", 1.5),
        ("FILE_WATCHER__FW_QUIET", "3", "file_watcher.fw_quiet", 3.0),
        ("HOOKS__ERRORS", "RAISE", "hooks.errors", "raise"),
        ("PLUGINS__DISABLED", "cat, dog", "plugins.disabled", ["cat", "dog"]),
        ("PLUGINS__DISABLED", "cat", "plugins.disabled", ["cat"]),
        ("PLUGINS__DISABLED", "[cat, 'd,g']", "plugins.disabled", ["cat", "d,g"]),
        ("PLUGINS__DISABLED", "[]", "plugins.disabled", []),
        ("CONTRACTS", '{animal: "a.b:C"}', "contracts", {"animal": "a.b:C"}),
        ("CALLS", "[{hook: speak}]", "calls", [{"hook": "speak", "with": {}}]),
        ("TRUST", "a: {b: [1]}", "trust", {"a": {"b": [1]}}),
    ],
)
def test_cf02_text_of_the_environment_is_read_by_the_keys_type(
    name: str, text: str, key: str, value: object
) -> None:
    config = Config.load(None, environ={f"PLUGINKIT_{name}": text}, strict=True)
    assert plain(config, KEYS[tuple(key.split("."))]) == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "LOGGING__LOG_MAX_AGE",
            "1.5",
            "logging.log_max_age: must be an integer, at least 0 (found 1.5; right would be {}=3)",
        ),
        (
            "LOGGING__LOG_MAX_AGE",
            "old",
            "logging.log_max_age: must be an integer, at least 0 (found 'old'; right would be {}=3)",
        ),
        (
            "LOGGING__LOG_COMPRESS",
            "maybe",
            "logging.log_compress: must be true or false (found 'maybe'; right would be {}=true)",
        ),
        ("TRUST", "{a: &x 1}", "trust: anchors are not allowed (right would be {}={{}})"),
        ("TRUST", "[1]", "trust: must be a mapping (found [1]; right would be {}={{}})"),
    ],
)
def test_cf02_a_wrong_variable_is_named_with_a_right_one(name: str, text: str, problem: str) -> None:
    variable = f"PLUGINKIT_{name}"
    with pytest.raises(ConfigError) as caught:
        Config.load(None, environ={variable: text})
    (only,) = caught.value.problems
    assert str(only).startswith(f"environment {variable}: {problem.format(variable)[:40]}")
    assert str(only).endswith(problem.format(variable)[-20:])


def test_cf02_text_that_cannot_be_parsed_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load(None, environ={"PLUGINKIT_TRUST": "{token: hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("nothing", ["", None])
def test_cf02_nothing_leaves_a_key_to_the_source_below(tmp_path: Path, nothing: str | None) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("logging: {log_level: error}", "utf-8")
    environ = {} if nothing is None else {"PLUGINKIT_LOGGING__LOG_LEVEL": nothing}
    config = Config.load(path, environ=environ, overrides={"logging.log_level": None})
    assert config.log_level == "error"
    assert config.origin("logging.log_level") == "file:1"


def test_cf02_a_variable_that_yaml_reads_as_null_is_not_set_either() -> None:
    config = Config.load(None, environ={"PLUGINKIT_TRUST": "~"})
    assert config.origin("trust") == "default"


def test_cf02_overrides_take_python_values_and_text_alike() -> None:
    typed = Config.load(None, environ={}, overrides={"logging.log_max_age": 3, "plugins.exclude": ("a", "b")})
    text = Config.load(None, environ={}, overrides={"logging.log_max_age": "3", "plugins.exclude": "a,b"})
    assert typed.as_dict() == text.as_dict()


def test_cf02_relative_paths_of_the_command_line_start_at_the_current_directory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("{}", "utf-8")
    config = Config.load(
        path, environ={}, overrides={"directories.plugins_dir": "here", "directories.logs_dir": Path("l")}
    )
    assert config.plugins_dir == Path.cwd() / "here"
    assert config.logs_dir == Path.cwd() / "l"


def test_cf02_a_path_with_a_nul_character_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a path, without NUL characters"):
        Config.load(None, environ={}, overrides={"directories.plugins_dir": "a\0b"})


def test_cf01_a_wrong_value_in_the_file_is_an_error_even_when_the_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("logging: {log_max_age: x}", "utf-8")
    with pytest.raises(ConfigError):
        Config.load(path, environ={"PLUGINKIT_LOGGING__LOG_MAX_AGE": "3"})


@given(
    st.sampled_from(list(KEYS.values())),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
        max_leaves=5,
    ),
)
def test_cf01_whatever_stands_in_the_file_is_either_taken_or_a_config_error(key: Key, value: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "config.json")
        path.write_text(json.dumps(nested({str(key): value})), "utf-8")
        config: Config | None = None
        refused: tuple[Problem, ...] = ()
        try:
            config = Config.load(path, environ={})
        except ConfigError as error:
            refused = error.problems
    if config is None:
        assert refused
        assert all(problem.line == 1 and problem.path.startswith(key.path[0]) for problem in refused)
    elif value is None:
        assert config.origin(str(key)) in ("default", "derived")
    else:
        json.dumps(config.as_dict())
        again = Config.load(None, environ={}, overrides={str(key): plain(config, key)})
        assert config.notices or plain(again, key) == plain(config, key)
