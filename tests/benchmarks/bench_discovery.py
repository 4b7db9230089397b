"""Discovery of 10, 100 and 1,000 directory plugins beside reading their manifests with the C YAML loader.

Time and memory per plugin must not grow with the number of plugins.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import yaml
from harness import Row, compare, publish, report, seconds, table

from pluginkit.discovery import discover

COUNTS = (10, 100, 1_000)
BUDGET = 3.0
GROWTH_BUDGET = 1.5

MANIFEST = """\
plugin:
  name: {name}
  type: animal
  format: native
  entrypoint: "{name}:Plugin"
  language: python
  version: 1.0.0
about:
  description: One of many
  maintainer: somebody@example.com
  url: https://example.com/{name}
requires:
  python: ">=3.11"
"""


def write_plugins(directory: Path, count: int) -> Path:
    """Write `count` plugins of two files each into a directory of their own."""
    for number in range(count):
        name = f"plugin{number:04}"
        plugin = directory / str(count) / name
        plugin.mkdir(parents=True)
        (plugin / "manifest.yaml").write_text(MANIFEST.format(name=name), encoding="utf-8")
        (plugin / f"{name}.py").write_text("class Plugin: pass\n", encoding="utf-8")
    return directory / str(count)


def search(directory: Path) -> None:
    catalogue = discover(plugins_dirs=[directory])
    if catalogue.broken or not catalogue.found:
        raise SystemExit("the plugins of the benchmark are not in order")


def read_only(directory: Path) -> None:
    """What nobody can do without: open each manifest and parse it."""
    for plugin in directory.iterdir():
        with (plugin / "manifest.yaml").open("rb") as file:
            yaml.load(file, Loader=yaml.CSafeLoader)


def peak_bytes(work: Callable[[], object]) -> int:
    """The highest amount of memory that `work` has in use at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def row_of(directory: Path, count: int) -> Row:
    return compare(
        f"{count:,} directory plugins",
        ours=lambda: search(directory),
        peer=lambda: read_only(directory),
        peer_name="CSafeLoader",
        budget=BUDGET,
        rounds=11,
    )


def growth(rows: list[Row], peaks: list[int]) -> str:
    """Time and memory of one plugin among many, and whether they stay what they are among few."""
    lines = [
        (f"{count:,}", seconds(row.ours / count), f"{peak / count / 1024:.1f} KiB", f"{peak / 1024:,.0f} KiB")
        for count, row, peak in zip(COUNTS, rows, peaks, strict=True)
    ]
    return table(("plugins", "time per plugin", "peak memory per plugin", "peak memory"), lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directories = [write_plugins(Path(name), count) for count in COUNTS]
        rows = [row_of(directory, count) for directory, count in zip(directories, COUNTS, strict=True)]
        peaks = [peak_bytes(lambda place=directory: search(place)) for directory in directories]  # type: ignore[misc]  # bound early
    publish("discovery-growth", "Discovery: growth", growth(rows, peaks))
    report("discovery", "Discovery", rows)
    if rows[-1].ours / COUNTS[-1] > GROWTH_BUDGET * rows[1].ours / COUNTS[1]:
        raise SystemExit("the time per plugin grows with the number of plugins")


if __name__ == "__main__":
    main()
