"""CF01, CF03: the file over built-in defaults, as typed attributes."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pluginkit.config import Config, HookCall, find_config
from pluginkit.errors import ConfigError, UnknownName

Write = Callable[[str], Path]

FULL = """\
application:
  app_name: zoo
  app_mode: prod
  app_version: {major: 1, minor: 4, patch: 2, codename: heron}
directories:
  plugins_dir: ./animals
  plugin_configs_dir: /etc/zoo
  logs_dir: ../logs
  state_dir: state
logging:
  log_level: DEBUG
  log_levels: {cat: DEBUG}
  log_filename: zoo.log
  log_max_size: 1
  log_max_backups: 25
  log_max_age: 7
  log_compress: true
  log_include_location: false
  mq: {log_enable_persistent_queue: true, log_db_file: q.db, log_queue: zoo, log_remove_on_complete: false}
file_watcher: {fw_enabled: false, fw_watch_plugins: false, fw_quiet: 250ms, fw_max_wait: 5, fw_polling: true}
worker_pool: {wp_max_workers: 1000, limit_to_cpus: true, buffer: 0, executor: processes}
contracts: {animal: "zoo.contracts:Animal"}
calls:
  - {hook: speak, with: {is_loud: true}}
  - hook: greet
hooks: {errors: Group, timing: true, quarantine: {errors: 5, window: 1m30s}}
plugins: {include: ["c*"], exclude: [cow], disabled: [cat], entry_point_group: zoo, entry_points: false}
capabilities:
  guard: observe
  allow: requested
  deny: {env: [HOME]}
  plugins: {cat: {allow: {env: [LANG]}, dangerous: true}}
handshake: {protocol_version: [2, 1], magic_cookie_key: ZOO, magic_cookie_value: 9f2c41}
trust: {keys: [abc]}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


