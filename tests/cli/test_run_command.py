"""`pluginkit run`: load, show, call, serve; a broken plugin stops nothing, Ctrl-C stops cleanly."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pluginkit.cli import main
from pluginkit.testing import write_plugin

CALLS = """\
calls:
  - {hook: speak, with: {is_loud: true}}
  - {hook: transform, with: {text: hello}}
"""
# The terminal has to be the session's own for Ctrl-C to become a signal.
ON_TERMINAL = """\
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
STOPPING = """\
from pluginkit import hookimpl

class Stopping:
    @hookimpl
    def speak(self, is_loud):
        return "ready"

    def on_stop(self):
        open("stopped", "w").close()
"""


@pytest.fixture
def calls(project: Path) -> None:
    with project.joinpath("config.yaml").open("a", encoding="utf-8") as config:
        config.write(CALLS)


@pytest.mark.usefixtures("sample_project")
def test_cl03_run_without_a_terminal_makes_every_listed_call_and_exits(user: Callable[..., Any]) -> None:
    done = user("run")

    # One of the calls asks filelister for a directory that it is not granted.
    assert done.stderr == (
        "pluginkit: notice: plugin 'filelister' was denied fs.list of /etc: no grant covers this path\n"
    )
    for line in (
        "speak(is_loud=false)",
        "  cat: Meow",
        "  dog: WOOF!",
        'transform(text="hello world")',
        "  uppercase: HELLO WORLD",
        "  greeter: Hello, World!",
        '  notes: {"id": "1", "text": "Feed the cat"}',
    ):
        assert line in done.stdout.splitlines()
    table = done.stdout.split("\n\n")[0].splitlines()
    assert len(table) == 1 + len([path for path in Path("plugins").iterdir() if path.name != "__pycache__"])
    assert all(" running " in line for line in table[1:])


