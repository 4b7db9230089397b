"""The section `capabilities`: from the forms that people write to the one normal form.

`process` is written as a mapping (`{exec: […], kill: [children]}`) or as a list of mappings
with one key each; both are read, and `exec` may hold one rule or a list of them in either.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pluginkit.strict_yaml import Document

from . import grant_scalars
from .fields import Node, Report, Section
from .grants import (
    PERMISSIONS,
    PROTOCOLS,
    SCOPES,
    Argument,
    EgressRule,
    ExecRule,
    FilesystemGrant,
    IngressRule,
    PortRange,
    Protocol,
    Scope,
)
from .model import Capabilities
from .problems import InvalidManifest

PROCESS_KEYS = ("exec", "kill", "list", "signal")
SYMLINKS: tuple[Literal["beneath", "none"], ...] = ("beneath", "none")

_FILESYSTEM = 'filesystem: [{path: "${data}/", permissions: [read, list], recursive: true}]'
_EGRESS = "egress: [{protocol: tcp, hosts: [api.example.com], ports: [443]}]"
_INGRESS = "ingress: [{protocol: tcp, ports: [9000], allowed_origins: [127.0.0.1]}]"
_EXEC = "exec: [{command: /usr/bin/git, args: [pull, --ff-only]}]"
_NO_GRANT = FilesystemGrant("", frozenset())
_NO_PORTS = PortRange(0, 0)


def read_capabilities(node: Node) -> Capabilities:
    """Read the section; whatever is not known in it is an error, never silently a smaller wish."""
    section = node.section(("filesystem", "network", "process", "env"), "capabilities: {filesystem: […]}")
    network = section.get("network")
    egress, ingress = _network(network) if network is not None else ((), ())
    process = section.get("process")
    wishes = list(_process_wishes(process)) if process is not None else []
    filesystem = section.get("filesystem")
    return Capabilities(
        filesystem=tuple(map(_grant, filesystem.items(_FILESYSTEM))) if filesystem is not None else (),
        egress=egress,
        ingress=ingress,
        exec=tuple(rule for key, wish in wishes if key == "exec" for rule in _exec_rules(wish)),
        kill=_scopes(wishes, "kill"),
        list=_scopes(wishes, "list"),
        signal=_scopes(wishes, "signal"),
        env=section.texts("env", grant_scalars.environment_name, "", item="LANG"),
    )


def parse_capabilities(data: Any, *, file: Path | None = None) -> Capabilities:
    """Read a section that stands somewhere else than in a manifest; raises `InvalidManifest`.

    >>> parse_capabilities({"env": ["LANG"]}).env
    ('LANG',)
    """
    report = Report(Document(data, {}), file)
    capabilities = read_capabilities(Node(report, (), data))
    if report.problems:
        raise InvalidManifest(report.problems, file=file)
    return capabilities


def _grant(node: Node) -> FilesystemGrant:
    section = node.section(("path", "permissions", "recursive", "symlinks"), _FILESYSTEM)
    permissions = section.require("permissions", "permissions: [read]")
    recursive = section.get("recursive")
    symlinks = section.get("symlinks")
    return FilesystemGrant(
        path=section.text("path", grant_scalars.grant_path, "", example='path: "${data}/"', required=True),
        permissions=permissions.choices(PERMISSIONS, allow_empty=False)
        if permissions is not None
        else frozenset(),
        recursive=recursive.boolean(False) if recursive is not None else False,
        symlinks=(symlinks.choice(SYMLINKS) if symlinks is not None else None) or "beneath",
    )


def _network(node: Node) -> tuple[tuple[EgressRule, ...], tuple[IngressRule, ...]]:
    section = node.section(("egress", "ingress"), f"network: {{{_EGRESS}}}")
    egress, ingress = section.get("egress"), section.get("ingress")
    return (
        tuple(map(_egress, egress.items(_EGRESS))) if egress is not None else (),
        tuple(map(_ingress, ingress.items(_INGRESS))) if ingress is not None else (),
    )


def _egress(node: Node) -> EgressRule:
    section = node.section(("protocol", "hosts", "ports"), _EGRESS)
    hosts = section.require("hosts", "hosts: [api.example.com]")
    return EgressRule(
        protocol=_protocol(section),
        hosts=hosts.texts(grant_scalars.host_pattern, "", "api.example.com", allow_empty=False)
        if hosts is not None
        else (),
        ports=_ports(section),
    )


def _ingress(node: Node) -> IngressRule:
    section = node.section(("protocol", "ports", "bind", "allowed_origins"), _INGRESS)
    return IngressRule(
        protocol=_protocol(section),
        ports=_ports(section),
        bind=section.texts("bind", grant_scalars.address, "", item="127.0.0.1") or ("127.0.0.1",),
        allowed_origins=section.texts("allowed_origins", grant_scalars.origin, "", item="10.0.0.0/8"),
    )


def _protocol(section: Section) -> Protocol:
    node = section.require("protocol", "protocol: tcp")
    return (node.choice(PROTOCOLS) if node is not None else None) or "tcp"


def _ports(section: Section) -> tuple[PortRange, ...]:
    node = section.require("ports", "ports: [443]")
    if node is None:
        return ()
    return tuple(map(_port, node.items('ports: [443, "8000-8099"]', allow_empty=False)))


def _port(node: Node) -> PortRange:
    if isinstance(node.value, str):
        return node.text(grant_scalars.port_range, _NO_PORTS, "443")
    port = node.integer(0, lowest=1, highest=grant_scalars.HIGHEST_PORT, example="443")
    return PortRange(port, port)


def _process_wishes(node: Node) -> Iterable[tuple[str, Node]]:
    """Key and value of each wish, from either form."""
    example = f"process: {{{_EXEC}, kill: [children]}}"
    if not isinstance(node.value, list):
        yield from _known(node.section(PROCESS_KEYS, example))
        return
    for item in node.items(example):
        if isinstance(item.value, dict) and len(item.value) != 1:
            item.wrong("must be a mapping with one key, as in `- kill: [children]`", "kill: [children]")
        yield from _known(item.section(PROCESS_KEYS, "kill: [children]"))


def _known(section: Section) -> Iterable[tuple[str, Node]]:
    for key in PROCESS_KEYS:
        node = section.get(key)
        if node is not None:
            yield key, node


def _exec_rules(node: Node) -> tuple[ExecRule, ...]:
    if isinstance(node.value, dict):
        return (_exec(node),)
    return tuple(map(_exec, node.items(_EXEC)))


def _exec(node: Node) -> ExecRule:
    section = node.section(("command", "args"), _EXEC)
    rule = ExecRule(
        command=section.text(
            "command", grant_scalars.command_path, "", example="command: /usr/bin/git", required=True
        ),
        args=section.texts("args", grant_scalars.argument, Argument("literal"), item="--ff-only"),
    )
    args = section.get("args")
    for index, argument in enumerate(rule.args[:-1]):
        if args is not None and argument.kind == "rest":
            Node(args.report, (*args.location, index), "**").wrong(
                "may only stand at the end: it takes all that follow"
            )
    return rule


def _scopes(wishes: Iterable[tuple[str, Node]], key: str) -> frozenset[Scope]:
    scopes: frozenset[Scope] = frozenset()
    for wished, node in wishes:
        if wished == key:
            scopes |= node.choices(SCOPES)
    return scopes