def problems_of(path: Path | None, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.load(path, **{"environ": {}, **options})
    return [str(problem).replace(f"{path}", "FILE") for problem in caught.value.problems]


def test_cf01_without_a_file_the_defaults_of_the_checklist_hold_and_a_notice_says_so() -> None:
    config = Config.load(None, environ={})

    here = str(Path.cwd())
    assert config.as_dict() == {
        "application": {
            "app_name": "app",
            "app_mode": "dev",
            "app_version": {"major": 0, "minor": 0, "patch": 0, "codename": "", "full": "0.0.0"},
        },
        "directories": {
            "plugins_dir": f"{here}/plugins",
            "plugin_configs_dir": f"{here}/plugin_configs",
            "logs_dir": f"{here}/logs",
            "state_dir": f"{here}/.pluginkit",
        },
        "logging": {
            "log_level": "info",
            "log_levels": {},
            "log_filename": "app.log",
            "log_max_size": 2,
            "log_max_backups": 0,
            "log_max_age": 0,
            "log_compress": False,
            "log_include_location": True,
            "mq": {
                "log_enable_persistent_queue": False,
                "log_db_file": "logs.db",
                "log_queue": "log_queue",
                "log_remove_on_complete": True,
            },
        },
        "file_watcher": {
            "fw_enabled": True,
            "fw_watch_plugins": True,
            "fw_quiet": 0.1,
            "fw_max_wait": 2.0,
            "fw_polling": False,
        },
        "worker_pool": {
            "wp_max_workers": config.worker_pool_max_workers,
            "limit_to_cpus": False,
            "buffer": None,
            "executor": "threads",
        },
        "contracts": {},
        "calls": [],
        "hooks": {"errors": "record", "timing": False, "quarantine": {"errors": 0, "window": 60.0}},
        "plugins": {
            "include": [],
            "exclude": [],
            "disabled": [],
            "entry_point_group": "pluginkit.plugins",
            "entry_points": True,
        },
        "capabilities": {"guard": "off", "allow": {}, "deny": {}, "plugins": {}},
        "handshake": {"protocol_version": [1], "magic_cookie_key": "", "magic_cookie_value": ""},
        "trust": {},
    }
    assert config.path is None
    assert config.notices == ("no configuration file; the built-in defaults hold",)


def test_cf01_the_file_wins_over_the_defaults_for_every_key(write: Write, tmp_path: Path) -> None:
    path = write(FULL)

    config = Config.load(path, environ={}, strict=True)

    assert config.notices == ()
    assert config.path == path
    assert config.application.app_version.full == "1.4.2"
    assert config.directories.plugins_dir == tmp_path / "animals"
    assert config.directories.plugin_configs_dir == Path("/etc/zoo")
    assert config.directories.logs_dir == tmp_path / "../logs"
    assert config.logging.log_level == "debug"
    assert config.logging.mq.log_queue == "zoo"
    assert (config.file_watcher.fw_quiet, config.file_watcher.fw_max_wait) == (0.25, 5.0)
    assert config.worker_pool_max_workers == 1000
    assert config.contracts == {"animal": "zoo.contracts:Animal"}
    assert config.calls == (HookCall("speak", {"is_loud": True}), HookCall("greet"))
    assert (config.hooks.errors, config.hooks.quarantine.window) == ("group", 90.0)
    assert config.plugins.include == ("c*",)
    assert (config.capabilities.guard, config.capabilities.allow) == ("observe", "requested")
    assert config.capabilities.plugins["cat"]["dangerous"] is True
    assert config.handshake.protocol_version == (1, 2)
    defaults = {name: value for name, value, _ in Config.load(None, environ={}).rows()}
    assert [name for name, value, _ in config.rows() if value == defaults[name]] == []
    assert [name for name, _, origin in config.rows() if not origin.startswith("file:")] == [
        "application.app_version.full"
    ]


def test_cf03_short_accessors_give_what_people_ask_most(write: Write, tmp_path: Path) -> None:
    config = Config.load(write(FULL), environ={})

    assert config.log_level == "debug"
    assert config.logs_dir == tmp_path / "../logs"
    assert config.plugins_dir == tmp_path / "animals"
    assert config.plugin_configs_dir == Path("/etc/zoo")
    assert config.state_dir == tmp_path / "state"
    assert config.log_file == tmp_path / "../logs/zoo.log"
    assert config.log_mq_enabled is True
    assert config.log_mq_file == tmp_path / "../logs/q.db"
    assert config.host_version == "1.4.2"


def test_cf03_the_configuration_cannot_be_changed(write: Write) -> None:
    config = Config.load(write(FULL), environ={})

    for target, name in ((config, "path"), (config.logging, "log_level"), (config.logging.mq, "log_queue")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(target, name, "x")
    for mapping in (
        config.contracts,
        config.capabilities.plugins,
        config.trust,
        config.calls[0].arguments,
        config.origins,
    ):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]  # that it is refused is the point
    assert isinstance(config.capabilities.deny["env"], tuple)


def test_cf03_sections_can_be_made_without_any_file() -> None:
    config = Config()
    assert config.logging.log_level == "info"
    assert config.file_watcher.fw_quiet == 0.1


def test_wp01_the_default_number_of_workers_is_that_of_the_standard_librarys_pool() -> None:
    with ThreadPoolExecutor() as pool:
        assert Config.load(None, environ={}).worker_pool_max_workers == pool._max_workers


@pytest.mark.parametrize("given", [0, -3])
def test_wp01_less_than_one_worker_is_one_with_a_notice(write: Write, given: int) -> None:
    config = Config.load(write(f"worker_pool:\n  wp_max_workers: {given}\n"), environ={})

    assert config.worker_pool_max_workers == 1
    assert len(config.notices) == 1
    assert f"config.yaml:2: worker_pool.wp_max_workers: must be at least 1, 1 is used (found {given})" in str(
        config.notices[0]
    )


@pytest.mark.parametrize("given", ["threads", "processes", "dask:tcp://10.0.0.1:8786", "my.cluster:executor"])
def test_wp21_what_runs_the_jobs_is_named_in_one_line(write: Write, given: str) -> None:
    config = Config.load(write(f"worker_pool: {{executor: '{given}'}}"), environ={})
    assert config.worker_pool.executor == given


def test_wp02_a_file_without_a_buffer_and_one_with_null_set_no_limit(write: Write) -> None:
    assert Config.load(write("worker_pool: {buffer: null}"), environ={}).worker_pool.buffer is None
    assert Config.load(None, environ={"PLUGINKIT_WORKER_POOL__BUFFER": "0"}).worker_pool.buffer == 0


@pytest.mark.parametrize("level", ["trace", "debug", "info", "warn", "error", "ERROR", "Warn"])
def test_lg04_levels_are_known_in_any_case(write: Write, level: str) -> None:
    config = Config.load(write(f"logging: {{log_level: {level}}}"), environ={})
    assert config.log_level == level.lower()
    assert config.notices == ()


@pytest.mark.parametrize("level", ["verbose", "warning", '"10"', '""'])
def test_lg04_an_unknown_level_is_info_and_a_notice(write: Write, level: str) -> None:
    config = Config.load(write(f"logging:\n  log_level: {level}\n"), environ={})
    assert config.log_level == "info"
    assert "config.yaml:2: logging.log_level: unknown level, info is used" in config.notices[0]


def test_lg04_the_notice_about_an_unknown_level_names_the_nearest(write: Write) -> None:
    config = Config.load(write("logging: {log_level: warning}"), environ={})
    assert "did you mean 'warn'? (found 'warning')" in config.notices[0]


@pytest.mark.parametrize("size", ["2", "1", "0.5", "1.99"])
def test_lg05_a_size_of_at_most_two_megabytes_holds(write: Write, size: str) -> None:
    config = Config.load(write(f"logging: {{log_max_size: {size}}}"), environ={})
    assert config.logging.log_max_size == float(size)
    assert config.notices == ()


@pytest.mark.parametrize("size", ["0", "-1", "3", "2.01", "100000"])
def test_lg05_any_other_size_is_two_megabytes_with_a_notice(write: Write, size: str) -> None:
    config = Config.load(write(f"logging: {{log_max_size: {size}}}"), environ={})
    assert config.logging.log_max_size == 2
    assert "at most 2 MB, 2 is used" in config.notices[0]


@pytest.mark.parametrize("text", ["logging: {log_max_size: }", "logging: {}", "logging:\n"])
def test_lg05_a_size_that_is_not_set_is_two_megabytes_without_a_word(write: Write, text: str) -> None:
    config = Config.load(write(text), environ={})
    assert config.logging.log_max_size == 2
    assert config.notices == ()


@pytest.mark.parametrize(
    ("text", "full", "origin"),
    [
        ("{}", "0.0.0", "default"),
        ("{major: 2}", "2.0.0", "derived"),
        ("{major: 1, minor: 2, patch: 3, codename: heron}", "1.2.3", "derived"),
        ('{major: 1, full: "4.5.6-rc.1"}', "4.5.6-rc.1", "file:1"),
        ('{full: "2026.1"}', "2026.1", "file:1"),
        ('{major: 3, full: ""}', "3.0.0", "derived"),
    ],
)
def test_cf03_the_full_version_is_derived_when_it_is_not_given(
    write: Write, text: str, full: str, origin: str
) -> None:
    config = Config.load(write(f"application: {{app_version: {text}}}"), environ={})
    assert config.application.app_version.full == full
    assert str(config.application.app_version.version) == full
    assert config.origin("application.app_version.full") == origin
    assert config.host_version == (None if origin == "default" else full)


def test_cf01_relative_paths_start_at_the_files_directory_wherever_it_is_read_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.yaml").write_text("directories: {plugins_dir: ./p}", "utf-8")
    monkeypatch.chdir(tmp_path)

    config = Config.load("conf/config.yaml", environ={"PLUGINKIT_DIRECTORIES__LOGS_DIR": "from-environment"})

    assert config.plugins_dir == tmp_path / "conf/p"
    assert config.plugin_configs_dir == tmp_path / "conf/plugin_configs"
    assert config.logs_dir == tmp_path / "conf/from-environment"
    monkeypatch.undo()


def test_cf01_a_link_to_the_file_counts_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions/config.yaml").write_text("directories: {plugins_dir: p}", "utf-8")
    (tmp_path / "config.yaml").symlink_to("versions/config.yaml")

    assert Config.load(tmp_path / "config.yaml", environ={}).plugins_dir == tmp_path / "p"


def test_cf01_a_tilde_is_the_home_directory(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/zoo")
    config = Config.load(write("directories: {plugins_dir: ~/plugins}"), environ={})
    assert config.plugins_dir == Path("/home/zoo/plugins")


def test_cf01_a_json_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"logging": {"log_level": "error"}}), "utf-8")
    config = Config.load(path, environ={})
    assert config.log_level == "error"
    assert config.origin("logging.log_level") == "file:1"


