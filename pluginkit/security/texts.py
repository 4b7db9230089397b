"""Rules as people read them: in errors, in `info`, in the audit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pluginkit.manifest import Capabilities, EgressRule, ExecRule, FilesystemGrant, IngressRule

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_/.+@-]*|\d+(\.\d+){3}")
_OTHER_VALUES = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null"})
"""What YAML reads as something else than text, in one of its versions."""


def scalar(text: str) -> str:
    """A text as one value of a YAML list or mapping, for advice that people copy.

    >>> scalar("/usr/bin/git"), scalar("x, args: []}, {command: /bin/sh")
    ('/usr/bin/git', '"x, args: []}, {command: /bin/sh"')
    """
    import json

    return text if _PLAIN.fullmatch(text) and text.lower() not in _OTHER_VALUES else json.dumps(text)


def filesystem_text(grant: FilesystemGrant) -> str:
    """A filesystem grant.

    >>> filesystem_text(FilesystemGrant("/srv/", frozenset({"read", "list"}), recursive=True))
    'filesystem: list, read /srv/ and below'
    """
    below = " and below" if grant.recursive else ""
    return f"filesystem: {', '.join(sorted(grant.permissions))} {grant.path}{below}"


def egress_text(rule: EgressRule) -> str:
    """A rule on connections that the plugin opens."""
    return f"egress: {rule.protocol} {', '.join(rule.hosts)} (ports: {', '.join(map(str, rule.ports))})"


def ingress_text(rule: IngressRule) -> str:
    """A rule on what the plugin listens on."""
    origins = ", ".join(rule.allowed_origins) or "nobody"
    ports = ", ".join(map(str, rule.ports))
    return f"ingress: {rule.protocol} {', '.join(rule.bind)} (ports: {ports}) from {origins}"


def exec_text(rule: ExecRule) -> str:
    """A rule on programs."""
    return " ".join(["exec:", rule.command, *map(str, rule.args)])


def texts(capabilities: Capabilities) -> Iterator[str]:
    """Every single wish, one a line."""
    yield from map(filesystem_text, capabilities.filesystem)
    yield from map(egress_text, capabilities.egress)
    yield from map(ingress_text, capabilities.ingress)
    yield from map(exec_text, capabilities.exec)
    for what in ("kill", "list", "signal"):
        for scope in sorted(getattr(capabilities, what)):
            yield f"{what}: {scope}"
    for name in capabilities.env:
        yield f"env: {name}"
