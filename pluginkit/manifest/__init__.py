"""Manifests: what a plugin says of itself, read and checked without importing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import (
    About,
    Capabilities,
    Entrypoint,
    Manifest,
    PluginRequirement,
    ReloadMode,
    Remote,
    Requires,
    Security,
    Vocabulary,
)
from .names import normalise_name, plugin_name
from .problems import InvalidManifest, describe_problems, problems_as_dicts
from .reading import ManifestReader, find_problems, parse_manifest, read_manifest

if TYPE_CHECKING:
    from .capabilities import parse_capabilities as parse_capabilities
    from .connections import Handshake as Handshake
    from .connections import HttpServices as HttpServices
    from .connections import Route as Route
    from .grants import Argument as Argument
    from .grants import EgressRule as EgressRule
    from .grants import ExecRule as ExecRule
    from .grants import FilesystemGrant as FilesystemGrant
    from .grants import IngressRule as IngressRule
    from .grants import PortRange as PortRange
    from .plain import as_dict as as_dict
    from .plain import capabilities_as_dict as capabilities_as_dict
    from .schema import manifest_schema as manifest_schema

_SELDOM_USED = {
    "as_dict": "plain",
    "capabilities_as_dict": "plain",
    "parse_capabilities": "capabilities",
    "manifest_schema": "schema",
    **dict.fromkeys(("Handshake", "HttpServices", "Route"), "connections"),
    **dict.fromkeys(
        ("Argument", "EgressRule", "ExecRule", "FilesystemGrant", "IngressRule", "PortRange"), "grants"
    ),
}

__all__ = [
    "About",
    "Argument",
    "Capabilities",
    "EgressRule",
    "Entrypoint",
    "ExecRule",
    "FilesystemGrant",
    "Handshake",
    "HttpServices",
    "IngressRule",
    "InvalidManifest",
    "Manifest",
    "ManifestReader",
    "PluginRequirement",
    "PortRange",
    "ReloadMode",
    "Remote",
    "Requires",
    "Route",
    "Security",
    "Vocabulary",
    "as_dict",
    "capabilities_as_dict",
    "describe_problems",
    "find_problems",
    "manifest_schema",
    "normalise_name",
    "parse_capabilities",
    "parse_manifest",
    "plugin_name",
    "problems_as_dicts",
    "read_manifest",
]

if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        home = _SELDOM_USED.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value
