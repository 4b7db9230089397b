"""Which host is which: the same question is asked by the host that opens a socket and by who looks for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Identity:
    """A host's name, its config file if it has one, and its plugins directories; paths are resolved.

    Two hosts that agree in all of it cannot be told apart, so only the first has a socket.

    >>> Identity("zoo", "/zoo/config.yaml", ("/zoo/plugins",)).key
    '5f1c622ecade449d'
    """

    name: str
    config: str | None
    plugins_dirs: tuple[str, ...]

    @classmethod
    def of(cls, name: str, config: Path | None, plugins_dirs: Iterable[Path]) -> Self:
        """The identity of a host that is described by these paths."""
        return cls(name, None if config is None else resolved(config), tuple(map(resolved, plugins_dirs)))

    @property
    def key(self) -> str:
        """What its files are called: short whatever the paths are, and the same for the same host."""
        import hashlib

        text = json.dumps([self.name, self.config, *self.plugins_dirs])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "config": self.config, "plugins_dirs": list(self.plugins_dirs)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Raises `KeyError` or `TypeError` for what is no identity."""
        return cls(data["name"], data["config"], tuple(data["plugins_dirs"]))

    def __str__(self) -> str:
        where = self.config or ", ".join(self.plugins_dirs)
        return f"{self.name!r} of {where}" if where else repr(self.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which host somebody means; what is None is not asked for.

    `plugins_dirs` alone means also a host that a program has made without a config file.
    """

    config: str | None = None
    plugins_dirs: tuple[str, ...] | None = None
    name: str | None = None

    def matches(self, identity: Identity) -> bool:
        """Whether this host is meant."""
        if self.name is not None and identity.name != self.name:
            return False
        if self.plugins_dirs is None:
            return self.config is None or identity.config == self.config
        return identity.plugins_dirs == self.plugins_dirs and identity.config in (None, self.config)


def resolved(path: Path) -> str:
    """A path as everybody spells it, whichever way they came to it."""
    return str(path.resolve())
