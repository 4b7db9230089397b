"""What a plugin may do: requested by its manifest ∩ allowed by the host's policy ∩ approved before.

The intersection is not computed as a new set of rules, but asked rule by rule: an operation is allowed
if every layer allows it and no denial of the host matches. That is exact, and each refusal can name
the layer and its nearest rule. A `Grants` never changes: a new generation gets a new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pluginkit.manifest import Capabilities, FilesystemGrant
from pluginkit.manifest.grants import IngressRule, Protocol
from pluginkit.security import advising, hosts, texts
from pluginkit.security.commands import Program, matches, nearest_rule, pin
from pluginkit.security.paths import EVERYTHING_BELOW, PathRule, Paths, Protected, parts_of
from pluginkit.security.policy import PluginPolicy, union
from pluginkit.security.refusal import Refusal

_SYSTEM = ("/proc", "/sys", "/dev")


@dataclass(frozen=True, slots=True)
class Places:
    """The directories that `${data}`, `${cache}`, `${config}` and `${plugin}` stand for, and what is off limits.

    `protected` are files and directories of the host that no grant can give; `code` may be read
    but never written.
    """

    data: Path
    cache: Path
    config: Path | None = None
    plugin: Path | None = None
    protected: tuple[Path, ...] = ()
    code: tuple[Path, ...] = ()

    def expand(self, path: str) -> str | None:
        """A grant's path with its variable replaced; None if the plugin has no such directory."""
        if not path.startswith("${"):
            return path
        name, _, rest = path[2:].partition("}")
        directory: Path | None = getattr(self, name)
        return None if directory is None else f"{os.path.realpath(directory)}{rest}"


