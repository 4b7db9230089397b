"""One hook of a contract, as values that commands, checks and callers read."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pluginkit.contracts.declared import Declared


@dataclass(frozen=True)
class HookSpecInfo:
    """One hook of a contract: what the host passes, and what it expects back.

    `signature` is without `self`; its annotations are as written, `annotations` has them
    resolved. `exact` means that an implementation has to take every parameter. `rules` has what
    the hook declares for the values of its calls, by parameter, and by `return`.
    """

    name: str
    contract: str
    signature: inspect.Signature
    doc: str
    firstresult: bool
    historic: bool
    required: bool
    exact: bool
    function: Callable[..., object] = field(repr=False, compare=False)
    rules: Mapping[str, Declared] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """`speak(is_loud: bool) -> str`, as in the source but without `self`."""
        parameters = [p.replace(annotation=_bare(p.annotation)) for p in self.signature.parameters.values()]
        returns = _bare(self.signature.return_annotation)
        return f"{self.name}{self.signature.replace(parameters=parameters, return_annotation=returns)}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in order, without `self`."""
        return tuple(self.signature.parameters)

    @property
    def defaults(self) -> Mapping[str, object]:
        """The parameters that a caller may leave out, with the value that plugins then see."""
        return {
            name: parameter.default
            for name, parameter in self.signature.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }

    @property
    def is_async(self) -> bool:
        """Whether the spec is an `async def`, so that the host awaits the hook's results."""
        return inspect.iscoroutinefunction(self.function)

    @functools.cached_property
    def annotations(self) -> Mapping[str, object]:
        """Parameter name (and `return`) to its type, without `Annotated`; what cannot be resolved stays text.

        Resolved on first use, since a contract may name types that only a type checker
        imports, and since most hosts never ask.
        """
        raw = {
            name: parameter.annotation
            for name, parameter in self.signature.parameters.items()
            if parameter.annotation is not inspect.Parameter.empty
        }
        if self.signature.return_annotation is not inspect.Signature.empty:
            raw["return"] = self.signature.return_annotation
        namespace = inspect.unwrap(self.function).__globals__
        return types.MappingProxyType({name: _resolve(text, namespace) for name, text in raw.items()})


class _Bare(str):
    """An annotation that was written without quotes, under `from __future__ import annotations`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: object) -> object:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _resolve(annotation: object, namespace: dict[str, object]) -> object:
    holder = types.SimpleNamespace(__annotations__={"value": annotation})
    try:
        return typing.get_type_hints(holder, globalns=namespace)["value"]
    except Exception:
        # A name that only type checkers import, or a type written for a newer Python.
        return annotation
