"""The form of `manifest.yaml`: the section `plugin`, and the optional ones around it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from pluginkit.errors import did_you_mean, nearest
from pluginkit.versions import Version

from . import sections
from .fields import Node, Section
from .model import (
    DEFAULT_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    Capabilities,
    Entrypoint,
    Manifest,
    ReloadMode,
    Source,
    Vocabulary,
)
from .names import plugin_name, word

SHARED_SECTIONS = (
    "about",
    "handshake",
    "security",
    "capabilities",
    "requires",
    "settings",
    "hooks",
    "http_services",
)
PLUGIN_KEYS = (
    "name",
    "type",
    "format",
    "entrypoint",
    "language",
    "version",
    "priority",
    "reload",
    "implementations",
)
EXAMPLE = 'plugin: {name: cat, type: animal, format: native, entrypoint: "cat:Cat", language: python, version: "1.0.0"}'
NO_ENTRYPOINT = Entrypoint("")
RELOAD_MODES: tuple[ReloadMode, ...] = get_args(ReloadMode)
NO_VERSION = Version.parse("0.0.0")


def read_main_form(
    root: Node, vocabulary: Vocabulary | None, *, file: Path | None, source: Source
) -> Manifest:
    """Read a whole manifest; it counts only if nothing was noted in the report."""
    top = root.section(("plugin", *SHARED_SECTIONS), EXAMPLE)
    plugin = top.require("plugin", EXAMPLE)
    return completed(_read_plugin(plugin, vocabulary), top, file=file, source=source)


def completed(manifest: Manifest, top: Section, *, file: Path | None, source: Source) -> Manifest:
    """The manifest with where it was read, and with the sections that every form of it may have."""
    about, security = top.get("about"), top.get("security")
    capabilities, requires, settings = top.get("capabilities"), top.get("requires"), top.get("settings")
    hooks = top.get("hooks")
    return replace(
        manifest,
        about=manifest.about if about is None else sections.read_about(about),
        security=manifest.security if security is None else sections.read_security(security),
        capabilities=manifest.capabilities if capabilities is None else _read_capabilities(capabilities),
        requires=manifest.requires if requires is None else sections.read_requires(requires),
        settings=None if settings is None else sections.read_settings(settings),
        hooks=() if hooks is None else sections.read_hooks(hooks),
        **_connections(top),
        file=file,
        source=source,
    )


def read_version(section: Section) -> Version:
    """The plugin's version; for a wrong one the example is the right one that it resembles."""
    node = section.require("version", 'version: "1.0.0"')
    if node is None:
        return NO_VERSION
    if isinstance(node.value, str):
        with suppress(ValueError):  # to mend it takes longer than to read it
            return Version.parse(node.value)
    spelling = node.value if isinstance(node.value, str) else node.report.document.raw.get(node.location, "")
    return node.text(Version.parse, NO_VERSION, f'version: "{_mended(spelling)}"')


def require_known(node: Node | None, known: Iterable[str] | None, what: str) -> None:
    """Note it if the host does not know a word; None for `known` accepts every word."""
    if node is None or known is None or not isinstance(node.value, str) or node.value in known:
        return
    names = sorted(known)
    close = nearest(node.value, names)
    example = close or (names[0] if names else None)
    node.wrong(
        f"is no {what} of this host{did_you_mean(node.value, names)}", example and f"{what}: {example}"
    )


def _read_plugin(node: Node | None, vocabulary: Vocabulary | None) -> Manifest:
    if node is None:
        return Manifest(name="", type="", entrypoint=NO_ENTRYPOINT, version=NO_VERSION)
    section = node.section(PLUGIN_KEYS, EXAMPLE)
    priority, reload = section.get("priority"), section.get("reload")
    implementations = section.get("implementations")
    manifest = Manifest(
        name=section.text("name", plugin_name, "", example="name: cat", required=True),
        type=section.text("type", word, "", example="type: animal", required=True),
        format=section.text("format", word, "", example="format: native", required=True),
        entrypoint=section.text(
            "entrypoint", Entrypoint.parse, NO_ENTRYPOINT, example='entrypoint: "cat:Cat"', required=True
        ),
        language=section.text("language", word, "", example="language: python", required=True),
        version=read_version(section),
        priority=DEFAULT_PRIORITY
        if priority is None
        else priority.integer(
            DEFAULT_PRIORITY, lowest=LOWEST_PRIORITY, highest=HIGHEST_PRIORITY, example="50"
        ),
        reload="beside" if reload is None else reload.choice(RELOAD_MODES) or "beside",
        implementations=MappingProxyType(
            {} if implementations is None else dict(_implementations(implementations))
        ),
    )
    if vocabulary is not None:
        require_known(section.get("type"), vocabulary.types, "type")
        require_known(section.get("format"), vocabulary.formats, "format")
        require_known(section.get("language"), vocabulary.languages, "language")
    return manifest


def _connections(top: Section) -> dict[str, Any]:
    handshake, http_services = top.get("handshake"), top.get("http_services")
    if handshake is None and http_services is None:
        return {"handshake": None, "http_services": None}
    # Few manifests have either.
    from .connections import read_handshake, read_http_services

    return {
        "handshake": None if handshake is None else read_handshake(handshake),
        "http_services": None if http_services is None else read_http_services(http_services),
    }


def _read_capabilities(node: Node) -> Capabilities:
    from .capabilities import read_capabilities

    return read_capabilities(node)


def _implementations(node: Node) -> Iterable[tuple[str, Entrypoint]]:
    for name, entrypoint in node.entries('implementations: {loud: "cat:LoudCat"}').items():
        try:
            word(name)
        except ValueError as error:
            node.report.note(entrypoint.location, str(error), found=repr(name), example='loud: "cat:LoudCat"')
        yield name, entrypoint.text(Entrypoint.parse, NO_ENTRYPOINT, 'loud: "cat:LoudCat"')


def _mended(spelling: str) -> str:
    """What the author most likely meant by a version that is none."""
    numbers = spelling.lstrip("vV").partition("-")[0].partition("+")[0].split(".")
    if all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        return ".".join([str(int(number)) for number in [*numbers, "0", "0"][:3]])
    return "1.0.0"
