"""CL02, CL04: commands that act on a host which runs in another process, and say so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.contracts.samples import Animal
from pluginkit.testing import write_plugin

Serve = Callable[..., "Serving"]


class Serving:
    """`pluginkit run --serve` in a process of its own, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = self.wait_for("Serving")

    def wait_for(self, words: str) -> str:
        """Read what it says on stderr up to the line with `words`."""
        assert self.process.stderr is not None
        said = ""
        while words not in said:
            line = self.process.stderr.readline().decode()
            assert line, f"{words!r} was not said, but:\n{said}"
            said += line
        return said

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def runtime(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_env: dict[str, str]
) -> Path:
    """Where sockets lie in this test, for this process and its children."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    return tmp_path / "pluginkit"


@pytest.fixture
def serve(runtime: Path, process: Callable[..., subprocess.Popen[bytes]]) -> Serve:
    """Start a host of the current directory's config.yaml, and wait until it serves."""

    def start(*arguments: str) -> Serving:
        return Serving(
            # Not watched: these tests say themselves when something is looked at.
            process(
                *arguments, "run", "--serve", "--no-watch", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        )

    return start


@pytest.fixture
def serving(serve: Serve) -> Serving:
    return serve()


def edit_cat(old: str, new: str) -> None:
    code = Path("plugins/cat/cat.py")
    code.write_text(code.read_text("utf-8").replace(old, new), "utf-8")


def test_cl02_reload_prints_old_and_new_generation_and_the_new_code_serves(
    cli: Callable[..., Any], serving: Serving
) -> None:
    edit_cat("MEOW!", "MIAOW!")
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MEOW!\n"
    done = cli("reload", "cat")
    assert done.stdout.startswith("cat: generation 1 → 2 in ")
    assert (
        f"on the running host 'app' of {Path('config.yaml').resolve()}, pid {serving.process.pid}"
        in done.stderr
    )
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MIAOW!\n"
    assert "unchanged, generation 2 serves on" in cli("reload", "cat").stdout
    assert cli("reload", "cat", "--force").stdout.startswith("cat: generation 2 → 3 in ")


def test_cl02_a_reload_that_fails_names_step_file_and_line_and_exits_1(
    cli: Callable[..., Any], serving: Serving
) -> None:
    edit_cat("class Cat", "1 / 0\nclass Cat")
    done = cli("reload", "cat", status=1)
    assert done.stdout == ""
    assert "cat: reload failed at import: " in done.stderr
    assert "at: plugins/cat/cat.py:3" in done.stderr
    assert "generation 1 serves on" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in cli("reload", "cat", "--debug", status=1).stderr
    assert cli("reload", "cat", "--check", status=1).stdout == ""
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MEOW!\n"


def test_cl02_check_changes_nothing_and_json_has_the_report(
    cli: Callable[..., Any], serving: Serving
) -> None:
    edit_cat("MEOW!", "MIAOW!")
    assert "would load; generation 1 serves on" in cli("reload", "cat", "--check").stdout
    report = cli("reload", "cat", "--json").data
    assert (report["schema_version"], report["ok"]) == (1, True)
    assert (report["old_generation"], report["failure"]) == (1, None)
    edit_cat("class Cat", "1 / 0\nclass Cat")
    report = cli("reload", "cat", "--json", status=1).data
    assert (report["ok"], report["failure"]["step"]) == (False, "import")


def test_cl02_an_unknown_name_exits_2_with_the_nearest(cli: Callable[..., Any], serving: Serving) -> None:
    for command in (["reload"], ["load"], ["unload"], ["info"], ["disable"], ["enable"]):
        assert "did you mean 'cat'?" in cli(*command, "cta", status=2).stderr
    assert "did you mean 'speak'?" in cli("call", "speek", status=2).stderr
    assert "did you mean 'speak'?" in cli("hooks", "speek", status=2).stderr
    cli("unload", "cat")
    assert "not loaded; load it instead" in cli("reload", "cat", status=2).stderr


def test_cl04_load_and_unload_act_on_the_running_host(cli: Callable[..., Any], serving: Serving) -> None:
    assert cli("unload", "cat").stdout == "cat: unloaded, nothing left\n"
    assert cli("call", "speak", "is_loud=1").stdout == ""
    assert cli("load", "cat").stdout == "cat: running, generation 2\n"
    write_plugin("plugins", "dog", "", type="animal", entrypoint="dog")
    write_plugin("plugins", "broken", "1 / 0\n", type="animal")
    done = cli("load", status=3)
    assert "plugin 'broken': import failed" in done.stderr
    assert "plugin 'broken'" in cli("load", "broken", status=3).stderr


def test_cl04_unload_takes_those_that_need_it_only_when_asked(
    cli: Callable[..., Any], runtime: Path, serve: Serve
) -> None:
    write_plugin("plugins", "kitten", "", type="execute", entrypoint="kitten", requires={"plugins": ["cat"]})
    Path("plugins/kitten/kitten.py").write_text(
        "from pluginkit import hookimpl\n@hookimpl\ndef execute(ctx): ...\n", "utf-8"
    )
    serve()
    assert "is needed by 'kitten'" in cli("unload", "cat", status=2).stderr
    assert "cat: unloaded" in cli("unload", "cat", "--cascade").stdout
    states = {row["name"]: row["state"] for row in cli("list", "--json").data["plugins"]}
    assert states == {"cat": "unloaded", "kitten": "unloaded"}


def test_cl04_load_tells_what_is_new(cli: Callable[..., Any], serving: Serving) -> None:
    body = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    return 'Woof'\n"
    write_plugin("plugins", "dog", body, type="animal")
    assert cli("load").stdout.splitlines() == ["1 loaded, 0 failed, 0 skipped", "  dog"]
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MEOW!\ndog: Woof\n"


def test_cl01_list_and_info_say_which_host_they_asked(cli: Callable[..., Any], serving: Serving) -> None:
    done = cli("list", "--json")
    assert (
        f"on the running host 'app' of {Path('config.yaml').resolve()}, pid {serving.process.pid}"
        in done.stderr
    )
    (row,) = done.data["plugins"]
    assert (row["state"], row["generation"]) == ("running", 1)
    assert " running " in cli("list").stdout
    assert "dir:plugins/cat" in cli("list").stdout
    here = cli("list", "--json", "--no-host")
    assert here.stderr == ""
    assert here.data["plugins"][0]["state"] == "discovered"
    assert set(here.data["plugins"][0]) == set(row)
    assert "running" in cli("info", "cat").stdout
    keys = set(cli("info", "cat", "--json").data["plugin"])
    assert keys == set(cli("info", "cat", "--json", "--no-host").data["plugin"])


def test_cl04_hooks_and_calls_are_those_of_the_running_host(
    cli: Callable[..., Any], serving: Serving
) -> None:
    assert "1. cat 1.0.0 (priority 50)  plugins/cat/cat.py:" in cli("hooks", "speak").stdout
    assert "def speak" in cli("hooks", "speak", "--source").stdout
    assert "cat" in cli("hooks").stdout
    data = cli("call", "speak", "is_loud=yes", "--json").data
    assert data["arguments"] == {"is_loud": True}
    assert set(data["results"][0]) == {"plugin", "version", "result", "error", "seconds"}
    assert "is_loud: is missing" in cli("call", "speak", status=2).stderr
    edit_cat('return "MEOW!"', 'raise ValueError("not today")\n        return "MEOW!"')
    cli("reload", "cat")
    done = cli("call", "speak", "is_loud=yes", status=3)
    assert "it failed in hook speak: ValueError: not today" in done.stderr
    assert "at: plugins/cat/cat.py:" in done.stderr


def test_cl04_disable_and_enable_act_at_once_and_for_later(cli: Callable[..., Any], serving: Serving) -> None:
    assert cli("disable", "cat").stdout == "cat: disabled\n"
    assert cli("call", "speak", "is_loud=1").stdout == ""
    assert cli("list", "--json", "--no-host").data["plugins"][0]["state"] == "disabled"
    assert cli("enable", "cat").stdout == "cat: running\n"
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MEOW!\n"


def test_cl04_events_follow_the_host_to_its_end(
    cli: Callable[..., Any], serving: Serving, process: Callable[..., subprocess.Popen[bytes]]
) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    following = process(
        "events", "--json", "--kind", "unloaded", "--kind", "loaded", "--plugin", "CAT", **pipes
    )
    people = process("events", **pipes)
    for one in (following, people):
        assert one.stderr is not None
        while b"Following" not in one.stderr.readline():
            assert one.poll() is None
    cli("unload", "cat")
    cli("load", "cat")
    serving.signal(signal.SIGTERM)
    lines, diagnostics = following.communicate(timeout=60)
    events = [json.loads(line) for line in lines.splitlines()]
    assert [event["kind"] for event in events] == ["unloaded", "loaded", "unloaded"]
    assert set(events[0]) == {"schema_version", "kind", "plugin", "time", "data"}
    assert following.returncode == 0
    assert b"The host has ended." in diagnostics
    assert b"  unloaded      cat  generation=1  is_gone=True\n" in people.communicate(timeout=60)[0]
    assert serving.process.wait(60) == 0


def test_cl04_ctrl_c_is_the_usual_end_of_events(
    serving: Serving, process: Callable[..., subprocess.Popen[bytes]]
) -> None:
    following = process("events", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert following.stderr is not None
    while b"Following" not in following.stderr.readline():
        assert following.poll() is None
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=60)[1] == b""
    assert following.returncode == 0


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    "command", [["reload", "cat"], ["load"], ["load", "cat"], ["unload", "cat"], ["events"]]
)
def test_cl02_without_a_running_host_it_says_so_and_what_to_do(
    cli: Callable[..., Any], command: list[str]
) -> None:
    done = cli(*command, status=1)
    assert done.stdout == ""
    assert "no host runs with " in done.stderr
    assert "config.yaml" in done.stderr
    assert "pluginkit run --serve" in done.stderr


