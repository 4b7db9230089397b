"""Who may keep a name when several claim it.

The entries come in order of precedence, and the first keeps the name, whether it is usable or
not: which code runs must not depend on somebody's mistake in a manifest. Two plugins also
collide when their packages have one name, since both would be `import cat` to everybody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from pluginkit.discovery import reasons
from pluginkit.discovery.values import Broken, Conflict, Entry, Found
from pluginkit.manifest import normalise_name


def settle(entries: Iterable[Entry]) -> tuple[list[Entry], list[Conflict]]:
    """Part the entries, in order of precedence, into those that keep their name and the rest."""
    names: dict[str, Entry] = {}
    packages: dict[str, Found] = {}
    conflicts: list[Conflict] = []
    for entry in entries:
        name = normalise_name(entry.name)
        if name in names:
            conflicts.append(_conflict(f"the name {names[name].name!r}", names[name], entry))
            continue
        rival = packages.get(entry.package) if isinstance(entry, Found) else None
        if isinstance(entry, Found) and rival is not None and rival.root != entry.root:
            conflicts.append(_conflict(f"the package name {entry.package!r}", rival, entry))
            continue
        names[name] = entry
        if isinstance(entry, Found):
            packages.setdefault(entry.package, entry)
    return list(names.values()), conflicts


def _conflict(what: str, winner: Entry, loser: Entry) -> Conflict:
    broken = f" (which is itself broken: {winner.reason})" if isinstance(winner, Broken) else ""
    reason = reasons.conflict(what, f"{winner.origin}{broken}", loser.origin)
    return Conflict(loser.name, winner.origin, loser, reason)
