"""The pytest plugin of the kit; pytest finds it through its entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pluginkit.testing.isolated import IsolatedHost


@pytest.fixture
def isolated_host() -> Iterator[Callable[..., IsolatedHost]]:
    """Make hosts that see only what the test gives them; they are closed when the test ends.

    `isolated_host(contracts=…, plugin="path/to/plugin")` takes the arguments of
    `pluginkit.testing.IsolatedHost` and gives a started host.
    """
    # Imported here: projects that never use the fixture must not pay for it.
    from pluginkit.testing.isolated import IsolatedHost

    with ExitStack() as stack:

        def make(**arguments: Any) -> IsolatedHost:
            host = IsolatedHost(**arguments)
            stack.callback(host.close)
            return host.__enter__()

        yield make
