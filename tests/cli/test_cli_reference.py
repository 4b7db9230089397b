"""The reference page and the help texts say what the commands do, and their examples run."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest

from pluginkit.cli.command import Command
from pluginkit.cli.program import MODULES, program
from tests.cli.cli_reference import JSON, PAGE, reference

CONTEXT = click.Context(program, info_name="pluginkit")
COMMANDS = [program.get_command(CONTEXT, name) for name in MODULES]
EXAMPLES = [*program.examples, *(e for one in COMMANDS if isinstance(one, Command) for e in one.examples)]
# An example that shows how to make something happen elsewhere needs that elsewhere.
ELSEWHERE: Mapping[str, str] = {
    "zoo/config.yaml": "",
    "../more-plugins/README": "",
    "logs/app.log": "",
    "logs/audit.log": "",
}
NEED_A_HOST = {"log-level", "load", "unload", "reload", "rescan", "events", "jobs"}


def needs_host(line: str) -> bool:
    return not NEED_A_HOST.isdisjoint(line.split())


def _make_key(file: Path) -> None:
    from pluginkit.security.signatures import new_key

    file.parent.mkdir()
    file.write_bytes(new_key()[0])


def follows_a_file(line: str) -> bool:
    return not {"-f", "--follow"}.isdisjoint(line.split())


@pytest.mark.skipif(
    metadata.version("click") < "8.5",
    reason="the page is written by a click whose usage lines read otherwise",
)
def test_cl07_the_reference_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python -m tests.cli.cli_reference"


def test_cl07_every_command_has_examples_and_a_section_in_the_reference() -> None:
    text = reference()
    for command in COMMANDS:
        assert isinstance(command, Command)
        assert command.examples
        assert f"\n## {command.name}\n" in text


@pytest.mark.usefixtures("sample_project")
@pytest.mark.parametrize(
    "line", [line for line, _ in EXAMPLES if not (needs_host(line) or follows_a_file(line))]
)
def test_cl07_every_example_of_the_help_works(user: Callable[..., Any], line: str) -> None:
    for file, text in ELSEWHERE.items():
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(text, "utf-8")
    if " --key " in line:
        _make_key(Path("keys/me.pem"))
    arguments = [
        path
        for word in shlex.split(line)[1:]
        for path in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    assert user(*arguments).stderr.count("error") == 0


@pytest.mark.usefixtures("sample_project")
@pytest.mark.parametrize("line", [line for line, _ in EXAMPLES if follows_a_file(line)])
def test_cl07_every_example_that_follows_a_file_ends_by_ctrl_c(
    line: str, process: Callable[..., subprocess.Popen[bytes]]
) -> None:
    command = process(*shlex.split(line)[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert command.stderr is not None
    while b"Following" not in (said := command.stderr.readline()):
        assert said, "it has ended"
    command.send_signal(signal.SIGINT)
    _, error = command.communicate(timeout=60)
    assert (command.returncode, error) == (0, b"")


@pytest.mark.usefixtures("sample_project")
@pytest.mark.parametrize("line", [line for line, _ in EXAMPLES if needs_host(line)])
def test_cl07_every_example_for_a_running_host_works(
    line: str,
    process: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
    child_env: dict[str, str],
) -> None:
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    pipe = subprocess.PIPE
    host = process("run", "--serve", stdout=subprocess.DEVNULL, stderr=pipe)
    assert host.stderr is not None
    while b"Serving" not in (said := host.stderr.readline()):
        assert said, "the host has ended"
    command = process(*shlex.split(line)[1:], stdout=pipe, stderr=pipe)
    assert command.stderr is not None
    if "events" in line:
        while b"Following" not in command.stderr.readline():
            assert command.poll() is None
        host.terminate()
    if "--follow" in line:
        while b"Following" not in command.stderr.readline():
            assert command.poll() is None
        command.send_signal(signal.SIGINT)
    _, error = command.communicate(timeout=60)
    assert (command.returncode, error.count(b"error")) == (0, 0), error.decode()


def keys_in(text: str) -> set[str]:
    """The keys that a cell of the page names outside of brackets."""
    return set(re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", text)))


@pytest.mark.usefixtures("sample_project")
@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["list"], "plugins"),
        (["hooks"], "hooks"),
        (["call", "speak", "is_loud=1"], "results"),
        (["validate", "plugins/cat"], "files"),
        (["doctor"], "findings"),
    ],
)
def test_cl07_the_page_names_the_keys_of_json(
    cli: Callable[..., Any], arguments: list[str], rows: str
) -> None:
    Path("plugins/broken").mkdir()
    top, cell = JSON[arguments[0]]
    data = cli(*arguments, "--json", status=1 if arguments == ["doctor"] else 0).data
    assert set(data) == {"schema_version", *top.split(", ")}
    assert set(data[rows][0]) <= keys_in(cell) | {"problem", "notice"}
    assert keys_in(cell) - {"run", "base64", "problem", "notice"} <= set(data[rows][0])


@pytest.mark.usefixtures("sample_project")
def test_cl07_the_page_names_the_keys_of_config_and_info(cli: Callable[..., Any]) -> None:
    assert set(cli("config", "--json").data) == {"schema_version", *JSON["config"][0].split(", ")}
    data = cli("info", "greeter", "--json").data
    assert set(data) == {"schema_version", *JSON["info"][0].split(", ")}
    named = keys_in(JSON["list"][1]) | keys_in(JSON["info"][1])
    assert set(data["plugin"]) <= named
    assert set(data["plugin"]["config"]) == {"name", "enabled", "priority", "type", "settings", "file"}
