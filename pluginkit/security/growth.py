"""How two sets of wishes compare: what one asks for beyond the other.

A version that asks for more than was approved is held; one that asks for less is not. Whether a rule
lies within others is answered on the safe side: what is not plainly covered is more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

from pluginkit.manifest import Capabilities
from pluginkit.manifest.grants import Argument, EgressRule, ExecRule, FilesystemGrant, IngressRule, PortRange
from pluginkit.security import texts
from pluginkit.security.hosts import network_of, pattern_matches

Coverage = Literal["whole", "part", "none"]

_EVERYTHING = 1 << 30


def exceeding(requested: Capabilities, within: Capabilities) -> tuple[str, ...]:
    """The wishes that go beyond `within`, each as a text; empty if there are none.

    >>> old = Capabilities(env=("LANG",))
    >>> exceeding(Capabilities(env=("LANG", "TZ")), old), exceeding(Capabilities(), old)
    (('env: TZ',), ())
    """
    return tuple(text for text, coverage in coverages(requested, within) if coverage != "whole")


def coverages(
    requested: Capabilities, within: Capabilities, *, is_denial: bool = False
) -> Iterator[tuple[str, Coverage]]:
    """Each wish as a text, with how much of it `within` covers.

    Of a denial each rule counts; of what is allowed, the longest filesystem grant that reaches a place decides.
    """
    for grant, coverage in _filesystems(requested.filesystem, within.filesystem, is_denial=is_denial):
        yield texts.filesystem_text(grant), coverage
    kinds: tuple[tuple[str, Callable[[Any], str], Callable[[Any, Any], Coverage]], ...] = (
        ("egress", texts.egress_text, _egress),
        ("ingress", texts.ingress_text, _ingress),
        ("exec", texts.exec_text, _exec),
    )
    for kind, text, cover in kinds:
        # The same rule is found at once: mostly it is there, and a manifest may have thousands.
        same = frozenset(getattr(within, kind))
        for wish in getattr(requested, kind):
            yield (
                text(wish),
                "whole" if wish in same else _best(cover(rule, wish) for rule in getattr(within, kind)),
            )
    for kind in ("kill", "list", "signal", "env"):
        for name in sorted(getattr(requested, kind)):
            yield f"{kind}: {name}", "whole" if name in getattr(within, kind) else "none"


def _best(found: Iterator[Coverage]) -> Coverage:
    kinds = set(found)
    return "whole" if "whole" in kinds else "part" if "part" in kinds else "none"


def _filesystems(
    wishes: Sequence[FilesystemGrant], rules: Sequence[FilesystemGrant], *, is_denial: bool
) -> Iterator[tuple[FilesystemGrant, Coverage]]:
    # By which wish a rule is reached: that one is trimmed by it, where it says less.
    reached = [] if is_denial else [(rule, _deciding(wishes, _parts(rule.path))) for rule in rules]
    for wish in wishes:
        deciding = [] if is_denial else _deciding(rules, _parts(wish.path))
        coverage = _best(_filesystem(rule, wish) for rule in deciding or rules)
        trimming = (rule for rule, by in reached if wish in by and rule not in deciding)
        if coverage == "whole" and any(not _says_as_much(rule, wish) for rule in trimming):
            coverage = "part"
        yield wish, coverage


def _deciding(grants: Sequence[FilesystemGrant], place: tuple[str, ...]) -> list[FilesystemGrant]:
    """The longest grants that reach a place."""
    reaching = [
        (len(parts), grant)
        for grant in grants
        if place[: len(parts := _parts(grant.path))] == parts and len(place) - len(parts) <= _reach(grant)
    ]
    longest = max((depth for depth, _ in reaching), default=0)
    return [grant for depth, grant in reaching if depth == longest]


def _says_as_much(rule: FilesystemGrant, wish: FilesystemGrant) -> bool:
    """Whether a rule that decides below a wish gives all that the wish asks for there."""
    left = _EVERYTHING if _reach(wish) == _EVERYTHING else 0
    is_wider_link = wish.symlinks == "beneath" and rule.symlinks == "none"
    return wish.permissions <= rule.permissions and left <= _reach(rule) and not is_wider_link


def _filesystem(rule: FilesystemGrant, wish: FilesystemGrant) -> Coverage:
    outer, inner = _parts(rule.path), _parts(wish.path)
    shorter = min(len(outer), len(inner))
    if outer[:shorter] != inner[:shorter] or not rule.permissions & wish.permissions:
        return "none"
    reach = _EVERYTHING if _reach(rule) == _EVERYTHING else _reach(rule) - (len(inner) - len(outer))
    if len(outer) > len(inner):
        return "part" if _reach(wish) >= len(outer) - len(inner) else "none"
    if reach < 0:
        return "none"
    is_wider_link = wish.symlinks == "beneath" and rule.symlinks == "none"
    whole = wish.permissions <= rule.permissions and _reach(wish) <= reach and not is_wider_link
    return "whole" if whole else "part"


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _reach(grant: FilesystemGrant) -> int:
    if grant.recursive:
        return _EVERYTHING  # without a slash as well: it may be a directory, and then it is one
    return 1 if grant.is_directory else 0


def _egress(rule: EgressRule, wish: EgressRule) -> Coverage:
    if rule.protocol != wish.protocol:
        return "none"
    same = frozenset(rule.hosts)
    hosts = [host in same or any(_host_within(host, other) for other in rule.hosts) for host in wish.hosts]
    touching = any(hosts) or any(_host_within(other, host) for other in rule.hosts for host in wish.hosts)
    return _together(hosts, touching, wish.ports, rule.ports)


def _ingress(rule: IngressRule, wish: IngressRule) -> Coverage:
    if rule.protocol != wish.protocol or not set(wish.bind) & set(rule.bind):
        return "none"
    origins = [
        any(_host_within(one, other) for other in rule.allowed_origins) for one in wish.allowed_origins
    ]
    binds = [bind in rule.bind for bind in wish.bind]
    return _together([*origins, *binds], True, wish.ports, rule.ports)


def _together(
    whole: Sequence[bool], touching: bool, wanted: Sequence[PortRange], given: Sequence[PortRange]
) -> Coverage:
    same = frozenset(given)
    if not touching or not any(one in same or any(_overlap(one, other) for other in given) for one in wanted):
        return "none"
    ports = all(
        one in same or any(o.first <= one.first and one.last <= o.last for o in given) for one in wanted
    )
    return "whole" if all(whole) and ports else "part"


def _overlap(one: PortRange, other: PortRange) -> bool:
    return one.first <= other.last and other.first <= one.last


def _host_within(inner: str, outer: str) -> bool:
    """Whether all that a pattern means another one means, too."""
    if outer in (inner, "*"):
        return True
    wide, narrow = network_of(outer), network_of(inner)
    if wide is not None or narrow is not None:
        return (
            wide is not None
            and narrow is not None
            and wide.version == narrow.version
            and int(wide.network_address) <= int(narrow.network_address)
            and int(narrow.broadcast_address) <= int(wide.broadcast_address)
        )
    if inner.startswith("**.") or inner == "*":
        return outer.startswith("**.") and inner[2:].endswith(outer[2:])
    # One label instead of the star: whatever it is, the pattern says the same of it.
    return pattern_matches(outer, inner.replace("*", "x", 1))


def _exec(rule: ExecRule, wish: ExecRule) -> Coverage:
    if rule.command != wish.command:
        return "none"
    wanted, given = list(wish.args), list(rule.args)
    if given and given[-1].kind == "rest":
        given.pop()
        extra, wanted = wanted[len(given) :], wanted[: len(given)]
        if not all(_argument_within(one, Argument("rest")) for one in extra):
            return "part"
    same = len(wanted) == len(given)
    return "whole" if same and all(map(_argument_within, wanted, given)) else "part"


def _argument_within(inner: Argument, outer: Argument) -> bool:
    if inner == outer:
        return True
    if outer.kind in ("one", "rest"):
        is_single = inner.kind in ("one", "path") or (inner.kind == "literal" and inner.value[:1] != "-")
        return is_single or outer.kind == inner.kind
    return False
