"""Whether a plugin asks for more than what was approved: rule by rule, and nothing is guessed.

A request counts as approved only if one approved rule covers it alone. Two rules that would cover
it together do not: what a union of rules means is for the services that enforce them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pluginkit.manifest import Capabilities, EgressRule, FilesystemGrant, IngressRule, PortRange


def growth(requested: Capabilities, approved: Capabilities) -> list[str]:
    """What is requested and was not approved, in words; empty if nothing is."""
    return [
        *_filesystem(requested.filesystem, approved.filesystem),
        *_egress(requested.egress, approved.egress),
        *_ingress(requested.ingress, approved.ingress),
        *(
            f"run {rule.command} {' '.join(map(str, rule.args))}".rstrip()
            for rule in requested.exec
            if rule not in approved.exec
        ),
        *(f"{verb} {scope}" for verb, scope in _scopes(requested, approved)),
        *(f"the variable {name}" for name in requested.env if name not in approved.env),
    ]


def _filesystem(wanted: Iterable[FilesystemGrant], approved: tuple[FilesystemGrant, ...]) -> Iterator[str]:
    for grant in wanted:
        missing = sorted(
            permission
            for permission in grant.permissions
            if not any(permission in other.permissions and _spans(other, grant) for other in approved)
        )
        if missing:
            yield f"{', '.join(missing)} {grant.path}"


def _spans(approved: FilesystemGrant, wanted: FilesystemGrant) -> bool:
    if wanted.symlinks == "beneath" and approved.symlinks == "none":
        return False
    if approved.path == wanted.path:
        return approved.recursive or not wanted.recursive
    # A `..` would lead out again, whatever comes before it.
    is_plain = ".." not in wanted.path.split("/")
    below = approved.path if approved.path.endswith("/") else f"{approved.path}/"
    return approved.recursive and approved.is_directory and is_plain and wanted.path.startswith(below)


def _egress(wanted: Iterable[EgressRule], approved: tuple[EgressRule, ...]) -> Iterator[str]:
    for rule in wanted:
        for host in rule.hosts:
            for ports in rule.ports:
                if not any(
                    rule.protocol == other.protocol and host in other.hosts and _within(ports, other.ports)
                    for other in approved
                ):
                    yield f"connect to {host} {rule.protocol}/{ports}"


def _ingress(wanted: Iterable[IngressRule], approved: tuple[IngressRule, ...]) -> Iterator[str]:
    for rule in wanted:
        for ports in rule.ports:
            if not any(
                rule.protocol == other.protocol
                and set(rule.bind) <= set(other.bind)
                and set(rule.allowed_origins) <= set(other.allowed_origins)
                and _within(ports, other.ports)
                for other in approved
            ):
                yield f"listen on {', '.join(rule.bind)} {rule.protocol}/{ports}"


def _within(ports: PortRange, approved: Iterable[PortRange]) -> bool:
    return any(other.first <= ports.first and ports.last <= other.last for other in approved)


def _scopes(requested: Capabilities, approved: Capabilities) -> Iterator[tuple[str, str]]:
    for verb in ("kill", "list", "signal"):
        for scope in sorted(getattr(requested, verb) - getattr(approved, verb)):
            yield verb, scope
