"""A tree of files as a generation, and the promise that nothing of it stays behind."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from pluginkit import snapshot
from pluginkit.loading import Generation

Make = Callable[..., Generation]


def write_tree(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # As linkers and pip do: to write into a mapped extension module would crash the process.
        path.unlink(missing_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
    return directory


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Write files into a directory named like the package and load them as a generation."""
    made: list[Generation] = []
    modules, meta_path = set(sys.modules), list(sys.meta_path)

    def build(
        package: str,
        files: Mapping[str, str | bytes],
        *,
        place: str = "plugins",
        commit: bool = True,
        **options: object,
    ) -> Generation:
        root = write_tree(tmp_path / place / package, files)
        generation = Generation(package, snapshot.take(root), **options)  # type: ignore[arg-type]  # the options of Generation, passed on
        made.append(generation)
        if commit:
            generation.commit()
        return generation

    yield build
    for generation in made:
        generation.close()
    del build
    gc.collect()
    left = {
        name
        for name in set(sys.modules) - modules
        if "#" in name or type(sys.modules[name]).__name__ == "Facade"
    }
    assert not left, f"sys.modules holds {left}"
    assert sys.meta_path == meta_path
