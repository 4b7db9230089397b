"""Which grant decides about a path, and what it allows there.

Everything here is about texts; what a path really leads to is the kernel's to say, and the service
asks it with the answer of this module. The two fit together because of one rule, which must stay true:

    A symbolic link may be followed only where it cannot change the answer: below a recursive grant
    under which nothing narrower lies, no other grant, no denial, no protected place. Everywhere
    else the kernel is told to follow none, and then the text of the path is the path.

Each layer (the manifest's wish, the host's policy, the approval) has grants of its own. In a layer
the longest grant that reaches the path decides alone: permissions of nested grants are not added up.
All layers must agree; a denial of the host, and a protected place, beat all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import NoReturn

from pluginkit.manifest.grants import Permission
from pluginkit.security.refusal import Refusal

EVERYTHING_BELOW = 1 << 30

Parts = tuple[str, ...]
Advise = Callable[[int, str, Iterable[str], bool], str]
"""What to write where for a path: the number of the layer, the path, permissions, whether it is to be listed."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """One filesystem grant, expanded: `reach` is how many levels below `parts` it goes."""

    parts: Parts
    permissions: frozenset[Permission]
    reach: int
    follow: bool
    text: str

    @property
    def path(self) -> str:
        return "/" + "/".join(self.parts)

    def covers(self, parts: Parts) -> bool:
        depth = len(self.parts)
        return 0 <= len(parts) - depth <= self.reach and parts[:depth] == self.parts


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be opened, and how: `rest` beneath `root`, which is the place of a rule."""

    root: str
    rest: Parts
    follow: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Protected:
    """A place that no grant can give: `writes_only` if it may be read all the same."""

    parts: Parts
    what: str
    writes_only: bool = False


def parts_of(path: str) -> Parts:
    """The components of an absolute path, `..` and `.` taken off by text.

    >>> parts_of("/data/../database//x/.")
    ('database', 'x')
    """
    return tuple(part for part in os.path.normpath(path).split("/") if part)


class Paths:
    """The filesystem rules of one plugin.

    `layers` must all allow, `denied` none may match, `protected` is what only the host touches, but
    for the directories `own`, which the host keeps for the plugin itself.
    """

    def __init__(
        self,
        layers: Iterable[tuple[PathRule, ...]],
        denied: tuple[PathRule, ...] = (),
        protected: tuple[Protected, ...] = (),
        own: tuple[Parts, ...] = (),
        advise: Advise = lambda _layer, _path, _permissions, _entries: "",
    ) -> None:
        self.layers = tuple(layers)
        self.denied = denied
        self.protected = protected
        self.own = own
        self._advise = advise

    def roots(self) -> list[PathRule]:
        """The rules whose places have to be held open: in each the answer may begin."""
        found = {rule.parts: rule for layer in reversed(self.layers) for rule in layer}
        return [rule for rule in found.values() if all(self._reaching(layer, rule) for layer in self.layers)]

    @staticmethod
    def _reaching(layer: tuple[PathRule, ...], rule: PathRule) -> bool:
        return any(other.covers(rule.parts) for other in layer)

    def permit(
        self, path: str, *permissions: Permission, entries: bool = False, any_of: bool = False
    ) -> Permit:
        """What to open for `path`; raises `Refusal`.

        All of `permissions` are needed, or one if `any_of`. `entries`: what is asked for is what lies
        directly in the directory `path`, which must be covered as well.
        """
        parts = parts_of(path)
        best = [self._best(layer, parts, entries=entries) for layer in self.layers]
        deepest: PathRule | None = None
        for index, rule in enumerate(best):
            if rule is None:
                self._no_grant(path, index, permissions, entries=entries)
            if not _allows(rule, permissions, any_of=any_of):
                missing = (
                    " or ".join(permissions)
                    if any_of
                    else ", ".join(sorted({*permissions} - rule.permissions))
                )
                raise Refusal(
                    "no-permission",
                    f"the grant that decides here lacks {missing}",
                    rule=rule.text,
                    advice=self._advise(index, path, permissions, entries),
                )
            if deepest is None or len(rule.parts) > len(deepest.parts):
                deepest = rule
        if deepest is None:
            self._no_grant(path, 0, permissions, entries=entries)
        self._require_not_denied(parts, permissions)
        self._require_unprotected(parts, permissions)
        follow = all(
            rule is not None and rule.follow and rule.reach == EVERYTHING_BELOW for rule in best
        ) and not self.is_divided(deepest.parts)
        return Permit(deepest.path, parts[len(deepest.parts) :], follow, deepest.text)

    def is_divided(self, parts: Parts) -> bool:
        """Whether a rule, a denial or a protected place lies strictly below a place."""
        depth = len(parts)
        places = [
            *(rule.parts for layer in self.layers for rule in layer),
            *(rule.parts for rule in self.denied),
            *(place.parts for place in self.protected),
        ]
        return any(len(other) > depth and other[:depth] == parts for other in places)

    def is_entangled(self, parts: Parts) -> bool:
        """Whether rules have something else to say about a place than the grant that leads there by a link."""
        within = any(rule.covers(parts) for rule in self.denied) or any(
            parts[: len(place.parts)] == place.parts for place in self.protected
        )
        return within or self.is_divided(parts)

    def permissions_at(self, path: str) -> frozenset[str]:
        """What is allowed at a path, as far as the rules say: for display, and to judge programs' places."""
        allowed = set()
        for permission in ("read", "write", "list", "create", "delete"):
            try:
                self.permit(path, permission)
            except Refusal:
                continue
            allowed.add(permission)
        return frozenset(allowed)

    def _best(self, layer: tuple[PathRule, ...], parts: Parts, *, entries: bool) -> PathRule | None:
        probe = (*parts, "*") if entries else parts
        reaching = [rule for rule in layer if rule.covers(parts) and rule.covers(probe)]
        return max(reaching, key=lambda rule: len(rule.parts), default=None)

    def _no_grant(
        self, path: str, layer: int, permissions: tuple[Permission, ...], *, entries: bool
    ) -> NoReturn:
        near = _nearest(self.layers[layer] if self.layers else (), parts_of(path))
        raise Refusal(
            "no-grant",
            "no grant covers this path",
            rule=near.text if near is not None else None,
            advice=self._advise(layer, path, permissions, entries),
        )

    def _require_not_denied(self, parts: Parts, permissions: tuple[Permission, ...]) -> None:
        for rule in self.denied:
            if rule.covers(parts) and rule.permissions.intersection(permissions):
                raise Refusal("denied-by-host", "the host's policy denies it", rule=f"deny {rule.text}")

    def _require_unprotected(self, parts: Parts, permissions: tuple[Permission, ...]) -> None:
        if any(parts[: len(own)] == own for own in self.own):
            return
        writes = bool({"write", "create", "delete"}.intersection(permissions))
        for place in self.protected:
            if parts[: len(place.parts)] == place.parts and (writes or not place.writes_only):
                raise Refusal("never-grantable", f"{place.what} is never a plugin's", rule=None)


def _allows(rule: PathRule, permissions: tuple[Permission, ...], *, any_of: bool) -> bool:
    wanted = frozenset(permissions)
    return bool(rule.permissions & wanted) if any_of else wanted <= rule.permissions


def _nearest(layer: tuple[PathRule, ...], parts: Parts) -> PathRule | None:
    """The rule that shares the most components with the path, if it shares any."""

    def shared(rule: PathRule) -> int:
        same = (one == other for one, other in zip(rule.parts, parts, strict=False))
        return sum(takewhile(bool, same))

    near = max(layer, key=shared, default=None)
    return near if near is not None and shared(near) else None
