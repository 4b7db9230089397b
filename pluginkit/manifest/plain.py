"""A manifest as plain data, for `info --json` and for whoever writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import Capabilities, Manifest, Requires

if TYPE_CHECKING:
    from .grants import EgressRule, IngressRule, PortRange


def as_dict(manifest: Manifest) -> dict[str, Any]:
    """The manifest in its normal form: JSON-able, always with the same keys, defaults written out.

    Beside the sections of a manifest.yaml there are `file`, `source` and `remote`, which say
    where it came from. Absent optional sections are None.
    """
    handshake, http_services = manifest.handshake, manifest.http_services
    return {
        "plugin": _plugin(manifest),
        "about": {
            "description": manifest.about.description,
            "maintainers": list(manifest.about.maintainers),
            "url": manifest.about.url,
            "license": manifest.about.license,
        },
        "handshake": None
        if handshake is None
        else {
            # As it is written: one number, or a list where there are several.
            "protocol_version": handshake.protocol_versions[0]
            if len(handshake.protocol_versions) == 1
            else list(handshake.protocol_versions),
            "magic_cookie_key": handshake.magic_cookie_key,
            "magic_cookie_value": handshake.magic_cookie_value,
        },
        "security": {"auto_mtls": manifest.security.auto_mtls},
        "capabilities": capabilities_as_dict(manifest.capabilities),
        "requires": _requires(manifest.requires),
        "settings": manifest.settings,
        "hooks": list(manifest.hooks),
        "http_services": None
        if http_services is None
        else {
            "driver": http_services.driver,
            "routes": [
                {"route": route.route, "method": route.method, "label": route.label}
                for route in http_services.routes
            ],
        },
        "remote": None
        if manifest.remote is None
        else {"url": manifest.remote.url, "ref": manifest.remote.ref},
        "file": None if manifest.file is None else str(manifest.file),
        "source": manifest.source,
    }


def _plugin(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "type": manifest.type,
        "format": manifest.format,
        "entrypoint": str(manifest.entrypoint),
        "language": manifest.language,
        "version": str(manifest.version),
        "priority": manifest.priority,
        "reload": manifest.reload,
        "implementations": {name: str(entrypoint) for name, entrypoint in manifest.implementations.items()},
    }


def _requires(requires: Requires) -> dict[str, Any]:
    return {
        "host": str(requires.host),
        "python": str(requires.python),
        "pluginkit": str(requires.pluginkit),
        "plugins": [str(plugin) for plugin in requires.plugins],
        "packages": list(requires.packages),
        "before": list(requires.before),
        "after": list(requires.after),
    }


def capabilities_as_dict(capabilities: Capabilities) -> dict[str, Any]:
    """The section `capabilities` in its normal form; `parse_capabilities` reads it back."""
    return {
        "filesystem": [
            {
                "path": grant.path,
                "permissions": sorted(grant.permissions),
                "recursive": grant.recursive,
                "symlinks": grant.symlinks,
            }
            for grant in capabilities.filesystem
        ],
        "network": {
            "egress": [_egress(rule) for rule in capabilities.egress],
            "ingress": [_ingress(rule) for rule in capabilities.ingress],
        },
        "process": {
            "exec": [
                {"command": rule.command, "args": list(map(str, rule.args))} for rule in capabilities.exec
            ],
            "kill": sorted(capabilities.kill),
            "list": sorted(capabilities.list),
            "signal": sorted(capabilities.signal),
        },
        "env": list(capabilities.env),
    }


def _egress(rule: EgressRule) -> dict[str, Any]:
    return {"protocol": rule.protocol, "hosts": list(rule.hosts), "ports": list(map(_port, rule.ports))}


def _ingress(rule: IngressRule) -> dict[str, Any]:
    return {
        "protocol": rule.protocol,
        "ports": list(map(_port, rule.ports)),
        "bind": list(rule.bind),
        "allowed_origins": list(rule.allowed_origins),
    }


def _port(ports: PortRange) -> int | str:
    return ports.first if ports.first == ports.last else str(ports)
