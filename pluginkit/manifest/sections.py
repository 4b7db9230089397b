"""The sections that every form of a manifest shares: about, security, requires and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pluginkit.versions import VersionRange

from . import scalars
from .fields import Node
from .model import ANY_VERSION, About, PluginRequirement, Requires, Security
from .names import identifier, plugin_name

_NO_REQUIREMENT = PluginRequirement("")


def read_about(node: Node) -> About:
    """What people want to know; `maintainer` and `maintainers` may both be given."""
    section = node.section(
        ("description", "maintainer", "maintainers", "url", "license"), "about: {description: …}"
    )
    one = section.text("maintainer", scalars.line, "", example="maintainer: you@example.com")
    several = section.get("maintainers")
    return About(
        description=section.text(
            "description", scalars.prose, "", example='description: "A cat that speaks"'
        ),
        maintainers=((one,) if one else ()) + (read_maintainers(several) if several is not None else ()),
        url=section.text("url", scalars.web_address, "", example="url: https://example.com/cat"),
        license=section.text("license", scalars.line, "", example="license: MIT"),
    )


def read_maintainers(node: Node) -> tuple[str, ...]:
    """A list of people."""
    return node.texts(scalars.line, "", "you@example.com")


def read_security(node: Node) -> Security:
    """Wishes for the connection to a plugin in a process of its own."""
    auto_mtls = node.section(("auto_mtls",), "security: {auto_mtls: true}").get("auto_mtls")
    return Security(auto_mtls.boolean(False) if auto_mtls is not None else False)


def read_requires(node: Node) -> Requires:
    """What must be there before the plugin is imported."""
    known = ("host", "python", "pluginkit", "plugins", "packages", "before", "after")
    section = node.section(known, 'requires: {python: ">=3.11"}')
    plugins = section.get("plugins")
    return Requires(
        host=section.text("host", VersionRange.parse, ANY_VERSION, example='host: ">=1.2,<2"'),
        python=section.text("python", VersionRange.parse, ANY_VERSION, example='python: ">=3.11"'),
        pluginkit=section.text("pluginkit", VersionRange.parse, ANY_VERSION, example='pluginkit: ">=0.1"'),
        plugins=tuple(_read_required_plugins(plugins)) if plugins is not None else (),
        packages=section.texts("packages", scalars.package_requirement, "", item='"rich >=13"'),
        before=section.texts("before", plugin_name, "", item="dog"),
        after=section.texts("after", plugin_name, "", item="dog"),
    )


def read_settings(node: Node) -> Mapping[str, Any] | None:
    """The JSON Schema of the plugin's settings, as far as it can be judged without a validator."""
    schema = node.entries("settings: {type: object, properties: {volume: {type: integer}}}")
    kind = schema.get("type")
    if kind is not None and kind.value != "object":
        kind.wrong("must be object: settings are a mapping", "type: object")
    properties = schema.get("properties")
    if properties is not None:
        properties.entries("properties: {volume: {type: integer}}")
    for reference in _references(node):
        if not reference.value.startswith("#"):
            reference.wrong("must stay inside this schema: nothing is fetched", '"#/$defs/volume"')
    return node.value if isinstance(node.value, dict) else None


def read_hooks(node: Node) -> tuple[str, ...]:
    """The hooks that the plugin says it implements, each once."""
    return tuple(dict.fromkeys(node.texts(identifier, "", "speak")))


def _read_required_plugins(node: Node) -> Iterable[PluginRequirement]:
    """A list of `name range`, or a mapping from name to range."""
    if not isinstance(node.value, dict):
        yield from node.texts(PluginRequirement.parse, _NO_REQUIREMENT, '"cat >=1.2,<2"')
        return
    for name, bounds in node.entries("").items():
        try:
            plugin_name(name)
        except ValueError as error:
            bounds.report.note(bounds.location, str(error), found=repr(name), example='cat: ">=1.2"')
        yield PluginRequirement(name, bounds.text(VersionRange.parse, ANY_VERSION, f'{name}: ">=1.2"'))


def _references(node: Node) -> Iterable[Node]:
    if isinstance(node.value, list):
        for index, value in enumerate(node.value):
            yield from _references(Node(node.report, (*node.location, index), value))
    elif isinstance(node.value, dict):
        for key, value in node.value.items():
            child = Node(node.report, (*node.location, key), value)
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield child
            else:
                yield from _references(child)
