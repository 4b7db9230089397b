"""The host's own objects beside its plugins: registered, held to contracts, looked up by type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluginkit.errors import DuplicateName, UnknownName
from pluginkit.hooks import Provider
from pluginkit.lifecycle.bringup import contract_error
from pluginkit.lifecycle.providers import Provision, Registered

if TYPE_CHECKING:
    from pluginkit.lifecycle.manager import Lifecycle


class OwnObjects:
    """Puts objects of the host's own into the hooks and the look-up, and takes them out again."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._providers = lifecycle.providers
        self._workshop = lifecycle.workshop

    def register(self, name: str, target: Any, *, type_name: str | None, **about: Any) -> Registered:
        """Check all that speaks against it, then commit; see `Host.register`."""
        plugins = self._lifecycle.plugins
        with self._lifecycle.operation():
            self._providers.require_known_type(type_name)
            self._providers.require_free_name(name, plugins)
            taken = self._providers.check_exclusive(type_name, name, plugins.values())
            if taken is not None:
                raise DuplicateName(f"{name!r} cannot be registered: {taken}")
            hooks = self._workshop.table.implementations(target)
            breaches = self._workshop.breaches(type_name, name, target, hooks)
            if breaches:
                raise contract_error(name, str(type_name), breaches)
            provider = Provider(name, target, version=about["version"], host=True, lenient=type_name is None)
            staged = self._workshop.table.stage(add=[provider])
            registered = Registered(name, type_name, target, provider, **about)
            self._providers.add(registered)
            self._workshop.table.commit(staged)
            self._lifecycle.announce("registered", name)
        return registered

    def unregister(self, name: str) -> Any:
        """Take an object out and give it back."""
        with self._lifecycle.operation():
            registered = self._providers.get(name)
            staged = self._workshop.table.stage(remove=[registered.provider])
            self._providers.remove(name)
            self._workshop.table.commit(staged)
            self._lifecycle.announce("unregistered", name)
        return registered.object

    def get(self, name: str) -> Any:
        """The object registered, or the instance of the plugin loaded, under `name`."""
        if name in self._providers:
            return self._providers.get(name).object
        plugin = self._lifecycle.plugins.get(name)
        if plugin is None or plugin.instance is None:
            names = [*(r.name for r in self._providers.objects()), *self._lifecycle.plugins]
            raise UnknownName("registered object or loaded plugin", name, names)
        return plugin.instance

    def of_type(self, type_name: str) -> tuple[Provision, ...]:
        """All providers of a type, in the order of hook calls."""
        self._providers.require_known_type(type_name)
        return self._providers.of_type(type_name, self._lifecycle.plugins.values())

    def first_of_type(self, type_name: str) -> Any:
        """The first provider's object; raises `UnknownName` if nothing provides the type."""
        provisions = self.of_type(type_name)
        if not provisions:
            live = {p.type for p in self._lifecycle.plugins.values() if p.type and p.state.is_live}
            raise UnknownName("provided type", type_name, live)
        return provisions[0].object