def test_cl02_no_host_means_none_for_reload_too(cli: Callable[..., Any], serving: Serving) -> None:
    assert "--no-host was given" in cli("reload", "cat", "--no-host", status=1).stderr


def test_cl02_two_hosts_of_one_config_are_told_apart_by_name(cli: Callable[..., Any], serve: Serve) -> None:
    red, blue = serve("--host", "red"), serve("--host", "blue")
    assert "say which with --host NAME: 'blue' of" in cli("list", status=2).stderr
    cli("unload", "cat", "--host", "blue")
    states = {
        name: cli("list", "--json", "--host", name).data["plugins"][0]["state"] for name in ("red", "blue")
    }
    assert states == {"red": "running", "blue": "unloaded"}
    assert (
        "no running host named 'bleu'; did you mean 'blue'?" in cli("list", "--host", "bleu", status=2).stderr
    )
    for one in (red, blue):
        one.signal(signal.SIGTERM)
        assert one.process.wait(60) == 0
    assert cli("list").stderr == ""


def test_cl02_hosts_of_two_directories_do_not_meet(cli: Callable[..., Any], serve: Serve) -> None:
    serve()
    write_plugin("elsewhere", "dog", "", type="animal")
    assert cli("list", "--plugins-dir", "elsewhere").stderr == ""
    assert "on the running host" in cli("list", "--plugins-dir", "plugins").stderr
    Path("other.yaml").write_text(Path("config.yaml").read_text("utf-8"), "utf-8")
    assert cli("--config", "other.yaml", "list").stderr == ""


