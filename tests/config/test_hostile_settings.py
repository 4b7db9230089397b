"""SE10: names of files in the configuration are names of files, and what is wrong is told on lines of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pluginkit.config import KEYS, Config, Key
from pluginkit.config.plugin_files import PluginConfigs
from pluginkit.contracts.importing import load_contract
from pluginkit.errors import ConfigError, ContractDefinitionError
from tests.support.hostile import is_tame

FILE_KEYS = ("logging.log_filename", "logging.mq.log_db_file")
NO_FILE_NAMES = [
    "", " ", ".", "..", "../../x", "../app.log", "/etc/passwd", "sub/app.log", "sub\\app.log", "a\0b", "a\nb", "\x1b[2J", ".hidden",
    "app.log.", "app.log ", " app.log", "~", "~/app.log", "app\uff0a.log", "\uff0e\uff0e\uff0fx", "app\u202e.log", "$(x)", "a;b", "*.log", "x" * 201, "é" * 101,
]  # fmt: skip
TRAILS = ["audit.log", "AUDIT.log", "audit.000001.log", "audit.000001.log.gz"]


def load(key: str, value: str) -> Config:
    return Config.load(None, environ={}, overrides={key: value})


@pytest.mark.parametrize("key", FILE_KEYS)
@pytest.mark.parametrize("name", NO_FILE_NAMES)
def test_se10_a_log_is_a_file_in_the_directory_of_logs_and_nowhere_else(key: str, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(key, name)
    assert [problem.path for problem in caught.value.problems] == [key]
    assert is_tame(str(caught.value))


@pytest.mark.parametrize("key", FILE_KEYS)
@pytest.mark.parametrize("name", TRAILS)
def test_se10_the_audit_trail_cannot_be_written_to_as_a_log(key: str, name: str) -> None:
    with pytest.raises(ConfigError, match="audit trail"):
        load(key, name)


@pytest.mark.parametrize("name", ["app.log", "zoo", "zoo 2.log", "müll.log", "audit.txt", "a..b", "_x-1.log"])
def test_se10_any_plain_name_can_be_that_of_a_log(name: str) -> None:
    config = load("logging.log_filename", name)
    assert config.log_file == config.logs_dir / name
    assert load("logging.mq.log_db_file", name).log_mq_file.parent == config.logs_dir


@pytest.mark.parametrize(
    "key", ["directories.plugins_dir", "directories.plugin_configs_dir", "directories.logs_dir", "directories.state_dir"]
)  # fmt: skip
def test_se10_a_directory_with_a_nul_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="without NUL"):
        load(key, "x\0y")


@pytest.mark.parametrize(
    "reference",
    [
        "../evil:Evil", "/tmp/evil:Evil", "evil.py:Evil", "os:system('x')", "os:path\n", "os;x:Y", "os:__import__('x')", "os: path", ":x", "os:",
        "o\0s:x", "\x1b[2J:x", "..os:path", "os::path", "os:path:join",
    ],
)  # fmt: skip
def test_se10_a_contract_is_a_module_and_a_class_and_nothing_else(reference: str, tmp_path: Path) -> None:
    with pytest.raises(ContractDefinitionError) as caught:
        load_contract(reference, "animal")
    assert is_tame(str(caught.value))


def test_se10_a_contract_that_is_no_class_of_hookspecs_is_not_called() -> None:
    with pytest.raises(ContractDefinitionError, match="not a class"):
        load_contract("os:system", "animal")
    assert load_contract("pluginkit.contracts.samples:Animal", "animal").type == "animal"


@pytest.mark.parametrize("key", ['"\\e[2J\\nerror: forged"', '"__class__"', '"../x"', '"{0}"', '"<red>"'])
def test_se10_an_unknown_key_is_told_on_one_line(tmp_path: Path, key: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"logging:\n  {key}: 1\n", "utf-8")
    config = Config.load(file, environ={})
    assert any("unknown" in notice for notice in config.notices)
    assert all(notice.isprintable() for notice in config.notices)
    with pytest.raises(ConfigError) as caught:
        Config.load(file, environ={}, strict=True)
    assert is_tame(str(caught.value))


def test_se10_a_configuration_in_a_directory_with_a_hostile_name_is_named_on_one_line(tmp_path: Path) -> None:
    place = tmp_path / "x\n  forged: 1\x1b[2J"
    place.mkdir()
    file = place / "config.yaml"
    file.write_text("logging: {log_level: 5, log_compress: x}\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        Config.load(file, environ={})
    assert is_tame(str(caught.value))
    assert len(str(caught.value).splitlines()) == 1 + len(caught.value.problems)


def test_se10_a_plugins_config_file_that_is_a_link_to_no_file_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "cat.config.yaml").symlink_to("/dev/zero")
    (tmp_path / "d\x1b[2J\nog.config.yml").write_text("", "utf-8")
    configs = PluginConfigs.scan(tmp_path)
    with pytest.raises(ConfigError) as caught:
        configs.get("cat")
    assert is_tame(str(caught.value))
    for name in ("../cat", "/etc/passwd", "sub/cat", "cat\0"):
        assert configs.get(name).file is None


@pytest.mark.parametrize("key", KEYS.values(), ids=str)
def test_se10_no_value_of_any_key_gets_into_a_message_as_it_is(key: Key) -> None:
    hostile = ["\x1b[2J\nforged", "a\u2028b", "\u202ex", "a\0b", "x" * 50_000, "{0.__class__}", "a\x1b:B"]
    for text in hostile:
        for value in (text, [text], {text: text}, {"a": text}, [{text: text}], [{"hook": text}]):
            try:
                told = Config.load(None, environ={}, overrides={str(key): value}).notices
            except ConfigError as error:
                told = tuple(map(str, error.problems))
            assert all(line.isprintable() and len(line) < 2000 for line in told), told
