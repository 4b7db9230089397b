"""What the host said about one hook: its name, what it passes, and how answers are gathered."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pluginkit.contracts.declared import Declared, rules_of
from pluginkit.errors import ContractDefinitionError
from pluginkit.hooks.checks import Checks
from pluginkit.hooks.reading import marked


@dataclass(frozen=True)
class HookSpec:
    """One hook as a contract, or a module of hookspecs, describes it.

    `strict` hooks are called with exactly their parameters. Lenient ones, which pluggy's
    projects are used to, warn about missing arguments and tolerate others.
    """

    name: str
    owner: str
    function: Callable[..., Any] = field(repr=False)
    parameters: tuple[inspect.Parameter, ...]
    firstresult: bool = False
    historic: bool = False
    required: bool = True
    strict: bool = True
    warn_on_impl: Warning | None = None
    warn_on_impl_args: Mapping[str, Warning] | None = None
    # What is declared for the values of calls, by argument; `return` is the result.
    rules: Mapping[str, Declared] = field(default_factory=dict, hash=False)

    @property
    def argnames(self) -> tuple[str, ...]:
        """The names of all parameters, in order, without `self`."""
        return tuple(parameter.name for parameter in self.parameters)

    @functools.cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The values of parameters that a caller may leave out."""
        empty = inspect.Parameter.empty
        return {p.name: p.default for p in self.parameters if p.default is not empty}

    @functools.cached_property
    def checks(self) -> Checks | None:
        """What calls have to check; None if the spec declares no rule."""
        return Checks(self.name, self.rules, self.defaults) if self.rules else None

    @property
    def signature(self) -> inspect.Signature:
        """The call as the host makes it: keywords only; the annotation is what one plugin answers."""
        returned = inspect.signature(self.function).return_annotation
        keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in self.parameters]
        return inspect.Signature(keywords, return_annotation=returned)

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations as they are written, `return` among them."""
        return dict(getattr(inspect.unwrap(self.function), "__annotations__", {}))

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def is_async(self) -> bool:
        """Whether implementations are expected to be coroutines, so that the host awaits them."""
        return inspect.iscoroutinefunction(self.function)

    def agrees_with(self, other: HookSpec) -> bool:
        """Whether one call fits both: the same parameters, defaults, rules, and way of gathering."""
        mine, theirs = (
            (spec.argnames, spec.defaults, dict(spec.rules), spec.firstresult, spec.historic)
            for spec in (self, other)
        )
        return mine == theirs


def read_specs(source: object, project: str, *, owner: str, strict: bool) -> Iterator[HookSpec]:
    """Every hookspec of a module, a class or an instance of one.

    Raises:
        ContractDefinitionError: there is none, or one of a contract cannot be called by keyword.
    """
    found = False
    for name, function, options in marked(source, project, "spec"):
        found = True
        yield _spec(name, function, options, source, owner=owner, strict=strict)
    if not found:
        shown = getattr(source, "__qualname__", getattr(source, "__name__", repr(source)))
        raise ContractDefinitionError(
            f"{shown} has no hookspec of project {project!r}; "
            f"mark its functions with @hookspec, or with HookspecMarker({project!r})"
        )


def _spec(
    name: str,
    function: Callable[..., Any],
    options: Mapping[str, Any],
    source: object,
    *,
    owner: str,
    strict: bool,
) -> HookSpec:
    parameters = _parameters(name, function, owner=owner, strict=strict)
    passed = [parameter.name for parameter in parameters]
    return HookSpec(
        name=name,
        owner=owner,
        function=function,
        parameters=parameters,
        firstresult=bool(options.get("firstresult")),
        historic=bool(options.get("historic")),
        required=bool(options.get("required", True)),
        strict=strict,
        warn_on_impl=options.get("warn_on_impl"),
        warn_on_impl_args=options.get("warn_on_impl_args"),
        rules=rules_of(function, passed, where=f"hook {name!r} of {owner!r}", owner=source),
    )


def _parameters(
    name: str, function: Callable[..., Any], *, owner: str, strict: bool
) -> tuple[inspect.Parameter, ...]:
    """The parameters that a call passes; what has no name of its own is refused or, by pluggy, ignored."""
    plain = inspect.unwrap(function)
    found = list(inspect.signature(getattr(plain, "__func__", plain)).parameters.values())
    if found and (
        inspect.ismethod(function) or ("." in _local_name(plain) and found[0].name in ("self", "cls"))
    ):
        found = found[1:]
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    odd = next((p for p in found if p.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD), None)
    if strict and odd is not None:
        raise ContractDefinitionError(
            f"hook {name!r} of {owner!r}: parameter '{odd}' is {odd.kind.description}; "
            f"hooks are called by keyword, so write plain parameters: def {name}(self, {odd.name})"
        )
    return tuple(p for p in found if p.kind in named)


def _local_name(function: Callable[..., Any]) -> str:
    return function.__qualname__.rsplit("<locals>.", 1)[-1]