def test_cl02_a_second_host_of_the_same_name_runs_without_a_socket_and_says_so(
    runtime: Path, serving: Serving, process: Callable[..., subprocess.Popen[bytes]], cli: Callable[..., Any]
) -> None:
    second = process("run", "--serve", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert (
        f"another host has the socket already: 'app' of {Path.cwd()}/config.yaml, pid {serving.process.pid}"
        in Serving(second).said
    )
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert cli("reload", "cat", "--force").stdout.startswith("cat: generation 1 → 2")


def test_cl02_kill_9_of_the_host_leaves_nothing_in_the_way(
    cli: Callable[..., Any], serve: Serve, runtime: Path
) -> None:
    killed = serve()
    killed.signal(signal.SIGKILL)
    killed.process.wait(60)
    assert cli("list").stderr == ""
    assert list(runtime.iterdir()) == []
    killed = serve()
    killed.signal(signal.SIGKILL)
    killed.process.wait(60)
    serve()
    assert cli("reload", "cat", "--force").stdout.startswith("cat: generation 1 → 2")


def test_cl02_a_program_of_its_own_is_asked_too(
    cli: Callable[..., Any], runtime: Path, tmp_path: Path
) -> None:
    with Host(
        contracts={"animal": Animal}, plugins_dir="plugins", entry_point_group=None,
        state_dir=tmp_path / "state", control="zoo",
    ):  # fmt: skip
        done = cli("list", "--plugins-dir", "plugins")
        assert f"on the running host 'zoo' of {Path('plugins').resolve()}, pid {os.getpid()}" in done.stderr
        assert cli("list").stderr == ""
    assert list(runtime.iterdir()) == []


def test_cl02_a_runtime_directory_that_is_not_ours_is_told_and_not_used(
    cli: Callable[..., Any], runtime: Path
) -> None:
    runtime.touch()
    done = cli("list")
    assert "cat" in done.stdout
    assert "running hosts are not looked for" in done.stderr


def test_sighup_loads_what_is_new_and_sigterm_closes_in_order(
    cli: Callable[..., Any], serving: Serving, runtime: Path
) -> None:
    body = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud):\n    return 'Woof'\n"
    write_plugin("plugins", "dog", body, type="animal")
    write_plugin("plugins", "broken", "1 / 0\n", type="animal")
    serving.signal(signal.SIGHUP)
    said = serving.wait_for("Looked again; ")
    assert "1 loaded: dog." in said
    assert "plugin 'broken' 1.0.0: its import failed" in said
    assert cli("call", "speak", "is_loud=1").stdout == "cat: MEOW!\ndog: Woof\n"
    serving.signal(signal.SIGHUP)
    assert "0 loaded." in serving.wait_for("Looked again; ")
    serving.signal(signal.SIGTERM)
    assert serving.wait_for("Stopping.")
    assert serving.process.wait(60) == 0
    assert list(runtime.iterdir()) == []


