"""kill -9 of a host at any moment leaves nothing that keeps the next start from working (CL02)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit import Host, PluginState
from pluginkit.contracts.samples import Animal
from pluginkit.testing import write_plugin

# Writes its state, opens and closes its socket, loads, reloads and unloads as fast as it can.
BUSY = """
import sys
from pathlib import Path
from pluginkit import Host
from pluginkit.contracts.samples import Animal
plugins, state = Path(sys.argv[1]), sys.argv[2]
number = 0
while True:
    with Host(contracts={"animal": Animal}, plugins_dir=plugins, entry_point_group=None, state_dir=state,
              control="zoo") as host:
        if number == 0:
            print("begun", flush=True)
        for _ in range(5):
            number += 1
            (plugins / "cat" / "words.py").write_text(f"WORD = 'meow {number}'\\n" + "#" * (number % 50))
            host.reload("cat")
            host.disable("dog")
            host.enable("dog")
            host.unload("cat")
            host.load("cat")
            host.pool.submit(int)
"""
CAT = """
from pluginkit import hookimpl
from . import words
class Cat:
    @hookimpl
    def speak(self, is_loud): return words.WORD
"""
DOG = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return 'woof'\n"


@pytest.mark.soak
def test_cl02_kill_9_at_any_moment_leaves_nothing_in_the_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    soak_length: Callable[[int], int],
    child_env: dict[str, str],
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    plugins, state = tmp_path / "plugins", tmp_path / "state"
    write_plugin(plugins, "cat", CAT, type="animal", entrypoint="cat:Cat")
    write_plugin(plugins, "dog", DOG, type="animal")
    moments = random.Random(20261126)
    for _ in range(soak_length(100)):
        (plugins / "cat" / "words.py").write_text("WORD = 'meow'\n")
        with subprocess.Popen(
            [sys.executable, "-c", BUSY, str(plugins), str(state)], stdout=subprocess.PIPE, env=child_env
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            try:
                child.wait(moments.uniform(0.0, 0.3))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
            assert child.wait(60) == -signal.SIGKILL
        with Host(
            contracts={"animal": Animal}, plugins_dir=plugins, entry_point_group=None, state_dir=state,
            control="zoo",
        ) as host:  # fmt: skip
            server = host._control
            assert server is not None
            assert server.path is not None
            # It may have been killed while the dog was off, or its own code half written: never worse.
            host.enable("dog")
            states = {plugin.name: plugin.state for plugin in host.plugins.everything()}
            assert states["dog"] is PluginState.RUNNING
            assert "woof" in host.hook.speak(is_loud=True)
        assert list((tmp_path / "pluginkit").iterdir()) == []
        # What was being written when it was killed never took the file's place.
        assert not [path.name for path in state.iterdir() if "corrupt" in path.name]
