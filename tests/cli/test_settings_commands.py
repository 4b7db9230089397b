"""`enable`, `disable`, `config` and `info`: what is chosen and what holds, and where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin

SCHEMA = {
    "type": "object",
    "properties": {
        "greeting": {"type": "string", "default": "Hi", "description": "What it says"},
        "mode": {"enum": ["loud", "quiet"]},
        "anything": True,
        "bare": {},
        "password": {"type": "string"},
    },
}


def state_of(cli: Callable[..., Any], name: str) -> str:
    rows = cli("list", "--json").data["plugins"]
    return str(next(row["state"] for row in rows if row["name"] == name))


@pytest.mark.usefixtures("project")
def test_lc_disable_and_enable_are_kept_between_runs(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "dog", "", type="animal")

    assert cli("disable", "cat", "dog").stdout == "cat: disabled\ndog: disabled\n"
    assert (state_of(cli, "cat"), state_of(cli, "dog")) == ("disabled", "disabled")
    assert cli("enable", "CAT").stdout == "cat: discovered\n"
    assert (state_of(cli, "cat"), state_of(cli, "dog")) == ("discovered", "disabled")


@pytest.mark.usefixtures("project")
def test_a_name_that_is_not_known_changes_nothing(cli: Callable[..., Any]) -> None:
    cli("disable", "cat", "nobody", status=2)
    assert state_of(cli, "cat") == "discovered"
    assert not Path(".pluginkit").exists()


@pytest.mark.usefixtures("project")
def test_disable_names_the_plugins_that_can_no_longer_be_loaded(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "kitten", "", type="animal", requires={"plugins": ["cat"]})
    done = cli("disable", "cat")
    assert "plugin 'kitten' cannot be loaded now: requires the plugin cat" in done.stderr
    assert cli("enable", "cat").stderr == ""


@pytest.mark.usefixtures("project")
def test_pg02_a_plugins_own_config_file_has_the_last_word_and_is_named(cli: Callable[..., Any]) -> None:
    Path("plugin_configs").mkdir()
    Path("plugin_configs/cat.config.yaml").write_text("enabled: false\n", "utf-8")
    done = cli("enable", "cat", status=2)
    assert "plugin_configs/cat.config.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("project")
def test_a_broken_plugin_can_be_switched_off_and_is_healthy_then(cli: Callable[..., Any]) -> None:
    Path("plugins/zzz").mkdir()
    cli("doctor", status=1)
    cli("disable", "zzz")
    cli("doctor")


@pytest.mark.usefixtures("project")
def test_cf05_config_tells_every_value_and_its_origin(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUGINKIT_LOGGING__LOG_LEVEL", "debug")
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("application: {app_name: zoo}\n")

    lines = [
        line.split() for line in cli("--plugins-dir", "elsewhere", "config", "--origin").stdout.splitlines()
    ]

    assert lines[0] == ["KEY", "ORIGIN", "VALUE"]
    rows = {line[0]: line[1:] for line in lines[1:]}
    assert rows["application.app_name"] == ["file:4", "zoo"]
    assert rows["logging.log_level"] == ["environment", "PLUGINKIT_LOGGING__LOG_LEVEL", "debug"]
    assert rows["hooks.errors"] == ["default", "record"]
    assert rows["directories.plugins_dir"][:2] == ["command", "line"]


@pytest.mark.usefixtures("project")
def test_cf05_config_shows_one_key_or_one_section(cli: Callable[..., Any]) -> None:
    assert len(cli("config", "logging.log_level").stdout.splitlines()) == 2
    keys = [line.split()[0] for line in cli("config", "hooks").stdout.splitlines()[1:]]
    assert keys == ["hooks.errors", "hooks.timing", "hooks.quarantine.errors", "hooks.quarantine.window"]


@pytest.mark.usefixtures("project")
def test_cf05_config_hides_secrets_in_both_forms(cli: Callable[..., Any]) -> None:
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("trust: {api_key: tiger42}\n")
    assert "tiger42" not in cli("config").stdout
    data = cli("config", "--json").data
    assert data["config"]["trust"] == {"api_key": "***"}
    assert data["origins"]["trust"].startswith("file:")
    assert Path(data["path"]).name == "config.yaml"
    assert data["notices"] == []


@pytest.mark.usefixtures("project")
def test_cf05_an_unknown_key_is_a_notice_and_with_strict_an_error(cli: Callable[..., Any]) -> None:
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("hoks: {}\n")
    assert "did you mean 'hooks'?" in cli("config").stderr
    assert "did you mean 'hooks'?" in cli("config", "--strict", status=2).stderr


@pytest.mark.usefixtures("project")
def test_cf01_config_without_a_file_has_no_path(cli: Callable[..., Any]) -> None:
    Path("config.yaml").unlink()
    data = cli("config", "--json").data
    assert data["path"] is None
    assert data["notices"] == ["no configuration file; the built-in defaults hold"]


@pytest.mark.usefixtures("project")
def test_dm14_info_describes_a_plugin_without_running_it(cli: Callable[..., Any]) -> None:
    write_plugin(
        "plugins",
        "full",
        "raise SystemExit\n",
        type="animal",
        about={"description": "All of it", "maintainer": "a@example.com", "url": "https://example.com/full"},
        requires={"plugins": ["cat >=1"], "packages": ["click>=8"], "python": ">=3.11", "before": ["cat"]},
        hooks=["speak"],
        settings=SCHEMA,
        capabilities={
            "filesystem": [{"path": "/data", "permissions": ["read", "write"], "recursive": True}],
            "network": {
                "egress": [{"protocol": "tcp", "hosts": ["example.com"], "ports": [443]}],
                "ingress": [{"protocol": "tcp", "ports": [9000], "allowed_origins": ["192.168.1.100"]}],
            },
            "process": [{"exec": {"command": "/usr/bin/rsync", "args": ["-a"]}}, {"kill": ["children"]}],
            "env": ["HOME"],
        },
        http_services={
            "driver": "starlette",
            "routes": [{"route": "/full", "method": "GET", "label": "full.get"}],
        },
        plugin={"implementations": {"loud": "full:Loud"}},
    )
    Path("plugin_configs").mkdir()
    Path("plugin_configs/full.config.yaml").write_text(
        "settings: {greeting: Hello, password: tiger42}\n", "utf-8"
    )

    text = " ".join(cli("info", "full").stdout.split())

    for words in (
        "state: discovered",
        "description: All of it",
        "maintainers: a@example.com",
        "requires plugins: cat >=1",
        "requires packages: click>=8",
        "requires python: >=3.11",
        "loads before: cat",
        "offers: loud",
        "read, write /data and below",
        "filesystem: read, write /data and below: not granted, not allowed by the host's policy",
        "egress tcp example.com (ports: 443)",
        "ingress tcp 127.0.0.1 (ports: 9000) from 192.168.1.100",
        "exec /usr/bin/rsync -a",
        "kill children",
        "environment HOME",
        "greeting (string) = Hi: What it says",
        "mode (loud | quiet)",
        "GET /full → full.get",
        "greeting = Hello",
        "plugin_configs/full.config.yaml",
    ):
        assert words in text
    assert "tiger42" not in text
    assert "anything" not in text
    data = cli("info", "full", "--json").data["plugin"]
    assert data["manifest"]["settings"] == SCHEMA
    assert data["config"]["settings"] == {"greeting": "Hello", "password": "***"}
    assert "tiger42" not in json.dumps(data)


@pytest.mark.usefixtures("project")
def test_cl04_info_of_a_broken_plugin_lists_all_problems(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "wrong", "", type="animol", version="1")

    data = cli("info", "wrong", "--json").data["plugin"]

    assert data["manifest"] is None
    assert [problem["path"] for problem in data["problems"]] == ["plugin.type", "plugin.version"]
    text = cli("info", "wrong").stdout
    assert "failed" in text
    assert "description" not in text


@pytest.mark.usefixtures("project")
def test_cl04_info_names_the_others_who_want_the_name(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "twin-b", "", type="animal")
    write_plugin("plugins", "twin_b", "", type="animal")
    data = cli("info", "twin-b", "--json").data["plugin"]
    assert [rival["origin"] for rival in data["conflicts"]] == [f"dir:{Path.cwd()}/plugins/twin_b"]
    assert "conflict:" in cli("info", "twin-b").stdout


@pytest.mark.usefixtures("project")
def test_cl04_info_of_a_plugin_whose_config_file_is_broken_says_so(cli: Callable[..., Any]) -> None:
    Path("plugin_configs").mkdir()
    Path("plugin_configs/cat.config.yaml").write_text("enabled: [\n", "utf-8")
    data = cli("info", "cat", "--json").data["plugin"]
    assert data["state"] == "failed"
    assert data["reason"]["code"] == "settings-invalid"
    assert data["config"] is None


@pytest.mark.usefixtures("project")
def test_dm15_info_of_a_single_file_says_that_its_manifest_is_derived(cli: Callable[..., Any]) -> None:
    Path("plugins/lone.py").write_text("__version__ = '3.1.4'\n", "utf-8")
    text = cli("info", "lone").stdout
    assert "3.1.4" in text
    assert "none; derived from" in text