@pytest.mark.parametrize("text", ["", "# nothing\n", "hooks:\n", "hooks: {quarantine: }", "{}"])
def test_cf01_an_empty_file_or_section_means_the_defaults(write: Write, text: str) -> None:
    config = Config.load(write(text), environ={})
    assert config.as_dict()["hooks"] == Config.load(None, environ={}).as_dict()["hooks"]
    assert config.notices == ()


def test_cf01_a_file_larger_than_a_manifest_may_be_is_read(write: Write) -> None:
    calls = "".join(f"  - {{hook: speak, with: {{number: {index}}}}}\n" for index in range(2500))
    text = f"calls:\n{calls}# {'x' * 20_000}\n"
    assert len(text) > 64 * 1024
    assert len(Config.load(write(text), environ={}).calls) == 2500


def test_cf01_a_file_that_was_asked_for_and_is_missing_is_an_error(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "nope.yaml") == ["FILE: does not exist"]


def test_cf01_a_fifo_in_the_files_place_is_an_error_and_no_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.yaml")
    assert problems_of(tmp_path / "config.yaml") == ["FILE: is a FIFO (named pipe), not a regular file"]


def test_cf01_bad_yaml_is_an_error_with_its_line(write: Write) -> None:
    (problem,) = problems_of(write("logging:\n  log_level: [info\n"))
    assert problem.startswith("FILE:3: is not valid YAML")