@dataclass(frozen=True)
class Grants:
    """What one generation of one plugin may do; see `effective`."""

    plugin: str
    requested: Capabilities
    layers: tuple[Capabilities, ...]
    denied: Capabilities
    dangerous: bool
    places: Places
    reasons: tuple[str, ...] = (advising.MANIFEST, advising.POLICY, advising.APPROVAL)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for or nothing is left of it."""
        return all(row["granted"] == "none" for row in self.rows)

    @cached_property
    def paths(self) -> Paths:
        """The filesystem rules."""
        layers = [tuple(self._path_rules(layer.filesystem)) for layer in self.layers]
        places = (self.places.data, self.places.cache, self.places.config)
        own = tuple(parts_of(os.path.realpath(place)) for place in places if place is not None)
        return Paths(
            layers, tuple(self._denied_paths()), tuple(self._protected()), own, advise=self._advise_path
        )

    def _advise_path(self, layer: int, path: str, permissions: Iterable[str], entries: bool) -> str:
        wish = advising.filesystem_wish(path, permissions, self.places, entries=entries)
        return advising.where(self.plugin, self.reasons[layer], wish)

    def _denied_paths(self) -> Iterable[PathRule]:
        """A denial means the place, by whatever name the manifest asks for it."""
        for rule in self._path_rules(self.denied.filesystem):
            for path in {rule.path, os.path.realpath(rule.path)}:
                yield replace(rule, parts=parts_of(path))

    def _path_rules(self, grants: Iterable[FilesystemGrant]) -> Iterable[PathRule]:
        for grant in grants:
            path = self.places.expand(grant.path)
            if path is None:
                continue
            is_directory = grant.is_directory or os.path.isdir(path)
            reach = (EVERYTHING_BELOW if grant.recursive else 1) if is_directory else 0
            follow = grant.symlinks == "beneath"
            yield PathRule(parts_of(path), grant.permissions, reach, follow, texts.filesystem_text(grant))

    def _protected(self) -> Iterable[Protected]:
        for path in _SYSTEM:
            yield Protected(parts_of(path), path)
        for place in self.places.protected:
            for path in {os.path.abspath(place), os.path.realpath(place)}:
                yield Protected(parts_of(path), f"{path}, which is the host's own,")
        for place in (*self.places.code, *([self.places.plugin] if self.places.plugin else [])):
            for path in {os.path.abspath(place), os.path.realpath(place)}:
                yield Protected(
                    parts_of(path), f"writing {path}, which holds plugins' code,", writes_only=True
                )

    # Network

    def require_lookup(self, host: hosts.Host, protocol: Protocol | None, port: int | None) -> None:
        """Refuse to ask a resolver for a name that no rule means, or that is denied: a query tells it to strangers.

        A protocol or port of None is any.
        """
        for layer, whose in zip(self.layers, self.reasons, strict=False):
            rules = hosts.rules_for(layer.egress, protocol, port)
            if not hosts.may_look_up(rules, host):
                self._no_egress(layer, whose, protocol, host.text, port)
        self._require_no_denial(host, None, protocol, port)

    def require_egress(
        self, host: hosts.Host, address: hosts.Address, protocol: Protocol | None, port: int | None
    ) -> None:
        """Refuse to connect to an address that was asked for as `host`; a protocol or port of None is any."""
        for layer, whose in zip(self.layers, self.reasons, strict=False):
            rules = hosts.rules_for(layer.egress, protocol, port)
            if not hosts.may_connect(rules, host, address):
                by_name = hosts.may_look_up(rules, host) if host.address is None else False
                if by_name:
                    raise Refusal(
                        "private-address",
                        f"{host.text} resolved to {address}, which is no public address",
                        rule=next(map(texts.egress_text, rules), None),
                        advice=f"if it is meant, name the address or its network in the rule: hosts: [{address}]",
                    )
                self._no_egress(layer, whose, protocol, host.text, port)
        self._require_no_denial(host, address, protocol, port)

    def _require_no_denial(
        self, host: hosts.Host, address: hosts.Address | None, protocol: Protocol | None, port: int | None
    ) -> None:
        denials = hosts.rules_for(self.denied.egress, protocol, port)
        denials = [rule for rule in denials if hosts.means(rule, host, address)]
        if denials and (protocol is None or port is None):
            # Nobody has said yet what it is for: a denial of one port does not forbid another.
            wishes = hosts.rules_for(self.requested.egress, protocol, port)
            wishes = [rule for rule in wishes if hosts.means(rule, host, address)]
            denials = denials if hosts.leaves_nothing(denials, wishes) else []
        for rule in denials:
            raise Refusal(
                "denied-by-host", "the host's policy denies it", rule=f"deny {texts.egress_text(rule)}"
            )

    def _no_egress(
        self, layer: Capabilities, whose: str, protocol: Protocol | None, host: str, port: int | None
    ) -> None:
        near = [rule for rule in layer.egress if hosts.name_matches(rule.hosts, host)] or list(layer.egress)
        wish = advising.egress_wish(protocol, host, port)
        raise Refusal(
            "no-grant",
            f"no rule of {whose} covers it",
            rule=texts.egress_text(near[0]) if near else None,
            advice=advising.where(self.plugin, whose, wish),
        )

    def ingress(self, protocol: Protocol, address: str, port: int) -> tuple[IngressRule, ...]:
        """The rules, one of each layer, by which the plugin may listen there; raises `Refusal`."""
        chosen = []
        for layer, whose in zip(self.layers, self.reasons, strict=False):
            fitting = [
                rule
                for rule in layer.ingress
                if rule.protocol == protocol and hosts.has_port(rule.ports, port) and address in rule.bind
            ]
            if not fitting:
                wish = advising.ingress_wish(protocol, address, port)
                raise Refusal(
                    "no-grant",
                    f"no rule of {whose} covers it",
                    rule=next(map(texts.ingress_text, layer.ingress), None),
                    advice=advising.where(self.plugin, whose, wish),
                )
            chosen.append(_merged(fitting))
        for rule in self.denied.ingress:
            meets = any(_is_reached_by(one, address) for one in rule.bind)
            if rule.protocol == protocol and hosts.has_port(rule.ports, port) and meets:
                raise Refusal(
                    "denied-by-host", "the host's policy denies it", rule=f"deny {texts.ingress_text(rule)}"
                )
        return tuple(chosen)

    # Processes

    def require_exec(self, argv: Sequence[str], covers: Callable[[str, str], bool]) -> None:
        """Refuse a command line; `covers(path, permission)` asks the filesystem."""
        for layer, whose in zip(self.layers, self.reasons, strict=False):
            if not any(matches(rule, argv, covers) for rule in layer.exec):
                near = nearest_rule(layer.exec, argv[0])
                raise Refusal(
                    "no-grant",
                    f"no rule of {whose} covers this command with these arguments",
                    rule=texts.exec_text(near) if near is not None else None,
                    advice=advising.where(self.plugin, whose, advising.exec_wish(argv)),
                )
        real = os.path.realpath(argv[0])
        for rule in self.denied.exec:
            # The denial means the program, by whatever name the manifest asks for it.
            is_same = rule.command == argv[0] or os.path.realpath(rule.command) == real
            if is_same and (not rule.args or matches(rule, [rule.command, *argv[1:]], covers)):
                raise Refusal(
                    "denied-by-host", "the host's policy denies it", rule=f"deny {texts.exec_text(rule)}"
                )

    def pin(self, command: str) -> Program:
        """The program that a rule means, as it is now; raises `Refusal` if it may not be run whatever the rules say."""

        def is_writable(path: str) -> bool:
            return bool(self.paths.permissions_at(path) & {"write", "create", "delete"})

        return pin(command, plugin=self.plugin, dangerous=self.dangerous, is_writable=is_writable)

    def require_scope(self, what: str) -> None:
        """Refuse `kill`, `list` or `signal` of the plugin's own children."""
        for layer, whose in zip(self.layers, self.reasons, strict=False):
            if "children" not in getattr(layer, what):
                raise Refusal(
                    "no-grant",
                    f"{whose} does not grant it",
                    advice=advising.where(self.plugin, whose, advising.scope_wish(what)),
                )
        if "children" in getattr(self.denied, what):
            raise Refusal("denied-by-host", "the host's policy denies it", rule=f"deny {what}: children")

    @cached_property
    def env(self) -> tuple[str, ...]:
        """The environment variables that the plugin's processes may see."""
        wanted = [name for name in self.requested.env if name not in self.denied.env]
        return tuple(name for name in wanted if all(name in layer.env for layer in self.layers))

    # For people

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """Each wish of the manifest, how much of it is granted (`whole`, `part`, `none`), and who trimmed it."""
        from pluginkit.security.rows import rows_of

        return rows_of(self)

    def as_dict(self) -> dict[str, Any]:
        """What the audit and `info --json` say."""
        return {"rows": list(self.rows), "dangerous": self.dangerous}


