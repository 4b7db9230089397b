"""Discovery of 10, 100 and 1,000 directory plugins beside reading their manifests with the C YAML loader.

Time and memory per plugin must not grow with the number of plugins. And discovery of ten installed
plugins among 600 distributions beside importlib-metadata, which only reads their metadata.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import importlib_metadata
import yaml
from harness import Row, compare, publish, report, seconds, table

from pluginkit.discovery import discover

COUNTS = (10, 100, 1_000)
BUDGET = 3.0
GROWTH_BUDGET = 1.5

DISTRIBUTIONS = 600
EVERY = 60
# The library is what we read them with; beside it we look for FIFOs, rivals and damage.
DISTRIBUTIONS_BUDGET = 2.0
GROUP = "pluginkit.plugins"

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


def write_distributions(site: Path) -> Path:
    """Write 600 installed distributions of 60 files each; every 60th has a plugin, every third a script."""
    for number in range(DISTRIBUTIONS):
        name = f"dist{number:03}"
        info, package = site / f"{name}-1.{number}.dist-info", site / name
        info.mkdir(parents=True)
        package.mkdir()
        (package / "__init__.py").write_text("", encoding="utf-8")
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{number}\nSummary: One of many\n\n"
        (info / "METADATA").write_text(head + "A long description.\n" * 200, encoding="utf-8")
        files = ["__init__.py", *(f"module{n}.py" for n in range(60))]
        (info / "RECORD").write_text("".join(f"{name}/{file},,\n" for file in files), encoding="utf-8")
        plugin = f"[{GROUP}]\n{name} = {name}:Plugin\n" if number % EVERY == 0 else ""
        if plugin or number % 3 == 0:
            text = f"[console_scripts]\n{name} = {name}:main\n{plugin}"
            (info / "entry_points.txt").write_text(text, encoding="utf-8")
    return site


def search_distributions(site: Path) -> None:
    catalogue = discover(entry_point_group=GROUP, path=[str(site)])
    if len(catalogue.found) != DISTRIBUTIONS // EVERY:
        raise SystemExit("the distributions of the benchmark are not in order")


def read_distributions(site: Path) -> None:
    importlib_metadata.MetadataPathFinder.invalidate_caches()
    for distribution in importlib_metadata.distributions(path=[str(site)]):
        if distribution.entry_points.select(group=GROUP):
            distribution.metadata.get_all("Requires-Dist")


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
        for count, row, peak in zip(COUNTS, rows, peaks, strict=False)
    ]
    return table(("plugins", "time per plugin", "peak memory per plugin", "peak memory"), lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directories = [write_plugins(Path(name), count) for count in COUNTS]
        rows = [row_of(directory, count) for directory, count in zip(directories, COUNTS, strict=True)]
        site = write_distributions(Path(name) / "site")
        rows.append(
            compare(
                f"{DISTRIBUTIONS // EVERY} installed plugins among {DISTRIBUTIONS} distributions",
                ours=lambda: search_distributions(site),
                peer=lambda: read_distributions(site),
                peer_name="importlib-metadata",
                budget=DISTRIBUTIONS_BUDGET,
                rounds=11,
            )
        )
        peaks = [peak_bytes(lambda place=directory: search(place)) for directory in directories]  # type: ignore[misc]  # bound early
    publish("discovery-growth", "Discovery: growth", growth(rows, peaks))
    report("discovery", "Discovery", rows)
    _, some, many = (row.ours / count for row, count in zip(rows, COUNTS, strict=False))
    if many > GROWTH_BUDGET * some:
        raise SystemExit("the time per plugin grows with the number of plugins")


if __name__ == "__main__":
    main()
