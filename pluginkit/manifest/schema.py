"""The JSON Schema of manifests: for editors, for `validate`, and for tools in other languages.

It ships as `manifest.schema.json` beside this file. Loading a manifest does not use it: the
hand check is faster, knows lines, and gives better sentences. A test holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit.versions import Version, VersionRange

from . import grant_scalars, scalars
from .model import PluginRequirement

if TYPE_CHECKING:
    from jsonschema import FormatChecker

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")

FORMATS: Mapping[str, Callable[[str], object]] = {
    "pluginkit-address": grant_scalars.address,
    "pluginkit-argument": grant_scalars.argument,
    "pluginkit-command": grant_scalars.command_path,
    "pluginkit-grant-path": grant_scalars.grant_path,
    "pluginkit-host-pattern": grant_scalars.host_pattern,
    "pluginkit-line": scalars.line,
    "pluginkit-origin": grant_scalars.origin,
    "pluginkit-package-requirement": scalars.package_requirement,
    "pluginkit-plugin-requirement": PluginRequirement.parse,
    "pluginkit-ports": grant_scalars.port_range,
    "pluginkit-prose": scalars.prose,
    "pluginkit-route": scalars.route,
    "pluginkit-version": Version.parse,
    "pluginkit-version-range": VersionRange.parse,
    "pluginkit-web-address": scalars.web_address,
}
"""The schema's own formats: each raises ValueError for a text that is not of the format."""


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a `manifest.yaml`, as plain data of the caller's own.

    >>> manifest_schema()["title"]
    'pluginkit manifest'
    """
    import json

    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@cache
def format_checker() -> FormatChecker:
    """A checker of jsonschema that knows the formats of the schema."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, parse in FORMATS.items():
        checker.checks(name, raises=ValueError)(_for_texts(parse))
    return checker


def _for_texts(parse: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        # Formats are about texts only; that it is one, `type` says.
        if isinstance(value, str):
            parse(value)
        return True

    return check
