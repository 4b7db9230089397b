"""Chains that are closed whatever happens, and loguru as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs import LogChain
from pluginkit.logs.reading import last


@pytest.fixture
def chain() -> Iterator[LogChain]:
    """A chain with no sink, which keeps debug and above; loguru has no handler but its own."""
    from loguru import logger

    logger.remove()
    made = LogChain("zoo", "debug")
    yield made
    made.close()
    logger.remove()


@pytest.fixture
def records() -> Callable[[Path], list[dict[str, Any]]]:
    return lambda path: [dict(record) for record in last(path)]
