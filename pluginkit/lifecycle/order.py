"""In which order plugins are loaded: requirements first, `before` and `after` where possible.

A plugin that requires itself through others cannot be loaded, and each of that circle says so.
`before` and `after` are wishes: one that would close a circle is left out and noted, because
a plugin's wish must not keep others from loading. Ties are broken by name, so that the order is
the same on every machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one plugin says of its place; names that are not there count for nothing."""

    requires: Collection[str] = ()
    before: Collection[str] = ()
    after: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """`names` in loading order, without those in `cycles`; `ignored` holds wishes left out."""

    names: tuple[str, ...]
    cycles: Mapping[str, tuple[str, ...]]
    ignored: tuple[tuple[str, str], ...]


def load_order(plugins: Mapping[str, Wishes]) -> Order:
    """Sort `plugins` so that each comes after what it requires.

    >>> load_order({"a": Wishes(requires=["b"]), "b": Wishes(), "c": Wishes(before=["b"])}).names
    ('c', 'b', 'a')
    >>> load_order({"a": Wishes(requires=["b"]), "b": Wishes(requires=["a"])}).cycles["a"]
    ('a', 'b', 'a')
    """
    needs = {name: {r for r in wishes.requires if r in plugins} for name, wishes in plugins.items()}
    cycles = {name: cycle for name in sorted(needs) if (cycle := _cycle_through(name, needs)) is not None}
    graph = {name: needed - cycles.keys() for name, needed in needs.items() if name not in cycles}
    ignored = []
    for name, wish, earlier, later in _soft_edges(plugins):
        if earlier not in graph or later not in graph or earlier in graph[later]:
            continue
        if earlier == later or _reaches(earlier, later, graph):
            ignored.append((name, wish))
        else:
            graph[later].add(earlier)
    return Order(tuple(_sorted(graph)), cycles, tuple(ignored))


def _soft_edges(plugins: Mapping[str, Wishes]) -> Iterable[tuple[str, str, str, str]]:
    for name in sorted(plugins):
        for other in sorted(plugins[name].before):
            yield name, f"before: {other}", name, other
        for other in sorted(plugins[name].after):
            yield name, f"after: {other}", other, name


def _cycle_through(start: str, graph: Mapping[str, set[str]]) -> tuple[str, ...] | None:
    """The shortest way from `start` back to itself, smallest names first."""
    came_from: dict[str, str] = {}
    level = [start]
    while level:
        following = []
        for name in level:
            for needed in sorted(graph.get(name, ())):
                if needed == start:
                    return _path(start, name, came_from)
                if needed not in came_from:
                    came_from[needed] = name
                    following.append(needed)
        level = following
    return None


def _path(start: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [start]
    name = last
    while name != start:
        way.append(name)
        name = came_from[name]
    way.append(start)
    return tuple(reversed(way))


def _reaches(start: str, goal: str, graph: Mapping[str, set[str]]) -> bool:
    pending, seen = [start], {start}
    while pending:
        for needed in graph.get(pending.pop(), ()):
            if needed == goal:
                return True
            if needed not in seen:
                seen.add(needed)
                pending.append(needed)
    return False


def _sorted(graph: Mapping[str, set[str]]) -> Iterable[str]:
    missing = {name: len(needed) for name, needed in graph.items()}
    waiting: dict[str, list[str]] = {}
    for name, needed in graph.items():
        for other in needed:
            waiting.setdefault(other, []).append(name)
    ready = [name for name, count in missing.items() if count == 0]
    heapq.heapify(ready)
    while ready:
        name = heapq.heappop(ready)
        yield name
        for later in waiting.get(name, ()):
            missing[later] -= 1
            if missing[later] == 0:
                heapq.heappush(ready, later)
