"""Five sample contracts: what `plugins/` implements, and a model for your own.

A contract is a class of methods with `@hookspec`. The method's signature is what plugins get
and what they answer, its docstring tells their authors what is expected. Its body is never run:
`raise NotImplementedError` is there for type checkers, which want a `str` method to give one.
Results that have parts are frozen dataclasses, so that hosts and plugins share one type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pluginkit.markers import hookspec

ParameterType = Literal["string", "integer", "number", "boolean"]


class Animal:
    """Plugins that make a sound; the smallest contract there is."""

    @hookspec
    def speak(self, is_loud: bool) -> str:
        """What the animal says, in capitals with an exclamation mark if it is loud."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class TransformationParameter:
    """One parameter of a transformation; `default` is used when it is not required and not given."""

    name: str
    type: ParameterType
    required: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Transformation:
    """One way in which a transformer can change a text."""

    name: str
    description: str
    parameters: tuple[TransformationParameter, ...] = ()


class Transformer:
    """Plugins that change a text."""

    version = "1.0.0"

    @hookspec
    def transform(self, text: str) -> str:
        """The changed text. Raise ValueError for one that cannot be changed."""
        raise NotImplementedError

    @hookspec(required=False)
    def transformations(self) -> Sequence[Transformation]:
        """All that this transformer can do, for a host that shows a choice."""
        raise NotImplementedError


class Greeter:
    """Plugins that greet."""

    version = "1.0.0"

    @hookspec
    def greet(self, name: str) -> str:
        """One line that greets `name`."""
        raise NotImplementedError

    @hookspec(required=False)
    def greeter_version(self) -> str:
        """The version of the way of greeting, which need not be the plugin's."""
        raise NotImplementedError


class Lister:
    """Plugins that list directories; they need to be granted them."""

    @hookspec
    def list_files(self, path: str) -> Sequence[str]:
        """The names in the directory `path`, sorted."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """Processed data, base64 like the data that came in, and what the processor says of it."""

    data: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Processor:
    """Plugins that work on bytes, which travel as base64 so that any runtime can carry them."""

    version = "1.0.0"

    @hookspec
    def process(self, data: str, format: str = "text") -> ProcessResult:
        """The processed data.

        `format` says what the decoded bytes are, one of `formats()`. Its default makes it a
        parameter that a later version may add without breaking a caller, and that a plugin of
        one format need not take.
        """
        raise NotImplementedError

    @hookspec(required=False)
    def formats(self) -> Sequence[str]:
        """The formats that this processor understands, the preferred one first."""
        raise NotImplementedError