def effective(
    plugin: str,
    requested: Capabilities,
    policy: PluginPolicy,
    places: Places,
    *,
    approved: Capabilities | None = None,
) -> Grants:
    """What a plugin is granted.

    Args:
        plugin: Its name.
        requested: The section `capabilities` of its manifest.
        policy: What the host lets this plugin have; the default lets it have nothing.
        places: Its directories, and those that no plugin gets.
        approved: What a lock file says was approved; None where nothing has to be approved.
    """
    if policy.allow == "requested":
        allowed = union(_named_hosts_only(requested), policy.also)
    else:
        allowed = policy.allow
    layers = [requested, allowed]
    if approved is not None:
        layers.append(approved)
    return Grants(plugin, requested, tuple(layers), policy.deny, policy.dangerous, places)


def _named_hosts_only(requested: Capabilities) -> Capabilities:
    """`requested` never means `*`: to let a plugin talk to everybody the host has to write so."""
    rules = [replace(rule, hosts=tuple(h for h in rule.hosts if h != "*")) for rule in requested.egress]
    return replace(requested, egress=tuple(rule for rule in rules if rule.hosts))


def _is_reached_by(one: str, other: str) -> bool:
    """Whether who listens on one address listens on the other, too; all addresses are one of them."""
    return one == other or "0.0.0.0" in (one, other) or "::" in (one, other)  # noqa: S104  # compared, not bound


def _merged(rules: list[IngressRule]) -> IngressRule:
    origins = tuple(dict.fromkeys(origin for rule in rules for origin in rule.allowed_origins))
    return replace(rules[0], allowed_origins=origins)
