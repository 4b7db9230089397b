"""Which of the plugins that were found the host wants to load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pluginkit.discovery import reasons
from pluginkit.discovery.catalogue import Catalogue
from pluginkit.discovery.values import Broken, Entry, Found
from pluginkit.errors import Reason, UsageError
from pluginkit.manifest import normalise_name


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs over plugin names, and a function that has the last word.

    A plugin is selected if it matches one of `include` (none given: every plugin does), matches
    none of `exclude`, and `filter` returns something true for it. Names and globs are compared
    as plugin names are: `my_*` matches `My-Cat`. `filter` is the host's own code; it is asked
    only about plugins that the globs let through.

    Raises `UsageError` for a single string where several globs belong.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    filter: Callable[[Found], object] | None = None

    def __post_init__(self) -> None:
        for field, globs in (("include", self.include), ("exclude", self.exclude)):
            if isinstance(globs, str):
                raise UsageError(f"{field} takes a list of globs, not one string; write {field}=[{globs!r}]")

    def apply(self, catalogue: Catalogue) -> Catalogue:
        """Return the catalogue with the reasons of those that are left out in `deselected`.

        They stay in `found`, since what is there is shown, chosen or not. A plugin for which the
        filter raises becomes broken.
        """
        entries: list[Entry] = []
        deselected = dict(catalogue.deselected)
        for entry in catalogue:
            reason = self.refusal(entry) if isinstance(entry, Found) else None
            if reason is None:
                entries.append(entry)
            elif reason.code == "filter-failed":
                entries.append(Broken(entry.name, entry.origin, reason))
            else:
                entries.append(entry)
                deselected[entry.name] = reason
        return catalogue.with_entries(entries, deselected)

    def refusal(self, found: Found) -> Reason | None:
        """Why `found` is left out, or None if it is wanted."""
        name = normalise_name(found.name)
        if self.include and _first_match(self.include, name) is None:
            return reasons.not_included(self.include)
        glob = _first_match(self.exclude, name)
        if glob is not None:
            return reasons.excluded(glob)
        if self.filter is None:
            return None
        try:
            wanted = bool(self.filter(found))
        except Exception as error:
            return reasons.filter_failed(error)
        return None if wanted else reasons.filtered()


def _first_match(globs: Sequence[str], name: str) -> str | None:
    return next((glob for glob in globs if fnmatchcase(name, normalise_name(glob))), None)