def test_run_once_has_no_socket(cli: Callable[..., Any], runtime: Path) -> None:
    cli("run", "--once")
    assert not runtime.exists()


def test_sighup_of_a_terminal_that_is_gone_stops_the_host(
    runtime: Path, child_env: dict[str, str], cli: Callable[..., Any]
) -> None:
    on_terminal = (
        "import fcntl, os, sys, termios\nos.setsid()\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'pluginkit', 'run', '--serve'])\n"
    )
    terminal, end = os.openpty()
    command = [sys.executable, "-c", on_terminal]
    pipes = {"stdin": end, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=child_env, **pipes) as process:  # type: ignore[call-overload]  # as documented
        os.close(end)
        serving = Serving(process)
        serving.signal(signal.SIGHUP)  # the terminal is there: look again
        serving.wait_for("Looked again; ")
        os.close(terminal)
        serving.wait_for("Stopping.")
        assert process.wait(60) == 0
    assert list(runtime.iterdir()) == []


def test_cl06_lock_and_approve_say_how_the_running_host_takes_it_up(
    project: Path, cli: Callable[..., Any], serving: Serving
) -> None:
    write_plugin(project / "plugins", "dog", "", type="pluggy")
    told = cli("lock").stderr
    assert "the host that runs takes it up with: pluginkit reload cat" in told
    assert "the host that runs takes it up with: pluginkit load dog" in told
