"""From a saved file to the new code serving, and what watching costs while nothing happens.

The peer of a save is what cannot be avoided: the quiet time, and the same reload asked for by hand. The
peer of idling is the same process with the same plugins and no watcher.
"""

from __future__ import annotations

import logging
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from harness import publish, seconds, table

from pluginkit import Host, hookspec

ROUNDS = 25
QUIET = 0.1
IDLE_SECONDS = 10.0
CODE = "from pluginkit import hookimpl\n\nclass Told:\n    @hookimpl\n    def tell(self):\n        return {says!r}\n"
MANIFEST = 'plugin: {{name: {name}, type: teller, format: native, entrypoint: "{name}:Told", language: python, version: 1.0.0}}\n'


class Teller:
    """What the version of the code says."""

    @hookspec
    def tell(self) -> str:
        """What this version says."""
        raise NotImplementedError


def write_plugins(directory: Path, count: int, files: int) -> None:
    for number in range(count):
        plugin = directory / f"p{number}"
        plugin.mkdir(parents=True)
        (plugin / "manifest.yaml").write_text(MANIFEST.format(name=plugin.name), "utf-8")
        (plugin / f"{plugin.name}.py").write_text(CODE.format(says=""), "utf-8")
        for more in range(files - 2):
            (plugin / f"module{more}.py").write_text(f"VALUE = {more}\n", "utf-8")


@contextmanager
def running(directory: Path, *, watch: bool) -> Iterator[Host]:
    with Host(
        contracts={"teller": Teller}, plugins_dir=directory, entry_point_group=None, watch=watch
    ) as host:
        health = host.watching()
        while health is not None and health.looks == 0:
            time.sleep(0.01)
            health = host.watching()
        yield host


def save_to_serving(directory: Path) -> list[float]:
    """Seconds from the end of the write until a call is answered by the new code."""
    code, samples = directory / "p0" / "p0.py", []
    with running(directory, watch=True) as host:
        for number in range(ROUNDS):
            time.sleep(0.2)
            code.write_text(CODE.format(says=f"version {number}"), "utf-8")
            begun = time.perf_counter()
            while host.plugins["p0"].call("tell") != f"version {number}":
                time.sleep(0.0002)
            samples.append(time.perf_counter() - begun)
    return samples


def by_hand(directory: Path) -> list[float]:
    """Seconds of the reload alone."""
    code, samples = directory / "p0" / "p0.py", []
    with running(directory, watch=False) as host:
        for number in range(ROUNDS):
            code.write_text(CODE.format(says=f"edit {number}"), "utf-8")
            begun = time.perf_counter()
            assert host.reload("p0").ok
            samples.append(time.perf_counter() - begun)
    return samples


def idle(directory: Path, *, watch: bool) -> float:
    """The part of one core that the process uses while nothing happens."""
    with running(directory, watch=watch):
        before = resource.getrusage(resource.RUSAGE_SELF)
        begun = time.perf_counter()
        time.sleep(IDLE_SECONDS)
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
        return used / (time.perf_counter() - begun)


def main() -> None:
    logging.getLogger("pluginkit").setLevel(logging.CRITICAL)
    saves, idles = [], []
    for count, files in ((1, 2), (10, 100), (100, 100)):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name) / "plugins"
            write_plugins(directory, count, files)
            watched, alone = median(save_to_serving(directory)), median(by_hand(directory))
            above = watched - QUIET - alone
            saves.append(
                (
                    f"{count} of {files} files",
                    seconds(watched),
                    seconds(alone),
                    seconds(max(0.0, above)),
                    "≤ 50 ms",
                )
            )
            shares = [f"{100 * idle(directory, watch=watch):.2f} %" for watch in (True, False)]
            idles.append((f"{count} of {files} files", *shares, "< 1 %"))
    publish(
        "watch",
        "Watching",
        "From the end of a write to an answer of the new code (medians), with a quiet time of 100 ms:\n\n"
        + table(
            (
                "plugins",
                "save to serving",
                "the reload by hand",
                "above quiet time and reload",
                "budget",
            ),
            saves,
        )
        + "\n\nCPU of one core while nothing happens:\n\n"
        + table(("plugins", "watching", "not watching", "budget"), idles),
    )


if __name__ == "__main__":
    main()
