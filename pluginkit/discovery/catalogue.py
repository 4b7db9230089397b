"""The catalogue: what there is at one moment, for many readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pluginkit.discovery.values import Broken, Conflict, Entry, Found
from pluginkit.errors import Problem, Reason, UnknownName
from pluginkit.manifest import normalise_name


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A snapshot of all plugins that were found. It never changes; any thread may read it.

    `found` and `broken` map each plugin's name as its author wrote it, and share no name.
    `deselected` says of some of `found` why the host's selection leaves them out. `conflicts`
    are those that lost their name to another. `problems` and `notices` are about the places
    that were searched.

    >>> Catalogue.of([]).get("cat")
    Traceback (most recent call last):
    ...
    pluginkit.errors.UnknownName: no plugin named 'cat'; there is none
    """

    found: Mapping[str, Found]
    broken: Mapping[str, Broken]
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
    deselected: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))
    _entries: Mapping[str, Entry] = field(repr=False, compare=False, kw_only=True)

    @classmethod
    def of(
        cls,
        entries: Iterable[Entry],
        *,
        conflicts: Iterable[Conflict] = (),
        problems: Iterable[Problem] = (),
        notices: Iterable[str] = (),
        deselected: Mapping[str, Reason] | None = None,
    ) -> Catalogue:
        """Build a catalogue from entries of which no two share a normalised name."""
        ordered = sorted(entries, key=lambda entry: entry.name)
        return cls(
            found=MappingProxyType({entry.name: entry for entry in ordered if isinstance(entry, Found)}),
            broken=MappingProxyType({entry.name: entry for entry in ordered if isinstance(entry, Broken)}),
            conflicts=tuple(sorted(conflicts, key=lambda conflict: conflict.name)),
            problems=tuple(problems),
            notices=tuple(notices),
            deselected=MappingProxyType(dict(deselected or {})),
            _entries=MappingProxyType({normalise_name(entry.name): entry for entry in ordered}),
        )

    def with_entries(self, entries: Iterable[Entry], deselected: Mapping[str, Reason]) -> Catalogue:
        """Return a catalogue of the same search with other entries and another selection."""
        return Catalogue.of(
            entries,
            conflicts=self.conflicts,
            problems=self.problems,
            notices=self.notices,
            deselected=deselected,
        )

    def get(self, name: str) -> Entry:
        """Return the plugin of that name, usable or broken; `-`, `_`, `.` and case are alike.

        Raises `UnknownName`, with the nearest known name, if there is none.
        """
        entry = self._entries.get(normalise_name(name))
        if entry is None:
            raise UnknownName("plugin", name, (known.name for known in self))
        return entry

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalise_name(name) in self._entries

    def __iter__(self) -> Iterator[Entry]:
        """All plugins that hold their name, usable and broken, in order of name."""
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)
