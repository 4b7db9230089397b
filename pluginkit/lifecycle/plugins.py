"""The host's plugins as a read-only mapping that any thread may use while others change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView

from pluginkit.errors import UnknownName
from pluginkit.lifecycle.plugin import Plugin
from pluginkit.manifest import normalise_name


class Plugins(Mapping[str, Plugin]):
    """Name → `Plugin`, in order of name; `-`, `_`, `.` and case of a name are alike.

    An unknown name raises `UnknownName` (a `LookupError`) with the nearest known one.
    `conflicts` are the plugins that lost their name to another of this mapping.
    """

    def __init__(self) -> None:
        self._table: dict[str, Plugin] = {}
        self._conflicts: tuple[Plugin, ...] = ()

    def __getitem__(self, name: str) -> Plugin:
        plugin = self._table.get(normalise_name(name))
        if plugin is None:
            raise UnknownName("plugin", name, self)
        return plugin

    def get(self, name: str, default: Plugin | None = None) -> Plugin | None:  # type: ignore[override]  # names are normalised, so only text is looked up
        return self._table.get(normalise_name(name), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalise_name(name) in self._table

    def __iter__(self) -> Iterator[str]:
        return iter([plugin.name for plugin in self._table.values()])

    def __len__(self) -> int:
        return len(self._table)

    def values(self) -> ValuesView[Plugin]:
        """All plugins, in order of name."""
        # Mapping's own would look each name up again, normalised anew.
        return self._table.values()

    def __repr__(self) -> str:
        return f"<Plugins {', '.join(f'{p.name} {p.state}' for p in self._table.values())}>"

    @property
    def conflicts(self) -> tuple[Plugin, ...]:
        return self._conflicts

    def everything(self) -> tuple[Plugin, ...]:
        """All rows of `list`: the plugins and those that lost their name, in order of name."""
        return tuple(sorted((*self._table.values(), *self._conflicts), key=lambda p: (p.name, str(p.origin))))

    def _replace(self, plugins: Mapping[str, Plugin], conflicts: tuple[Plugin, ...]) -> None:
        # One assignment each: a reader has the old table or the new, never half of one.
        table = {normalise_name(name): plugins[name] for name in sorted(plugins)}
        self._table = table
        self._conflicts = conflicts
