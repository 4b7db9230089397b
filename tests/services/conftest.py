"""A context as a plugin gets it, closed at the end of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluginkit.config import Settings
from pluginkit.services import HostFunctions, PluginContext

MakeContext = Callable[..., PluginContext]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[MakeContext]:
    made: list[PluginContext] = []

    def make(name: str = "cat") -> PluginContext:
        made.append(
            PluginContext(
                name=name,
                version="1.0.0",
                generation=1,
                settings=Settings({}),
                hook=None,
                functions=HostFunctions({}),
                data_dir=tmp_path / "data",
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close(timeout=5.0)
