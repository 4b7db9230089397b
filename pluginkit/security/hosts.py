"""Which hosts and addresses a rule means.

A request's host is either an IP address in its one strict form or a name. What a resolver would take
for an address and the standard library would not (`127.1`, `0x7f.1`, `2130706433`) is neither, and
refused. Patterns are not globs: `*.x` is exactly one label more.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pluginkit.manifest.grants import EgressRule, PortRange, Protocol
from pluginkit.security.refusal import Refusal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_EMBEDDED = (
    # Networks whose addresses carry an IPv4 address, and where in the 128 bits it stands.
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
)

# What some versions of `ipaddress` call global, and what no stranger may choose.
_LOCAL = (
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("3fff::/20"),
    ipaddress.IPv6Network("fec0::/10"),
)


@dataclass(frozen=True, slots=True)
class Host:
    """A host as it was asked for: `name` in normal form, or `address`."""

    text: str
    address: Address | None = None


def read_host(text: str) -> Host:
    """The host of a request; raises `Refusal` for what is neither a name nor a strict address.

    >>> read_host("API.Example.com."), read_host("::1").address
    (Host(text='api.example.com', address=None), IPv6Address('::1'))
    >>> read_host("0x7f.1")
    Traceback (most recent call last):
    ...
    pluginkit.security.refusal.Refusal: '0x7f.1' looks like an address, but is none in its full form
    """
    if not 0 < len(text) <= 255:
        raise Refusal("bad-host", f"a host is a text of 1 to 255 characters, not {text!r:.80}")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        if getattr(address, "scope_id", None):
            raise Refusal("bad-host", f"{text!r} has a zone, which means something on one machine only")
        return Host(str(address), address)
    name = text.lower().removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise Refusal("bad-host", f"{text!r} cannot be written as a host name") from None
    labels = name.split(".")
    if _NUMERIC.match(labels[-1]):
        raise Refusal("bad-host", f"{text!r} looks like an address, but is none in its full form")
    if not all(map(_LABEL.match, labels)):
        raise Refusal("bad-host", f"{text!r} is no host name")
    return Host(name)


def unwrap(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only carries it, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        for network, shift in _EMBEDDED:
            if address in network and int(address) > 1:
                return ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped into.

    >>> [is_public(ipaddress.ip_address(a)) for a in ("1.1.1.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1")]
    [True, False, False]
    """
    inner = unwrap(address)
    if any(inner.version == network.version and inner in network for network in _LOCAL):
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def pattern_matches(pattern: str, name: str) -> bool:
    """Whether a pattern (not an address, not a network) means a name; both in normal form.

    >>> [pattern_matches("*.x.org", n) for n in ("a.x.org", "a.b.x.org", "x.org", "ax.org")]
    [True, False, False, False]
    """
    if pattern == "*":
        return True
    if pattern.startswith("**."):
        return name.endswith(pattern[2:]) and len(name) > len(pattern) - 2
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:]
    return pattern == name


@lru_cache(maxsize=512)
def network_of(pattern: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a pattern means, None if it means names."""
    try:
        return ipaddress.ip_network(pattern)
    except ValueError:
        return None


def address_matches(patterns: Iterable[str], address: Address) -> bool:
    """Whether one of the addresses and networks among the patterns holds the address."""
    inner = unwrap(address)
    networks = (network_of(pattern) for pattern in patterns)
    return any(
        network is not None and any(a.version == network.version and a in network for a in (address, inner))
        for network in networks
    )


def name_matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the name patterns means the name."""
    return any(network_of(pattern) is None and pattern_matches(pattern, name) for pattern in patterns)


def has_port(ports: Iterable[PortRange], port: int) -> bool:
    """Whether a port lies in one of the ranges."""
    return any(port in one for one in ports)


def rules_for(rules: Iterable[EgressRule], protocol: Protocol | None, port: int | None) -> list[EgressRule]:
    """The rules for a protocol and port; None is any."""
    return [
        rule
        for rule in rules
        if protocol in (None, rule.protocol) and (port is None or has_port(rule.ports, port))
    ]


def means(rule: EgressRule, host: Host, address: Address | None) -> bool:
    """Whether a rule speaks of a host that was asked for, by its name or by the address it has."""
    if "*" in rule.hosts or (host.address is None and name_matches(rule.hosts, host.text)):
        return True
    return address is not None and address_matches(rule.hosts, address)


def leaves_nothing(denials: Iterable[EgressRule], wishes: Iterable[EgressRule]) -> bool:
    """Whether each port of each wish lies in a denial: then there is nothing to connect to."""
    denied = [(rule.protocol, one) for rule in denials for one in rule.ports]
    return all(
        any(
            protocol == wish.protocol and one.first <= port.first <= port.last <= one.last
            for protocol, one in denied
        )
        for wish in wishes
        for port in wish.ports
    )


def may_look_up(rules: Iterable[EgressRule], host: Host) -> bool:
    """Whether a resolver may be asked for the name: a query tells the name to strangers."""
    return any(name_matches(rule.hosts, host.text) for rule in rules)


def may_connect(rules: Iterable[EgressRule], host: Host, address: Address) -> bool:
    """Whether one of the rules lets the address be connected to, when it was asked for as `host`.

    A network or address rule means whatever lies in it. A name means public addresses only: whoever
    owns the name decides what it resolves to, and would choose one of the host's own network.
    """
    rules = list(rules)
    if any(address_matches(rule.hosts, address) for rule in rules):
        return True
    named = any(
        "*" in rule.hosts if host.address is not None else name_matches(rule.hosts, host.text)
        for rule in rules
    )
    return named and is_public(address)
