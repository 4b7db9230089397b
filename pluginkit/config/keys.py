"""How a configuration key is declared, found by its name, and told of in the reference.

The typed sections in `model.py` are the one place that lists keys. Reading, the environment,
`origin`, the nearest known name and the reference page all derive from what stands there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pluginkit.config.frozen import thaw
from pluginkit.config.kinds import Kind
from pluginkit.errors import did_you_mean

T = TypeVar("T")

PREFIX = "PLUGINKIT_"
_METADATA = "pluginkit"

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Declaration(Generic[T]):
    kind: Kind[T]
    default: Callable[[], T]
    shown_default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the host's configuration."""

    path: KeyPath
    kind: Kind[Any]
    default: Callable[[], Any]
    shown_default: str
    meaning: str

    def __str__(self) -> str:
        return ".".join(self.path)

    @property
    def environment_name(self) -> str:
        """The variable that sets this key: `PLUGINKIT_LOGGING__MQ__LOG_QUEUE`."""
        return environment_name(self.path)


def key(kind: Kind[T], default: object, meaning: str, *, shown: str | None = None) -> T:
    """Declare a key as the default of a dataclass field.

    `default` is written as it would stand in the file, or is a callable that gives it;
    `shown` is how the reference prints one that depends on the machine.
    """

    def make() -> T:
        # A default is right as it stands, so `read` never mends it.
        return cast("T", kind.read(default() if callable(default) else default))

    declaration = _Declaration(kind, make, _shown(default) if shown is None else shown, meaning)
    return dataclasses.field(default_factory=make, metadata={_METADATA: declaration})


def section(of: type[T]) -> T:
    """Declare a nested section as the default of a dataclass field."""
    return dataclasses.field(default_factory=of, metadata={_METADATA: of})


def walk(root: type[Any], prefix: KeyPath = ()) -> Iterator[Key]:
    """All keys below a section, in the order of their declaration."""
    for field in dataclasses.fields(root):
        declared = field.metadata.get(_METADATA)
        path = (*prefix, field.name)
        if isinstance(declared, _Declaration):
            yield Key(path, declared.kind, declared.default, declared.shown_default, declared.meaning)
        else:
            yield from walk(field.metadata[_METADATA], path)


def build(root: type[T], values: Mapping[KeyPath, object], prefix: KeyPath = (), **extra: object) -> T:
    """Make a section and those below it; a key without a value has its default."""
    arguments = dict(extra)
    for field in dataclasses.fields(root):  # type: ignore[arg-type]  # every section is a dataclass
        declared = field.metadata.get(_METADATA)
        path = (*prefix, field.name)
        if isinstance(declared, type):
            arguments[field.name] = build(declared, values, path)
        elif path in values:
            arguments[field.name] = values[path]
    return root(**arguments)


def environment_name(path: KeyPath) -> str:
    """The environment variable of a key path."""
    return PREFIX + "__".join(path).upper()


def suggestion(path: KeyPath, known: Mapping[KeyPath, Key]) -> str:
    """The end of a sentence about an unknown key: what was probably meant.

    A name that is right but stands in the wrong section says more than a similar neighbour.
    """
    parent, name = path[:-1], path[-1]
    moved = [str(other) for other in known.values() if other.path[-1] == name.lower()]
    if moved:
        return f"; did you mean {moved[0]!r}?"
    return did_you_mean(name, {other[len(parent)] for other in known if other[: len(parent)] == parent})


def _shown(default: object) -> str:
    plain = thaw(default)
    if isinstance(plain, bool):
        return str(plain).lower()
    return str(plain)