def test_cf01_what_yaml_refuses_and_what_the_keys_refuse_is_said_at_once_and_once(write: Write) -> None:
    problems = problems_of(write("logging:\n  log_compress: yes\n  log_max_age: old\n  log_level: info\n"))
    assert len(problems) == 2
    assert problems[0].startswith("FILE:2: logging.log_compress: ")
    assert problems[1].startswith("FILE:3: logging.log_max_age: must be an integer, at least 0 (found 'old'")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5", "FILE:1: must be a mapping of keys to values (found 5)"),
        ("- a", "FILE:1: must be a mapping of keys to values (found ['a'])"),
        ("\nlogging: 5", "FILE:2: logging: must be a mapping of keys to values (found 5)"),
        (
            "\nlogging:\n  log_max_backups: many",
            (
                "FILE:3: logging.log_max_backups: must be an integer, at least 0 "
                "(found 'many'; right would be log_max_backups: 3)"
            ),
        ),
        (
            "logging: {log_max_backups: -1}",
            (
                "FILE:1: logging.log_max_backups: must be an integer, at least 0 "
                "(found -1; right would be log_max_backups: 3)"
            ),
        ),
        (
            "logging: {log_max_age: true}",
            "FILE:1: logging.log_max_age: must be an integer, at least 0 (found true; right would be log_max_age: 3)",
        ),
        (
            "logging: {log_compress: 1}",
            "FILE:1: logging.log_compress: must be true or false (found 1; right would be log_compress: true)",
        ),
        (
            "logging: {log_level: 3}",
            (
                "FILE:1: logging.log_level: must be one of trace, debug, info, warn, error "
                "(found 3; right would be log_level: info)"
            ),
        ),
        (
            "logging: {log_max_size: big}",
            "FILE:1: logging.log_max_size: must be a number of megabytes (found 'big'; right would be log_max_size: 1.5)",
        ),
        (
            "logging: {log_max_size: true}",
            "FILE:1: logging.log_max_size: must be a number of megabytes (found true; right would be log_max_size: 1.5)",
        ),
        (
            "application: {app_name: 1.10}",
            "FILE:1: application.app_name: must be text; put it in quotes (found 1.10; right would be app_name: name)",
        ),
        (
            "application: {app_name: [a]}",
            "FILE:1: application.app_name: must be text (found ['a']; right would be app_name: name)",
        ),
        (
            'application: {app_mode: " "}',
            "FILE:1: application.app_mode: must not be empty (found ' '; right would be app_mode: name)",
        ),
        (
            "application: {app_version: {full: one}}",
            "FILE:1: application.app_version.full: must be a version (found 'one'; right would be full: \"1.2.3\")",
        ),
        (
            'directories: {plugins_dir: ""}',
            "FILE:1: directories.plugins_dir: must not be empty (found ''; right would be plugins_dir: ./directory)",
        ),
        (
            "worker_pool: {wp_max_workers: 2.5}",
            (
                "FILE:1: worker_pool.wp_max_workers: must be an integer, at least 1 "
                "(found 2.5; right would be wp_max_workers: 4)"
            ),
        ),
        (
            "worker_pool: {limit_to_cpus: 2}",
            (
                "FILE:1: worker_pool.limit_to_cpus: must be true or false "
                "(found 2; right would be limit_to_cpus: true)"
            ),
        ),
        (
            "worker_pool: {buffer: -1}",
            (
                "FILE:1: worker_pool.buffer: must be an integer, at least 0; leave it out for no limit "
                "(found -1; right would be buffer: 100)"
            ),
        ),
        (
            "worker_pool: {executor: proceses}",
            (
                "FILE:1: worker_pool.executor: must be threads, processes, dask:ADDRESS or module:function; "
                "did you mean 'processes'? (found 'proceses'; right would be executor: processes)"
            ),
        ),
        (
            "worker_pool: {executor: 'dask:'}",
            (
                "FILE:1: worker_pool.executor: must be threads, processes, dask:ADDRESS or module:function "
                "(found 'dask:'; right would be executor: processes)"
            ),
        ),
        (
            "file_watcher: {fw_quiet: soon}",
            (
                "FILE:1: file_watcher.fw_quiet: must be a duration such as 100ms, 2s, 5m or 1h30m, "
                "or a number of seconds (found 'soon'; right would be fw_quiet: 2s)"
            ),
        ),
        (
            "hooks: {quarantine: {window: 0s}}",
            "FILE:1: hooks.quarantine.window: must be more than 0 seconds (found '0s'; right would be window: 2s)",
        ),
        (
            "hooks: {errors: recrd}",
            (
                "FILE:1: hooks.errors: must be one of record, raise, group; did you mean 'record'? "
                "(found 'recrd'; right would be errors: record)"
            ),
        ),
        (
            "plugins: {include: c*}",
            "FILE:1: plugins.include: must be a list of text (found 'c*'; right would be include: [one, two])",
        ),
        (
            "plugins:\n  include:\n    - a\n    - 5",
            "FILE:4: plugins.include[1]: must be text (found 5; right would be include: [one, two])",
        ),
        (
            "contracts: {animal: Animal}",
            (
                "FILE:1: contracts.animal: must be module:Class "
                "(found 'Animal'; right would be contracts: {animal: \"myhost.contracts:Animal\"})"
            ),
        ),
        (
            "contracts: {animal: 5}",
            (
                "FILE:1: contracts.animal: must be module:Class "
                '(found 5; right would be contracts: {animal: "myhost.contracts:Animal"})'
            ),
        ),
        ("trust: [a]", "FILE:1: trust: must be a mapping (found ['a']; right would be trust: {})"),
    ],
)
def test_cf01_a_wrong_value_is_named_with_file_line_key_value_and_a_right_one(
    write: Write, text: str, problem: str
) -> None:
    assert problems_of(write(text)) == [problem]


