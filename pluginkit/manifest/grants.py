"""What a plugin may ask to be allowed: the parts of `Capabilities`, in one normal form.

These are requests. What is in force is what the host's policy leaves of them; nothing here
grants anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Permission = Literal["read", "write", "list", "create", "delete"]
Protocol = Literal["tcp", "udp"]
Scope = Literal["children"]

PERMISSIONS: tuple[Permission, ...] = ("read", "write", "list", "create", "delete")
PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp")
SCOPES: tuple[Scope, ...] = ("children",)
PATH_VARIABLES = ("data", "cache", "config", "plugin")


@dataclass(frozen=True, slots=True)
class FilesystemGrant:
    """Permissions on one file, or on one directory (then `path` ends in a slash).

    `path` is absolute, or begins with one of `${data}`, `${cache}`, `${config}`, `${plugin}`,
    which stand for the plugin's own directories. Without `recursive`, a directory's grant
    covers the entries directly in it. `symlinks` is `none` if even links that stay beneath the
    path must not be followed.
    """

    path: str
    permissions: frozenset[Permission]
    recursive: bool = False
    symlinks: Literal["beneath", "none"] = "beneath"

    @property
    def is_directory(self) -> bool:
        return self.path.endswith("/") or self.path.endswith("}")


@dataclass(frozen=True, slots=True)
class PortRange:
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        if (self.first, self.last) == (1, 65535):
            return "*"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class EgressRule:
    """Connections that the plugin may open: protocol, host and port must all match.

    A host is an exact name, `*.x` (exactly one label more), `**.x` (one or more), an IP
    address, a network in CIDR notation, or `*`. Names are in lower case, without a final dot.
    """

    protocol: Protocol
    hosts: tuple[str, ...]
    ports: tuple[PortRange, ...]


@dataclass(frozen=True, slots=True)
class IngressRule:
    """Ports that the plugin may listen on; from no `allowed_origins`, nobody may connect."""

    protocol: Protocol
    ports: tuple[PortRange, ...]
    bind: tuple[str, ...] = ("127.0.0.1",)
    allowed_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """What one argument of a command may be.

    `literal`: exactly `value`. `one`: any single argument that does not begin with `-`. `rest`:
    any number of such, at the end. `path`: a path that a filesystem grant of this plugin covers
    with the permission `value` (`read` or `write`).
    """

    kind: Literal["literal", "one", "rest", "path"]
    value: str = ""

    def __str__(self) -> str:
        if self.kind == "literal":
            return (
                f"lit:{self.value}"
                if "*" in self.value or self.value.startswith(("lit:", "path:"))
                else self.value
            )
        return {"one": "*", "rest": "**", "path": f"path:{self.value}"}[self.kind]


@dataclass(frozen=True, slots=True)
class ExecRule:
    """One command that may be run, and its arguments, position by position; never by a shell."""

    command: str
    args: tuple[Argument, ...] = ()
