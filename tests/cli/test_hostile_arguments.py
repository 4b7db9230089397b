"""SE10: no argument leads a command elsewhere, and nothing that it shows commands a terminal."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli.failures import as_word
from pluginkit.testing import write_plugin
from tests.support.hostile import BYTES, COMMANDING, CONFUSABLE, TRAVERSING, is_tame, tree

Cli = Callable[..., Any]

NAMES = [*TRAVERSING, *COMMANDING, *CONFUSABLE]
OF_A_PLUGIN = [
    ("info",), ("enable",), ("disable",), ("trust",), ("lock",), ("approve",), ("load",), ("unload",), ("reload",), ("call", "speak", "is_loud=1", "--plugin"),
    ("call",), ("hooks",), ("config",), ("audit", "--kind"), ("verify",), ("log-level",),
]  # fmt: skip


def is_one_error(done: Any) -> bool:
    """Whether a command says on stderr, once and in words that can be shown, what is wrong."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("pluginkit: error:")]
    others = [
        line
        for line in done.stderr.splitlines()
        if not line.startswith(("pluginkit: ", "  ", "help: ", "Start one"))
    ]
    return (
        done.status not in {0, 70} and len(errors) == 1 and not others and is_tame(done.stdout + done.stderr)
    )


@pytest.fixture
def around(project: Path) -> set[str]:
    """What there is before the command; nothing may be added."""
    return tree(project.parent)


@pytest.mark.parametrize("command", OF_A_PLUGIN, ids=" ".join)
def test_se10_a_hostile_name_is_one_error_and_writes_nothing(
    cli: Cli, project: Path, around: set[str], command: tuple[str, ...]
) -> None:
    for name in NAMES:
        done = (
            cli(*command, "--no-host", "--", name, status=None)
            if command[-1] != "--plugin" and command != ("audit", "--kind")
            else cli(*command, name, "--no-host", status=None)
        )
        assert is_one_error(done), (name, done)
    assert {path for path in tree(project.parent) - around if "__pycache__" not in path} == set()


@pytest.mark.parametrize("name", NAMES)
def test_se10_new_makes_no_plugin_with_a_hostile_name(
    cli: Cli, project: Path, around: set[str], name: str
) -> None:
    assert is_one_error(cli("new", "--type", "animal", "--", name, status=2))
    assert is_one_error(cli("new", "fine", f"--type={name}", status=2))
    assert tree(project.parent) == around


@pytest.mark.parametrize("name", ["json", "pluginkit", "1cat", "class", "../x/y", "x" * 65])
def test_se10_new_takes_no_reserved_name(cli: Cli, project: Path, around: set[str], name: str) -> None:
    assert is_one_error(cli("new", name, "--type", "animal", status=2))
    assert tree(project.parent) == around


def test_se10_new_writes_below_the_plugins_directory_and_over_nothing(cli: Cli, project: Path) -> None:
    before = tree(project.parent)
    cli("new", "kat", "--type", "animal")
    made = tree(project.parent) - before
    assert made
    assert all(Path(path).is_relative_to(project / "plugins" / "kat") for path in made)
    (project / "plugins" / "dog").symlink_to(project.parent)
    assert is_one_error(cli("new", "dog", "--type", "animal", status=2))
    assert not (project.parent / "manifest.yaml").exists()


@pytest.mark.parametrize(
    "command", [("validate",), ("sign", "--key"), ("--config",), ("--plugins-dir",), ("verify",)]
)
def test_se10_a_path_that_is_not_there_is_one_error_that_can_be_shown(
    cli: Cli, project: Path, around: set[str], command: tuple[str, ...]
) -> None:
    for path in ("gone\npluginkit: error: forged", "\x1b[2J", "../\u202egone", "x" * 5000, "\udcff"):
        arguments = {
            "sign": ["sign", "cat", f"--key={path}"],
            "--config": [f"--config={path}", "list"],
            "--plugins-dir": [f"--plugins-dir={path}", "info", "cat"],
        }.get(command[0], [*command, path])
        done = cli("--no-host", *arguments, status=None)
        assert done.status not in {0, 70}, done
        assert is_tame(done.stdout + done.stderr.replace(path * (len(path) > 1000), "")), done
        assert not any(line.startswith("pluginkit: error: forged") for line in done.stderr.splitlines())
    assert tree(project.parent) == around


@pytest.mark.parametrize("arguments", [
    ["queue", "replay", "1; DROP TABLE queues"], ["queue", "replay", "\uff11"], ["queue", "purge", "dead' OR 1"], ["queue", "counts", "\x1b[2J"],
    ["logs", "--since", "\x1b[2J"], ["logs", "--level", "\x1b[2J\nforged"], ["audit", "--since", "../x"], ["log-level", "cat", "\x1b[2J"],
    ["call", "speak", "\x1b[2J"], ["call", "speak", "is_loud=\x1b[2J\nforged"], ["call", "speak", "__class__=1", "is_loud=1"],
    ["call", "speak", "is_loud=1", "\x1b[2J\n=1"], ["completion", "\x1b[2J"], ["\x1b[2J\nforged"], ["list", "--\x1b[2J"],
    ["config", "logging.__class__"], ["config", "logging.log_level.__doc__"], ["config", "../x"], ["events", "--kind", "\x1b[2J"],
])  # fmt: skip
def test_se10_other_hostile_words_are_one_error(
    cli: Cli, project: Path, around: set[str], arguments: list[str]
) -> None:
    done = cli(*arguments, "--no-host", status=None)
    assert is_one_error(done), done
    assert tree(project.parent) - around == set()