def test_cf01_a_path_below_an_unknown_users_home_is_an_error(write: Write) -> None:
    (problem,) = problems_of(write("directories: {plugins_dir: ~nobody-of-that-name/x}"))
    assert "directories.plugins_dir: must be a path" in problem


def test_cf01_all_faults_of_the_calls_are_said_at_once(write: Write) -> None:
    text = (
        "calls:\n"
        "  - speak\n"
        "  - {hook: a-b}\n"
        "  - {with: {}}\n"
        "  - {hook: speak, wiht: {a: 1}}\n"
        "  - {hook: speak, with: false}\n"
        "  - {hook: speak, with: }\n"
    )
    example = "right would be calls: [{hook: speak, with: {is_loud: true}}])"
    assert problems_of(write(text)) == [
        f"FILE:2: calls[0]: must be a mapping with hook and with (found 'speak'; {example}",
        f"FILE:3: calls[1].hook: must be the name of a hook (found 'a-b'; {example}",
        f"FILE:4: calls[2].hook: must be the name of a hook ({example}",
        f"FILE:5: calls[3].wiht: unknown key; did you mean 'with'? (found {{'a': 1}}; {example}",
        f"FILE:6: calls[4].with: must be a mapping of the call's arguments (found false; {example}",
    ]
    assert problems_of(write("calls: speak"))[0].startswith(
        "FILE:1: calls: must be a list of calls (found 'speak'"
    )


def test_cf01_all_problems_of_all_sources_are_said_at_once(write: Write) -> None:
    problems = problems_of(
        write("logging: {log_max_age: x}\nhooks: {timing: 3}\n"),
        environ={"PLUGINKIT_LOGGING__LOG_COMPRESS": "perhaps"},
        overrides={"worker_pool.wp_max_workers": "many", "loging.level": 1},
    )
    assert len(problems) == 5


def test_cf01_find_config_looks_for_the_usual_names(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    (tmp_path / "config.json").write_text("{}")
    assert find_config(tmp_path) == tmp_path / "config.json"
    (tmp_path / "config.yaml").write_text("{}")
    assert find_config(tmp_path) == tmp_path / "config.yaml"


def test_cf05_asking_for_the_origin_of_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'logging\.log_level'"):
        Config.load(None, environ={}).origin("logging.log_levl")