@pytest.mark.usefixtures("calls")
def test_cl05_a_broken_plugin_stops_nothing_and_is_told_on_stderr(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", "import no_such_library\n", type="animal", entrypoint="broken:Broken")
    write_plugin("plugins", "rude", "def speak(is_loud): ...\n", type="animal")
    write_plugin("plugins", "bad", "", type="animol", version="1")

    done = cli("run", "--once")

    assert "  cat: MEOW!" in done.stdout.splitlines()
    assert "plugin 'broken' 1.0.0: its import failed: ModuleNotFoundError" in done.stderr
    assert "at: plugins/broken/broken.py:1" in done.stderr
    assert "to do: install the distribution that has the module 'no_such_library'" in done.stderr
    assert "plugin 'rude' 1.0.0: it does not fulfil its contract:" in done.stderr
    assert "@hookimpl" in done.stderr
    assert "plugin 'bad': it cannot be loaded: " in done.stderr
    assert "plugin.version" in done.stderr
    assert "pluginkit validate plugins/bad" in done.stderr
    assert "no plugin implements 'transform'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("calls")
def test_cl07_debug_shows_the_tracebacks_of_plugins(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", "1 / 0\n", type="animal", entrypoint="broken:Broken")
    body = STOPPING.replace('return "ready"', "raise OSError('x')").replace("open", "print")
    write_plugin("plugins", "rude", body, type="animal", entrypoint="rude:Stopping")
    done = cli("run", "--once", "--debug")
    assert done.stderr.count("Traceback") == 2
    assert "it failed in hook speak: OSError: x" in done.stderr


@pytest.mark.usefixtures("calls")
def test_cl07_strict_exits_3_if_a_plugin_failed(cli: Callable[..., Any]) -> None:
    cli("run", "--once", "--strict")
    write_plugin("plugins", "broken", "1 / 0\n", type="animal", entrypoint="broken:Broken")
    cli("run", "--once")
    cli("run", "--once", "--strict", status=3)


@pytest.mark.usefixtures("project")
def test_cl03_wrong_calls_are_told_all_at_once_before_any_plugin_runs(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "marking", "open('ran', 'w').close()\n", type="animal")
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("calls:\n  - {hook: speek}\n  - {hook: speak, with: {is_lout: true}}\n")

    done = cli("run", "--once", status=2)

    assert "calls[0]: no hook named 'speek'; did you mean 'speak'?" in done.stderr
    assert "calls[1]: hook speak(is_loud: bool) -> str cannot be called so" in done.stderr
    assert not Path("ran").exists()
    assert done.stdout == ""


@pytest.mark.usefixtures("project")
def test_cl03_run_with_nothing_to_run_says_what_to_do(cli: Callable[..., Any]) -> None:
    Path("plugins").rename("elsewhere")
    done = cli("run", "--once")
    assert done.stdout == ""
    assert "pluginkit new NAME --type TYPE" in done.stderr


@pytest.mark.usefixtures("project")
def test_cl03_the_log_level_of_the_configuration_holds(cli: Callable[..., Any]) -> None:
    code = "from pluginkit import hookimpl\n\nclass Log:\n    def on_start(self, ctx):\n        ctx.log.{0}('so it is')\n\n    @hookimpl\n    def speak(self, is_loud): ...\n"
    write_plugin("plugins", "log", code.format("info"), type="animal", entrypoint="log:Log")
    assert "info: so it is" in cli("run", "--once").stderr
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("logging: {log_level: error}\n")
    assert cli("run", "--once").stderr == ""
    write_plugin("plugins", "log", code.format("error"), type="animal", entrypoint="log:Log")
    assert "pluginkit: error: so it is" in cli("run", "--once").stderr


@pytest.mark.usefixtures("project")
def test_cl03_what_a_plugin_notes_for_its_author_is_a_notice(cli: Callable[..., Any]) -> None:
    Path("plugins/lone.py").write_text(
        "__version__ = '1.0.0'\nfrom pluginkit import hookimpl\n\n@hookimpl\ndef speek(is_loud): ...\n",
        "utf-8",
    )
    assert "did you mean 'speak'?" in cli("run", "--once").stderr


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_cl03_serving_ends_cleanly_at_a_signal(
    number: signal.Signals, make_stream: Callable[[str], Any]
) -> None:
    write_plugin("plugins", "stopping", STOPPING, type="animal", entrypoint="stopping:Stopping")
    out, err = make_stream("utf-8"), make_stream("utf-8")
    handlers = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    window = signal.signal(signal.SIGWINCH, lambda *_: None)

    def stop_when_it_serves() -> None:
        if err.wait_for("Serving"):
            os.kill(os.getpid(), signal.SIGWINCH)  # none of those that stop
            os.kill(os.getpid(), number)

    watcher = threading.Thread(target=stop_when_it_serves)
    watcher.start()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as exit_:
        main(["run", "--serve"])
    watcher.join()
    signal.signal(signal.SIGWINCH, window)

    assert exit_.value.code == 0
    assert "Serving 2 plugins; Ctrl-C stops." in err.text
    assert err.text.splitlines()[-1] == "Stopping."
    assert Path("stopped").exists()
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)] == handlers


@pytest.mark.usefixtures("calls")
def test_cl03_a_failure_while_it_serves_is_told_in_one_line(make_stream: Callable[[str], Any]) -> None:
    code = (
        "from pluginkit import hookimpl\n\nclass Nag:\n"
        "    def on_start(self, ctx):\n        ctx.thread(self.nag, ctx)\n\n"
        "    def nag(self, ctx):\n        ctx.hook.transform(text='x')\n        print('nagged')\n\n"
        "    @hookimpl\n    def speak(self, is_loud): ...\n"
    )
    write_plugin("plugins", "nag", code, type="animal", entrypoint="nag:Nag")
    rude = "from pluginkit import hookimpl\n\n@hookimpl\ndef transform(text):\n    raise ValueError('in the background')\n"
    write_plugin("plugins", "rude", rude, type="transformer", entrypoint="rude")
    Path("config.yaml").write_text(Path("config.yaml").read_text("utf-8").partition("calls:")[0], "utf-8")
    out, err = make_stream("utf-8"), make_stream("utf-8")

    def stop_when_it_is_told() -> None:
        if err.wait_for("in the background") and err.wait_for("Serving") and err.wait_for("nagged"):
            os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=stop_when_it_is_told)
    watcher.start()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit):
        main(["run", "--serve"])
    watcher.join()

    assert (
        "pluginkit: error: plugin 'rude' 1.0.0 in hook 'transform': ValueError: in the background" in err.text
    )
    assert "Traceback" not in err.text
    assert "nagged" not in out.text


