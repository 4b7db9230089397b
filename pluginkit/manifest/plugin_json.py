"""The form of `plugin.json` as szlabs' plugins have it: flat, and with the code under `source`.

    {"name": "sample", "version": "0.1.0", "description": "…", "maintainers": ["a@b.com"],
     "home": "https://…", "source": {"mode": "local", "path": "sample.py"}, "http_services": {…}}

A plugin of that form is one with the one method `execute`, unless it says a type. The optional
sections of a manifest.yaml may stand in it too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from . import scalars
from .fields import Node
from .main_form import NO_ENTRYPOINT, SHARED_SECTIONS, completed, read_version, require_known
from .model import Entrypoint, Manifest, Remote, Vocabulary
from .names import plugin_name, word
from .sections import read_maintainers

KEYS = ("name", "version", "description", "maintainers", "home", "source", "type")
MODES = ("local", "remote_git")

_EXAMPLE = '{"name": "sample", "version": "0.1.0", "source": {"mode": "local", "path": "sample.py"}}'
_SOURCE = '"source": {"mode": "local", "path": "sample.py"}'
_SHARED = tuple(name for name in SHARED_SECTIONS if name != "about")


def is_plugin_json(data: Any) -> bool:
    """Whether a JSON document has this form, and not that of a manifest.yaml."""
    return not (isinstance(data, dict) and "plugin" in data)


def read_plugin_json(root: Node, vocabulary: Vocabulary | None, *, file: Path | None) -> Manifest:
    """Read a whole plugin.json; it counts only if nothing was noted in the report."""
    top = root.section((*KEYS, *_SHARED), _EXAMPLE)
    maintainers = top.get("maintainers")
    source = top.require("source", _SOURCE)
    entrypoint, remote = _read_source(source) if source is not None else (NO_ENTRYPOINT, None)
    manifest = Manifest(
        name=top.text("name", plugin_name, "", example='"name": "sample"', required=True),
        type=top.text("type", word, "execute", example='"type": "execute"'),
        version=read_version(top),
        entrypoint=entrypoint,
        remote=remote,
    )
    if vocabulary is not None:
        require_known(top.get("type"), vocabulary.types, "type")
    about = replace(
        manifest.about,
        description=top.text("description", scalars.prose, "", example='"description": "A sample"'),
        maintainers=() if maintainers is None else read_maintainers(maintainers),
        url=top.text("home", scalars.web_address, "", example='"home": "https://example.com"'),
    )
    return completed(replace(manifest, about=about), top, file=file, source="plugin.json")


def _read_source(node: Node) -> tuple[Entrypoint, Remote | None]:
    section = node.section(("mode", "path", "url", "ref"), _SOURCE)
    mode = section.require("mode", '"mode": "local"')
    if mode is None:
        return NO_ENTRYPOINT, None
    path = section.text("path", _module_of, NO_ENTRYPOINT, example='"path": "sample.py"', required=True)
    if mode.value == "local_so":
        mode.wrong(
            "loads a library that was compiled from Go, which Python cannot; port the plugin to Python "
            'and write "mode": "local" with the path of its .py file',
            '"mode": "local", "path": "sample.py"',
        )
    elif mode.choice(MODES) == "remote_git":
        url = section.text(
            "url", scalars.line, "", example='"url": "https://example.com/sample.git"', required=True
        )
        ref = section.text("ref", scalars.line, "", example='"ref": "v1.2.0"')
        return path, Remote(url, ref or None)
    return path, None


def _module_of(path: str) -> Entrypoint:
    """The module in a file or directory of the plugin, given by its relative path."""
    if path.startswith(("/", "\\", "~")) or ".." in path or ":" in path:
        raise ValueError("must lie inside the plugin's own directory: a relative path without '..'")
    if path.endswith((".so", ".dll", ".dylib")):
        raise ValueError("must be a file of Python")
    module = path.removeprefix("./").removesuffix(".py").rstrip("/").replace("/", ".")
    try:
        return Entrypoint.parse(module)
    except ValueError:
        raise ValueError("must be the relative path of a .py file whose name can be imported") from None
