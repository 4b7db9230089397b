"""What discovery finds, as values: a plugin, a broken one, a conflict, and where each lies.

A broken plugin is a result like any other. Nothing here raises for it, so that one plugin's
defect never hides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pluginkit.errors import Problem, Reason
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.manifest import Manifest

OriginKind = Literal["directory", "file", "distribution", "host"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plugin comes from, as `list` shows it.

    `path` is the plugin's directory or single file; for an installed distribution it is its
    metadata directory (`….dist-info`), which appears and disappears with the installation.

    >>> str(Origin("distribution", distribution="pluginkit-cat", version="1.0"))
    'pip:pluginkit-cat 1.0'
    """

    kind: OriginKind
    path: Path | None = None
    distribution: str | None = None
    version: str | None = None
    editable: bool = False

    def __str__(self) -> str:
        if self.kind == "distribution":
            version = f" {self.version}" if self.version else ""
            return f"{'pip-editable' if self.editable else 'pip'}:{self.distribution}{version}"
        if self.kind == "host":
            return "host"
        return f"{'dir' if self.kind == 'directory' else 'file'}:{self.path}"


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin whose manifest holds, and whose entrypoint exists. Nothing of it was imported.

    `root` is the package's directory, or the file of a single-module plugin. `package` is the
    name that the plugin's own code calls that root by (dotted inside a namespace package), and
    `module` the entrypoint's module relative to it, "" for the root itself. `entry_point` is
    the value of the distribution's entry point. `notices` are for the plugin's author.
    """

    name: str
    manifest: Manifest
    origin: Origin
    root: Path
    package: str
    module: str = ""
    entry_point: str | None = None
    notices: tuple[str, ...] = ()

    @property
    def import_name(self) -> str:
        """The entrypoint's module as a plain import statement would name it."""
        return f"{self.package}.{self.module}" if self.module else self.package


@dataclass(frozen=True, slots=True)
class Broken:
    """A candidate that cannot be used; `reason` says why and what to do.

    Its name is that of its place, which nobody has checked, so it is made fit to be shown.
    """

    name: str
    origin: Origin
    reason: Reason

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))


Entry = Found | Broken
"""One candidate, usable or not."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A plugin that lost its name, or its package's name, to another; `reason` names both origins."""

    name: str
    winner: Origin
    loser: Entry
    reason: Reason


@dataclass(frozen=True, slots=True)
class Scan:
    """What one kind of place held, the entries in order of precedence.

    `problems` are about the places themselves (a plugins directory that is a file), `notices`
    about what is no fault but may surprise.
    """

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