def test_se10_a_queue_is_looked_up_by_its_whole_name(cli: Cli, project: Path) -> None:
    from pluginkit.queue import PersistentQueue

    (project / "logs").mkdir()
    with PersistentQueue(project / "logs" / "logs.db") as queue:
        queue.put(b"kept")
    for name in ("'; DROP TABLE queues; --", "x' OR '1'='1", "\x1b[2J\nforged", "%", "_"):
        done = cli("queue", "purge", "pending", "--yes", f"--name={name}", status=None)
        assert is_tame(done.stdout + done.stderr), done
        assert len(done.stdout.splitlines()) <= 2
    with PersistentQueue(project / "logs" / "logs.db") as queue:
        assert queue.counts().pending == 1


# What others have named


@pytest.fixture
def hostile_places(project: Path) -> list[str]:
    """Directories and files of plugins with hostile names beside the cat."""
    plugins = os.fsencode(project / "plugins")
    for name in BYTES:
        os.mkdir(os.path.join(plugins, name))
        Path(os.fsdecode(os.path.join(plugins, b"f" + name + b".py"))).write_text("x = 1\n", "utf-8")
    return [os.fsdecode(name) for name in BYTES]


@pytest.mark.parametrize("terminal", [False, True])
def test_se10_list_has_one_line_for_each_plugin_however_its_place_is_called(
    cli: Cli, project: Path, hostile_places: list[str], terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb" if terminal else "xterm")
    done = cli("list", terminal=terminal)
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 1 + 2 * len(hostile_places)
    assert not [line for line in lines if line.startswith("il: running")]
    assert is_tame(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "command",
    [
        ("doctor",),
        ("list",),
        ("run",),
        ("hooks", "--load"),
        ("call", "speak", "is_loud=1"),
        ("trust",),
        ("lock",),
        ("verify",),
        ("--debug", "list"),
    ],
)
def test_se10_no_command_is_commanded_by_the_name_of_a_place(
    cli: Cli, project: Path, hostile_places: list[str], command: tuple[str, ...]
) -> None:
    done = cli(*command, status=None)
    assert done.status != 70, done
    assert is_tame(done.stdout + done.stderr), done
    assert not [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("il: running")]
    assert not (project / "evil").exists()


def test_se10_the_names_of_broken_plugins_can_be_asked_for_as_they_are_shown(
    cli: Cli, project: Path, hostile_places: list[str]
) -> None:
    names = [row["name"] for row in cli("list", "--json").data["plugins"]]
    assert len(names) == 1 + 2 * len(hostile_places)
    assert all(name.isprintable() for name in names)
    for name in names:
        assert cli("info", "--json", "--", name).data["plugin"]["name"] == name


def test_se10_advice_that_is_copied_into_a_shell_runs_nothing_else(cli: Cli, project: Path) -> None:
    (project / "plugins" / "x; touch evil").mkdir()
    (project / "plugins" / "$(touch evil)").mkdir()
    shown = cli("doctor", status=None).stdout
    assert "pluginkit disable 'x; touch evil'" in shown
    assert "pluginkit disable '$(touch evil)'" in shown
    assert "disable x;" not in shown
    assert as_word("cat") == "cat"


def test_se10_a_shell_is_offered_no_word_that_it_would_obey(
    user: Cli, project: Path, hostile_places: list[str]
) -> None:
    write_plugin(project / "plugins", "dog", "class Dog:\n    pass\n", type="pluggy", entrypoint="dog:Dog")
    done = user(
        env={"_PLUGINKIT_COMPLETE": "bash_complete", "COMP_WORDS": "pluginkit info ", "COMP_CWORD": "2"}
    )
    offered = [line.partition(",")[2] for line in done.stdout.splitlines()]
    assert offered == ["cat", "dog", "f-rf"]


@pytest.mark.parametrize(
    "command",
    [
        ("validate", "."),
        ("trust",),
        ("verify",),
        ("list",),
        ("logs",),
        ("doctor",),
        ("lock",),
        ("config",),
        ("call", "speak", "is_loud=1"),
    ],
)
def test_se10_a_project_in_a_directory_with_a_hostile_name_forges_no_line(
    cli: Cli, project: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(project.parent / "xdg"))
    place = project / "x\npluginkit: error: forged\x1b[2J"
    shutil.copytree(project / "plugins", place / "plugins")
    shutil.copy(project / "config.yaml", place)
    (place / "plugins" / "cat" / "plugin.sha256").write_text("0\n")
    monkeypatch.chdir(place)
    arguments = [
        *command[:1],
        *(str(place / "plugins" / "cat") if word == "." else word for word in command[1:]),
    ]
    done = cli(
        f"--config={place / 'config.yaml'}", f"--plugins-dir={place / 'plugins'}", *arguments, status=None
    )
    assert done.status != 70, done
    assert is_tame(done.stdout + done.stderr), done
    assert not [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if line.startswith("pluginkit: error: forged")
    ]


# What plugins say


TEXT = "broken\npluginkit: error: forged\x1b[2J\x1b]0;owned\x07\u202e"


@pytest.mark.parametrize(
    "source",
    [
        f"raise ValueError({TEXT!r})",
        f"class {{name}}:\n    def __init__(self):\n        raise type({TEXT!r}, (Exception,), {{}})({TEXT!r})",
        f"from pluginkit import hookimpl\nclass Evil:\n    @hookimpl\n    def speak(self, is_loud):\n        raise ValueError({TEXT!r})",
        f"from pluginkit import hookimpl\nclass Evil:\n    @hookimpl\n    def speak(self, is_loud):\n        return {TEXT!r}",
        f"import logging\nlogging.getLogger('pluginkit').error({TEXT!r})\nclass Evil:\n    pass",
        f"import warnings\nwarnings.warn({TEXT!r})\nclass Evil:\n    pass",
    ],
)  # fmt: skip
def test_se10_what_a_plugin_says_begins_no_line_of_ours(cli: Cli, project: Path, source: str) -> None:
    write_plugin(
        project / "plugins", "evil", source.replace("{name}", "Evil"), type="animal", entrypoint="evil:Evil"
    )
    shown = ""
    for command in (
        ["call", "speak", "is_loud=1"],
        ["run"],
        ["list"],
        ["info", "evil"],
        ["doctor"],
        ["logs"],
        ["audit"],
    ):
        done = cli(*command, status=None)
        assert done.status != 70, done
        shown += done.stdout + done.stderr
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    forged = [line for line in shown.splitlines() if line.startswith("pluginkit: error: forged")]
    # A warning of Python's is printed by Python.
    assert not forged or "warnings.warn" in source


def test_se10_logs_and_audit_show_one_record_as_one_entry(cli: Cli, project: Path) -> None:
    record = {
        "@timestamp": "2026-11-27T10:00:00.250+00:00",
        "@level": "info",
        "@message": TEXT,
        "plugin": TEXT,
        TEXT: TEXT,
        "kind": TEXT,
    }
    (project / "logs").mkdir()
    for name in ("app.log", "audit.log"):
        lines = [
            json.dumps(record),
            json.dumps({**record, "@timestamp": TEXT, "@caller": TEXT, "@exception": TEXT}),
            f"no record {TEXT[7:]}",
        ]
        (project / "logs" / name).write_text("\n".join(lines) + "\n", "utf-8")
    for command in ("logs", "audit"):
        done = cli(command)
        assert is_tame(done.stdout)
        entries = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
        assert not [line for line in entries if line.startswith("pluginkit: error: forged")][
            1:
        ]  # the raw line is one of its own
        assert sum(line.startswith("2026-11-27") for line in entries) == 1


def test_se10_logs_on_a_terminal_have_our_colours_and_no_others(cli: Cli, project: Path) -> None:
    (project / "logs").mkdir()
    record = {
        "@timestamp": "2026-11-27T10:00:00.250+00:00",
        "@level": "info",
        "@message": "\x1b[2Jfed",
        "plugin": "cat",
    }
    (project / "logs" / "app.log").write_text(json.dumps(record) + "\n", "utf-8")
    shown = cli("logs", terminal=True).stdout
    assert "\x1b[32minfo \x1b[0m cat: \\x1b[2Jfed" in shown
    assert "\x1b[2J" not in shown


def test_se10_events_jobs_and_levels_of_a_running_host_are_shown_on_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from pluginkit.cli.commands import events, jobs

    events._show({"event": {"time": 0.0, "kind": "failed", "plugin": TEXT, "data": {TEXT: TEXT}}}, False)
    numbers = dict.fromkeys(
        (
            "workers",
            "idle",
            "running",
            "queued",
            "submissions",
            "succeeded",
            "failed",
            "cancelled",
            "timed_out",
            "retried",
        ),
        0,
    )
    failed = [{"name": TEXT, "owner": TEXT, "error": TEXT}]
    row = {
        "name": TEXT,
        "state": "running",
        "owner": TEXT,
        "seconds": 1.0,
        "attempts": 1,
        "where": "",
        "progress": TEXT,
    }
    jobs._show(
        {"metrics": numbers, "max_workers": 1, "running": [row], "stuck": [], "queued": [], "failed": failed},
        0.0,
    )
    shown = capsys.readouterr().out
    assert is_tame(shown)
    assert len(shown.splitlines()) == 1 + 2 + 2 + 1
