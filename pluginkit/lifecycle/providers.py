"""Who provides a type: the host's own objects first, then plugins, in the order of hook calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.errors import DuplicateName, Reason, UnknownName
from pluginkit.hooks import Provider

if TYPE_CHECKING:
    from pluginkit.contracts import Contract
    from pluginkit.lifecycle.plugin import Plugin


@dataclass(frozen=True, slots=True)
class Registered:
    """An object that the host registered itself; it is what `host.get(name)` gives back."""

    name: str
    type: str | None
    object: Any
    provider: Provider
    version: str | None = None
    author: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Provision:
    """One provider of a type: an object of the host's, or a plugin with its instance."""

    name: str
    object: Any
    plugin: Plugin | None


class Providers:
    """The host's own objects by name, and the look-up by type over them and the plugins."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._contracts = contracts
        self._objects: dict[str, Registered] = {}
        self._lock = threading.Lock()

    def add(self, registered: Registered) -> None:
        with self._lock:
            self._objects = {**self._objects, registered.name: registered}

    def remove(self, name: str) -> Registered:
        with self._lock:
            registered = self.get(name)
            self._objects = {key: value for key, value in self._objects.items() if key != name}
            return registered

    def get(self, name: str) -> Registered:
        try:
            return self._objects[name]
        except KeyError:
            raise UnknownName("registered object", name, self._objects) from None

    def __contains__(self, name: str) -> bool:
        return name in self._objects

    def objects(self) -> tuple[Registered, ...]:
        """The registered objects, in order of registration."""
        return tuple(self._objects.values())

    def of_type(self, type_name: str, plugins: Iterable[Plugin]) -> tuple[Provision, ...]:
        """All live providers of `type_name`: the host's first, then plugins by priority and name."""
        own = [Provision(r.name, r.object, None) for r in self._objects.values() if r.type == type_name]
        live = [plugin for plugin in plugins if plugin.type == type_name and plugin.state.is_live]
        live.sort(key=lambda plugin: (-plugin.priority, plugin.name))
        return (*own, *(Provision(plugin.name, plugin.instance, plugin) for plugin in live))

    def check_exclusive(
        self, type_name: str | None, newcomer: str, plugins: Iterable[Plugin]
    ) -> Reason | None:
        """Why `newcomer` may not provide `type_name`, if the contract allows one provider only."""
        contract = self._contracts.get(type_name or "")
        if contract is None or contract.exclusive is not True:
            return None
        for provision in self.of_type(contract.type, plugins):
            if provision.name != newcomer:
                origin = "the host itself" if provision.plugin is None else str(provision.plugin.origin)
                text = (
                    f"the type {contract.type!r} takes one provider, and {provision.name!r} ({origin}) is it; "
                    "disable one of the two, or let the contract say exclusive = 'first'"
                )
                return Reason("exclusive-type", text)
        return None

    def require_known_type(self, type_name: str | None) -> None:
        if type_name is not None and type_name not in self._contracts:
            raise UnknownName("contract type", type_name, self._contracts)

    def require_free_name(self, name: str, plugins: Mapping[str, Plugin]) -> None:
        if name in self._objects:
            raise DuplicateName(f"an object named {name!r} is registered already")
        if name in plugins and plugins[name].state.is_live:
            raise DuplicateName(f"a plugin named {name!r} is loaded already ({plugins[name].origin})")
