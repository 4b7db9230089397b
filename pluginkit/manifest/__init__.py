"""Manifests: what a plugin says of itself, read and checked without importing it."""

from __future__ import annotations

from .grants import (
    Argument,
    Capabilities,
    EgressRule,
    ExecRule,
    FilesystemGrant,
    IngressRule,
    PortRange,
)
from .model import (
    About,
    Entrypoint,
    Handshake,
    HttpServices,
    Manifest,
    PluginRequirement,
    Remote,
    Requires,
    Route,
    Security,
    Vocabulary,
)
from .names import normalise_name, plugin_name
from .plain import as_dict
from .problems import InvalidManifest, describe_problems, problems_as_dicts
from .reading import find_problems, parse_manifest, read_manifest
from .schema import manifest_schema

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
    "PluginRequirement",
    "PortRange",
    "Remote",
    "Requires",
    "Route",
    "Security",
    "Vocabulary",
    "as_dict",
    "describe_problems",
    "find_problems",
    "manifest_schema",
    "normalise_name",
    "parse_manifest",
    "plugin_name",
    "problems_as_dicts",
    "read_manifest",
]
