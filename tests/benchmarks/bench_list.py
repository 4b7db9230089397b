"""`pluginkit list` with 30 plugins beside `pip list`, in the same environment: whole processes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness import compare, process, program, report

PLUGINS = 30
MANIFEST = """\
plugin: {{name: {name}, type: execute, format: native, entrypoint: "{name}:run", language: python, version: 1.0.0}}
about: {{description: "One of many", maintainer: "somebody@example.com"}}
"""
CODE = "def run(ctx):\n    return None\n"


def write_plugins(directory: Path, count: int) -> None:
    for number in range(count):
        name = f"plugin{number:04}"
        plugin = directory / name
        plugin.mkdir(parents=True)
        (plugin / "manifest.yaml").write_text(MANIFEST.format(name=name), encoding="utf-8")
        (plugin / f"{name}.py").write_text(CODE, encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_plugins(directory / "plugins", PLUGINS)
        row = compare(
            f"`pluginkit list`, {PLUGINS} plugins",
            ours=process(program("pluginkit"), "list", cwd=directory),
            peer=process(program("pip"), "list", cwd=directory),
            peer_name="`pip list`",
            budget=0.8,
            rounds=21,
            number=1,
        )
    report("list", "Listing", [row])


if __name__ == "__main__":
    main()
