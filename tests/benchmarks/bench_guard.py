"""What the guard costs where it is on, beside a process without it; and what a file by `ctx.fs` costs.

An audit hook cannot be taken out again, so each mode is measured in processes of its own, in turn.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from harness import measure, publish, seconds, table

from pluginkit import Host, hookspec
from pluginkit.config import Config

ROUNDS = 5
MANIFEST = """
plugin: {name: opener, type: opener, format: native, entrypoint: "opener:Opener", language: python, version: 1.0.0}
capabilities: {filesystem: [{path: "${data}/", permissions: [read, write, create], recursive: true}]}
"""
CODE = """
from pluginkit import hookimpl

class Opener:
    def __init__(self, ctx):
        self.ctx = ctx
        ctx.fs.write_text("a.txt", "a")
        self.path = str(ctx.data_dir / "a.txt")

    @hookimpl
    def nothing(self):
        return 1

    @hookimpl
    def plain(self):
        with open(self.path) as file:
            return file.read()

    @hookimpl
    def service(self):
        return self.ctx.fs.read_text(self.path)
"""


class Opener:
    """What is measured."""

    @hookspec
    def nothing(self) -> int:
        """Nothing."""
        raise NotImplementedError

    @hookspec
    def plain(self) -> str:
        """Read a file with `open`."""
        raise NotImplementedError

    @hookspec
    def service(self) -> str:
        """Read a file with `ctx.fs`."""
        raise NotImplementedError


def deep(depth: int, function: Callable[[], object]) -> object:
    return function() if depth == 0 else deep(depth - 1, function)


def child(mode: str, directory: Path) -> None:
    """Measure in this process, and print the medians."""
    overrides = {
        "capabilities.guard": mode,
        "capabilities.allow": "requested",
        "directories.state_dir": str(directory / "state"),
        "plugins.entry_points": False,
    }
    config = Config.load(None, environ={}, overrides=overrides)
    file = directory / "host.txt"
    file.write_text("a", "utf-8")

    def opened() -> None:
        os.close(os.open(file, os.O_RDONLY))

    with Host(config, contracts={"opener": Opener}, plugins_dir=directory / "plugins") as host:
        subjects: dict[str, Callable[[], object]] = {
            "a hook call": host.hook.nothing,
            "the host opens and closes a file": opened,
            "the same, 50 frames deep": lambda: deep(50, opened),
            "the host's own sys._getframe()": sys._getframe,
            "the plugin reads its file with open": host.hook.plain,
            "the plugin reads its file with ctx.fs": host.hook.service,
        }
        print(json.dumps({what: median(times) for what, times in measure(subjects, rounds=7).items()}))


def main() -> None:
    logging.getLogger("pluginkit").setLevel(logging.CRITICAL)
    if len(sys.argv) > 1:
        child(sys.argv[1], Path(sys.argv[2]))
        return
    modes = ("off", "observe", "block")
    samples: dict[str, list[dict[str, float]]] = {mode: [] for mode in modes}
    with tempfile.TemporaryDirectory() as name:
        plugin = Path(name, "plugins", "opener")
        plugin.mkdir(parents=True)
        plugin.joinpath("manifest.yaml").write_text(MANIFEST, "utf-8")
        plugin.joinpath("opener.py").write_text(CODE, "utf-8")
        for number in range(ROUNDS):
            for mode in modes if number % 2 else reversed(modes):
                command = [sys.executable, __file__, mode, name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                samples[mode].append(json.loads(done.stdout))
    rows = []
    for what in samples["off"][0]:
        times = {mode: median(sample[what] for sample in samples[mode]) for mode in modes}
        ratios = [f"{times[mode] / times['off']:.2f}" for mode in modes[1:]]
        rows.append((what, *(seconds(times[mode]) for mode in modes), *ratios))
    publish(
        "guard",
        "The guard",
        "Medians; the last two columns are ratios to a process without a guard. There is no budget: who wants "
        "no cost leaves it off, and then nothing is installed.\n\n"
        + table(("what", "off", "observe", "block", "observe / off", "block / off"), rows),
    )


if __name__ == "__main__":
    main()
