"""Manifests for plugins that ship none: made up from a file's source text, or from metadata.

They have the type `pluggy`: no contract, the host's hookspecs are matched leniently.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pluginkit.discovery import reasons
from pluginkit.discovery.files import read_regular
from pluginkit.errors import Problem, Reason
from pluginkit.manifest import About, Entrypoint, Manifest, Requires, plugin_name
from pluginkit.versions import Version, VersionRange

if TYPE_CHECKING:
    from pluginkit.discovery.installed import Installed

TYPE = "pluggy"
_DEFAULT_VERSION = "0.0.0"
_MAX_SOURCE = 4 * 1024 * 1024
_EXTRA = re.compile(r"\bextra\b")
_HOME_LABELS = ("homepage", "home", "home-page", "source", "repository")


def from_source(path: str, stem: str, package: str) -> Manifest | Reason:
    """The manifest of the single file `path`, or why it cannot be a plugin.

    Version and description are the text of `__version__` and the first line of the docstring.
    The file is parsed, not run.
    """
    try:
        plugin_name(stem)
    except ValueError as error:
        return _invalid(path, Problem(str(error), path="plugin.name", found=repr(stem), file=path))
    try:
        tree = ast.parse(read_regular(path, max_bytes=_MAX_SOURCE), path)
    except OSError as error:
        return reasons.unreadable(path, error)
    except SyntaxError as error:
        return reasons.syntax_error(path, error.msg, error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return reasons.syntax_error(path, str(error) or "it is nested too deeply", None)
    version = _version_of(tree, path)
    if isinstance(version, Problem):
        return _invalid(path, version)
    about = About(description=(ast.get_docstring(tree) or "").partition("\n")[0].strip())
    return Manifest(name=stem, type=TYPE, entrypoint=Entrypoint(package), version=version, about=about)


def from_metadata(
    installed: Installed, name: str, entrypoint: Entrypoint
) -> tuple[Manifest, tuple[str, ...]]:
    """The manifest of an entry point, and notices about metadata that cannot be heeded."""
    notices = []
    python = VersionRange()
    try:
        python = VersionRange.parse(installed.field("Requires-Python"))
    except ValueError as error:
        notices.append(f"Requires-Python of {installed.name} {installed.version} is not heeded: {error}")
    manifest = Manifest(
        name=name,
        type=TYPE,
        entrypoint=entrypoint,
        version=installed.version,
        about=About(
            description=installed.field("Summary"),
            maintainers=tuple(dict.fromkeys(_people(installed))),
            url=_url(installed),
            license=installed.field("License-Expression", "License").partition("\n")[0],
        ),
        requires=Requires(python=python, packages=tuple(_packages(installed))),
    )
    return manifest, tuple(notices)


def _invalid(path: str, problem: Problem) -> Reason:
    return reasons.manifest_invalid([problem], file=path)


def _version_of(tree: ast.Module, path: str) -> Version | Problem:
    written = next(filter(None, map(_written_version, tree.body)), None)
    if written is None:
        return Version.parse(_DEFAULT_VERSION)
    text, line = written
    with suppress(ValueError):
        return Version.parse(text)
    try:
        return Version.parse_pep440(text)
    except ValueError as error:
        example = '__version__ = "1.2.3"'
        return Problem(
            str(error), path="__version__", found=repr(text), example=example, file=path, line=line
        )


def _written_version(node: ast.stmt) -> tuple[str, int] | None:
    """Text and line of a `__version__ = "…"`; one that is computed is not known before the code runs."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(text)))
            | ast.AnnAssign(target=ast.Name(id="__version__"), value=ast.Constant(value=str(text)))
        ):
            return text, node.lineno
        case _:
            return None


def _people(installed: Installed) -> Iterator[str]:
    """Authors and maintainers, as addresses where the metadata has them."""
    for names, addresses in (("Author", "Author-email"), ("Maintainer", "Maintainer-email")):
        text = installed.field(addresses, names)
        yield from (person.strip() for person in text.split(",") if person.strip())


def _url(installed: Installed) -> str:
    """The project's home: Home-page, or the Project-URL that is labelled so, or the first one."""
    home = installed.field("Home-page")
    if home:
        return home
    urls: dict[str, str] = {}
    for value in installed.fields("Project-URL"):
        label, _, url = value.partition(",")
        urls.setdefault(label.strip().lower(), url.strip())
    return next((urls[label] for label in _HOME_LABELS if label in urls), next(iter(urls.values()), ""))


def _packages(installed: Installed) -> Iterator[str]:
    """The requirements that hold without asking for an extra."""
    for requirement in installed.requires:
        if not _EXTRA.search(requirement.partition(";")[2]):
            yield requirement
