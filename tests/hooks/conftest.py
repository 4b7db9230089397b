"""A hook table with plugins in it, in one line of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pluginkit.hooks import CallFailure, HookTable, Provider


class Zoo:
    """A table, its failures, and its providers by name."""

    def __init__(self, contract: type, plugins: dict[str, Any], **options: Any) -> None:
        self.failures: list[CallFailure] = []
        self.table = HookTable(on_failure=self.failures.append, **options)
        self.table.add_contract(contract, name="zoo")
        self.hook: Any = self.table.hook
        self.providers: dict[str, Provider] = {}
        self.add(**plugins)

    def add(self, **plugins: Any) -> None:
        """Add plugins by name: an object, a class to make one of, or a `Provider`."""
        providers = [self._provider(name, plugin) for name, plugin in plugins.items()]
        self.table.commit(self.table.stage(add=providers))

    def remove(self, *names: str) -> None:
        self.table.commit(self.table.stage(remove=[self.providers.pop(name) for name in names]))

    def failed(self) -> list[str]:
        return [str(failure) for failure in self.failures]

    def _provider(self, name: str, plugin: Any) -> Provider:
        if isinstance(plugin, Provider):
            provider = plugin
        else:
            provider = Provider(name, plugin() if isinstance(plugin, type) else plugin, version="1.0.0")
        self.providers[name] = provider
        return provider


@pytest.fixture
def zoo() -> Callable[..., Zoo]:
    """`zoo(Contract, cat=Cat, dog=Dog, errors="raise")`: options of HookTable, all else plugins."""

    def make(contract: type, *, errors: Any = "record", timing: bool = False, **plugins: Any) -> Zoo:
        return Zoo(contract, plugins, errors=errors, timing=timing)

    return make
