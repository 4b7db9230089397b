"""What a plugin says of itself, as frozen values. Reading and checking are elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from pluginkit.versions import Version, VersionRange

from .names import IDENTIFIER, plugin_name

if TYPE_CHECKING:
    # Few manifests ask for anything, and making these classes takes its time.
    from .connections import Handshake, HttpServices
    from .grants import EgressRule, ExecRule, FilesystemGrant, IngressRule, Scope

LOWEST_PRIORITY = 0
HIGHEST_PRIORITY = 100
DEFAULT_PRIORITY = 50

ANY_VERSION = VersionRange()

Source = Literal["manifest.yaml", "plugin.json", "derived"]
"""What a manifest was made from."""

ReloadMode = Literal["beside", "gated", "stop_first"]
"""How a new version takes over.

`beside`: it is started while the old one serves. `gated`: calls wait while the old one's state is handed
over, so that no change of it is lost. `stop_first`: calls wait, and the old one is stopped before the new
one is started, because both cannot have the same port or lock file.
"""

_LONGEST_ENTRYPOINT = 256
_DOTTED = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"
# A module may be called py, but whoever writes cat.py means the file.
_ENTRYPOINT = re.compile(rf"(?![^:]*\.py(?::|\Z))({_DOTTED})(?::({_DOTTED}))?\Z")


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """Where a plugin's code begins: a module inside the plugin, and maybe something in it.

    >>> Entrypoint.parse("cat:Cat")
    Entrypoint(module='cat', attribute='Cat')
    >>> str(Entrypoint.parse("impl.loud:Registry.cat"))
    'impl.loud:Registry.cat'
    """

    module: str
    attribute: str | None = None

    @classmethod
    def parse(cls, text: str) -> Entrypoint:
        """Read `module` or `module:attribute`, both dotted names.

        Raises ValueError with a sentence: an entrypoint names code inside the plugin's own
        directory, so paths, `..` and absolute ones are refused, whatever they lead to.
        """
        match = _ENTRYPOINT.match(text) if len(text) <= _LONGEST_ENTRYPOINT else None
        if match is None:
            raise ValueError(_why_no_entrypoint(text))
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return self.module if self.attribute is None else f"{self.module}:{self.attribute}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The types, formats and languages that a host knows; anything else is an error."""

    types: frozenset[str]
    formats: frozenset[str] = frozenset({"native"})
    languages: frozenset[str] = frozenset({"python"})


@dataclass(frozen=True, slots=True)
class About:
    """What people want to know."""

    description: str = ""
    maintainers: tuple[str, ...] = ()
    url: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class Security:
    """Wishes for plugins in processes of their own."""

    auto_mtls: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """All that a plugin asks for; by itself nothing. The scopes of `kill`, `list` and `signal` say on which processes."""

    filesystem: tuple[FilesystemGrant, ...] = ()
    egress: tuple[EgressRule, ...] = ()
    ingress: tuple[IngressRule, ...] = ()
    exec: tuple[ExecRule, ...] = ()
    kill: frozenset[Scope] = frozenset()
    list: frozenset[Scope] = frozenset()
    signal: frozenset[Scope] = frozenset()
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginRequirement:
    """Another plugin that must be there, in one of these versions.

    >>> PluginRequirement.parse("cat >=1.2,<2")
    PluginRequirement(name='cat', range=VersionRange(text='>=1.2,<2'))
    """

    name: str
    range: VersionRange = ANY_VERSION

    @classmethod
    def parse(cls, text: str) -> PluginRequirement:
        """Read a plugin's name and maybe a range of versions; raises ValueError with a sentence."""
        match = re.match(r"([^\s<>=!~]*)\s*(.*)\Z", text, re.DOTALL)
        name, bounds = match.groups() if match else ("", text)
        return cls(plugin_name(name), VersionRange.parse(bounds))

    def __str__(self) -> str:
        return f"{self.name} {self.range}".strip()


@dataclass(frozen=True, slots=True)
class Requires:
    """What must be there before the plugin is imported, and its order among the others.

    `packages` are requirements on installed distributions as PEP 508 writes them. `before` and
    `after` name plugins, present or not, that this one is to be loaded before or after.
    """

    host: VersionRange = ANY_VERSION
    python: VersionRange = ANY_VERSION
    pluginkit: VersionRange = ANY_VERSION
    plugins: tuple[PluginRequirement, ...] = ()
    packages: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a plugin that is only described here can be fetched."""

    url: str
    ref: str | None = None


# What most manifests leave out; frozen, so that one of each is enough for all.
_NO_ABOUT = About()
_NO_SECURITY = Security()
_NO_CAPABILITIES = Capabilities()
_NO_REQUIRES = Requires()
_NO_IMPLEMENTATIONS: Mapping[str, Entrypoint] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that is known of a plugin before a line of it runs.

    `settings` is the JSON Schema of the plugin's settings; None means that it declared none,
    and any settings pass. `source` says what the manifest was read from; a `derived` one was
    made up for a plugin that ships none. `remote` is the place of a plugin that is described
    here and is still to be fetched (`source.mode: remote_git` of a plugin.json).
    """

    name: str
    type: str
    format: str = "native"
    entrypoint: Entrypoint
    language: str = "python"
    version: Version
    priority: int = DEFAULT_PRIORITY
    reload: ReloadMode = "beside"
    about: About = _NO_ABOUT
    handshake: Handshake | None = None
    security: Security = _NO_SECURITY
    capabilities: Capabilities = _NO_CAPABILITIES
    requires: Requires = _NO_REQUIRES
    settings: Mapping[str, Any] | None = field(default=None, hash=False)
    hooks: tuple[str, ...] = ()
    implementations: Mapping[str, Entrypoint] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
    http_services: HttpServices | None = None
    remote: Remote | None = None
    file: Path | None = None
    source: Source = "derived"


def _why_no_entrypoint(text: str) -> str:
    if len(text) > _LONGEST_ENTRYPOINT:
        return f"must not be longer than {_LONGEST_ENTRYPOINT} characters"
    if ".." in text or text.startswith(("/", "\\", "~")) or (text[1:2] == ":" and text[2:3] in ("/", "\\")):
        return "must lie inside the plugin's own directory: a module, not a path"
    if "/" in text or "\\" in text or text.partition(":")[0].endswith(".py"):
        return "must be the name of a module, not of a file"
    return "must be a module, or a module and an attribute with ':' between them"