class Terminal:
    """A terminal with one program on it, seen as its user sees it."""

    def __init__(self, arguments: list[str], env: dict[str, str]) -> None:
        self.master, slave = os.openpty()
        command = [sys.executable, "-c", ON_TERMINAL, *arguments]
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        self.seen = ""

    def wait_for(self, words: str, timeout: float = 60.0) -> None:
        """Read what appears until `words` have; fail if the program ends before."""
        deadline = time.monotonic() + timeout
        while words not in self.seen:
            if not self._read(deadline):
                pytest.fail(f"{words!r} did not appear, but:\n{self.seen}")

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def end(self, timeout: float = 60.0) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        return self.program.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:  # Linux says so when the last program has left the terminal
            data = b""
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def close(self) -> None:
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait(60)
        os.close(self.master)


@pytest.fixture
def on_terminal(child_env: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Start Python with these arguments on a terminal of its own."""
    terminals: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        terminals.append(Terminal(list(arguments), {**child_env, "TERM": "xterm", "COLUMNS": "120"}))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.mark.usefixtures("calls")
def test_cl03_on_a_terminal_it_serves_until_ctrl_c(on_terminal: Callable[..., Terminal]) -> None:
    write_plugin("plugins", "stopping", STOPPING, type="animal", entrypoint="stopping:Stopping")
    terminal = on_terminal("-m", "pluginkit", "run")
    terminal.wait_for("Ctrl-C stops.")
    assert "┏" in terminal.seen
    assert "MEOW!" in terminal.seen
    assert not Path("stopped").exists()

    terminal.press(b"\x03")

    assert terminal.end() == 0
    assert "Stopping." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert Path("stopped").exists()


@pytest.mark.usefixtures("calls")
def test_cl03_a_second_ctrl_c_does_not_wait_for_plugins_that_do_not_stop(
    on_terminal: Callable[..., Terminal],
) -> None:
    body = "import threading\n" + STOPPING.replace(
        'open("stopped", "w").close()',
        "threading.Timer(0.5, print, ['holding on']).start()\n        threading.Event().wait(600)",
    )
    write_plugin("plugins", "stopping", body, type="animal", entrypoint="stopping:Stopping")
    terminal = on_terminal("-m", "pluginkit", "run")
    terminal.wait_for("Ctrl-C stops.")
    terminal.press(b"\x03")
    terminal.wait_for("holding on")
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert "interrupted" in terminal.seen


@pytest.mark.usefixtures("calls")
def test_cl03_once_exits_on_a_terminal_too(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal("-m", "pluginkit", "run", "--once")
    assert terminal.end() == 0
    assert "Ctrl-C" not in terminal.seen


@pytest.mark.usefixtures("calls")
def test_cl07_without_rich_a_terminal_gets_the_plain_table(on_terminal: Callable[..., Terminal]) -> None:
    code = "import sys; sys.modules['rich'] = None; from pluginkit.cli import main; main(['list'])"
    terminal = on_terminal("-c", code)
    assert terminal.end() == 0
    assert "┏" not in terminal.seen
    assert "NAME" in terminal.seen


def test_a_terminal_is_what_pty_says(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal("-c", "import sys; print(sys.stdout.isatty())")
    assert terminal.end() == 0
    assert "True" in terminal.seen
    assert pty.STDOUT_FILENO == 1
