"""What a contract says: a plain class whose methods carry `@hookspec`, read once and frozen.

Reading is strict, because a host author should learn of a slip where the contract is written
and not from the first plugin that stumbles over it. Whatever passes here can be called by
keyword, implemented with fewer arguments, and shown by `pluginkit hooks`.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pluginkit.contracts.declared import rules_of
from pluginkit.contracts.hook_info import HookSpecInfo
from pluginkit.errors import ContractDefinitionError
from pluginkit.versions import Version

Exclusive = Literal[False, True, "first"]
_EXCLUSIVE: tuple[Exclusive, ...] = (False, True, "first")
# Contract has a field named `type`, which hides the builtin inside the class.
ContractClass: TypeAlias = type

_BY_NAME = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True)
class Contract:
    """A type of plugin: the hooks it has to implement, and how many may provide it.

    Lives as long as its host. The class that it is read from is never instantiated; it may set

    - `version`: a semantic version as text, `"1.0.0"` when absent. A host may offer several
      versions of one type; the highest that a plugin fulfils is used.
    - `exclusive`: `False` (any number of plugins), `True` (a second one is an error) or
      `"first"` (any number; `host.provider(type)` gives the first by priority).
    - `exact`: `True` if implementations must take every parameter of a hook. Normally they
      may take fewer, as with pluggy.

    >>> from pluginkit.markers import hookspec
    >>> class Animal:
    ...     @hookspec
    ...     def speak(self, is_loud: bool) -> str:
    ...         "What the animal says."
    >>> animal = Contract.of("animal", Animal)
    >>> animal.hooks["speak"].parameters, animal.hooks["speak"].required, animal.version
    (('is_loud',), True, '1.0.0')
    """

    type: str
    cls: ContractClass
    hooks: Mapping[str, HookSpecInfo]
    version: str = "1.0.0"
    exclusive: Exclusive = False
    project: str = "pluginkit"

    @classmethod
    def of(cls, type_name: str, contract_class: ContractClass, project: str = "pluginkit") -> Contract:
        """Read a class of hookspecs, inherited ones included.

        Args:
            type_name: the plugin type that manifests name, such as `animal`.
            contract_class: the class whose methods carry `@hookspec`.
            project: the name that the markers were made with, `HookspecMarker(project)`.

        Raises:
            ContractDefinitionError: the class has no hookspec, or one that cannot be called
                by keyword; the message says what to write.
        """
        if not inspect.isclass(contract_class):
            raise ContractDefinitionError(_not_a_class(type_name, contract_class))
        exact = _exact(contract_class)
        hooks = {
            name: _read_hook(type_name, contract_class, name, options, exact=exact)
            for name, options in _hookspecs(contract_class, project)
        }
        if not hooks:
            raise ContractDefinitionError(_no_hookspec(type_name, contract_class, project))
        return cls(
            type=type_name,
            cls=contract_class,
            hooks=types.MappingProxyType(hooks),
            version=_version(contract_class),
            exclusive=_exclusive(contract_class),
            project=project,
        )

    @property
    def required(self) -> tuple[str, ...]:
        """The hooks that every plugin of this type has to implement."""
        return tuple(name for name, hook in self.hooks.items() if hook.required)


def ensure_distinct(contracts: Iterable[Contract]) -> None:
    """Refuse two contracts that give one hook name different signatures.

    All hooks of a host share one name space (`host.hook.speak`), so the same name may stand in
    two contracts only if one call fits both. Versions of one type are compared with each other
    never, since a plugin fulfils only one of them.

    Raises:
        ContractDefinitionError: names the hook and both contracts.
    """
    owners: dict[str, tuple[Contract, HookSpecInfo]] = {}
    for contract in contracts:
        for name, hook in contract.hooks.items():
            owner, known = owners.setdefault(name, (contract, hook))
            if owner.type != contract.type and _call_form(known) != _call_form(hook):
                raise ContractDefinitionError(
                    f"hook {name!r} stands in two contracts with different signatures: "
                    f"{owner.type!r} has {known}, {contract.type!r} has {hook}; rename one of them"
                )


def _call_form(hook: HookSpecInfo) -> tuple[object, ...]:
    return hook.parameters, dict(hook.defaults), dict(hook.rules), hook.firstresult, hook.historic


def _hookspecs(contract_class: type, project: str) -> Iterable[tuple[str, Mapping[str, object]]]:
    """Each hookspec's name and options in order of definition, bases first."""
    marker = f"{project}_spec"
    names = {name: None for base in reversed(contract_class.__mro__) for name in vars(base)}
    for name in names:
        options = getattr(_plain(inspect.getattr_static(contract_class, name)), marker, None)
        if isinstance(options, Mapping):
            yield name, options
        elif base := _marked_base(contract_class, name, marker):
            raise ContractDefinitionError(
                f"{contract_class.__qualname__}.{name} overrides the hookspec of {base.__qualname__} "
                f"without @hookspec, which would drop the hook; write @hookspec above it"
            )


def _marked_base(contract_class: type, name: str, marker: str) -> type | None:
    bases = (base for base in contract_class.__mro__ if name in vars(base))
    return next((base for base in bases if hasattr(_plain(vars(base)[name]), marker)), None)


def _plain(attribute: object) -> object:
    """The function behind a staticmethod or classmethod object."""
    return attribute.__func__ if isinstance(attribute, (staticmethod, classmethod)) else attribute


def _read_hook(
    type_name: str, contract_class: type, name: str, options: Mapping[str, object], *, exact: bool
) -> HookSpecInfo:
    function = inspect.getattr_static(contract_class, name)
    where = f"{contract_class.__qualname__}.{name}"
    if not inspect.isfunction(function):
        raise ContractDefinitionError(
            f"{where} is a {type(function).__name__}; a hookspec is a plain method: def {name}(self, …)"
        )
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if not parameters or parameters[0].name != "self":
        right = ", ".join(["self", *signature.parameters])
        raise ContractDefinitionError(f"{where} has no self; write def {name}({right})")
    _refuse_unnameable(where, parameters[1:])
    passed = [parameter.name for parameter in parameters[1:]]
    return HookSpecInfo(
        name=name,
        contract=type_name,
        signature=signature.replace(parameters=parameters[1:]),
        doc=inspect.getdoc(function) or "",
        firstresult=bool(options.get("firstresult")),
        historic=bool(options.get("historic")),
        required=bool(options.get("required", True)),
        exact=exact,
        function=function,
        rules=rules_of(function, passed, where=f"hook {name!r} of {type_name!r}", owner=contract_class),
    )


def _refuse_unnameable(where: str, parameters: Iterable[inspect.Parameter]) -> None:
    """Hooks are called by keyword and implementations may take fewer: only plain names can do that."""
    advice = {
        inspect.Parameter.POSITIONAL_ONLY: "is positional-only; drop the '/'",
        inspect.Parameter.KEYWORD_ONLY: "is keyword-only; drop the '*': hooks are called by keyword anyway",
        inspect.Parameter.VAR_POSITIONAL: "has no name to call it by; name each value that plugins get",
        inspect.Parameter.VAR_KEYWORD: "has no fixed names; name each value that plugins get",
    }
    for parameter in parameters:
        if parameter.kind is not _BY_NAME:
            raise ContractDefinitionError(f"{where}: parameter '{parameter}' {advice[parameter.kind]}")


def _not_a_class(type_name: str, given: object) -> str:
    if inspect.ismodule(given):
        return (
            f"contract {type_name!r} is the module {given.__name__!r}; name a class in it, "
            f"or pass a module of pluggy hookspecs as Host(hookspecs=[{given.__name__}])"
        )
    example = f"contracts={{{type_name!r}: {type(given).__name__}}}"
    return f"contract {type_name!r} is {given!r}, not a class; pass the class itself: {example}"


def _no_hookspec(type_name: str, contract_class: type, project: str) -> str:
    methods = [
        name for name, value in vars(contract_class).items() if inspect.isfunction(value) and name[0] != "_"
    ]
    other = next((marker for name in methods if (marker := _other_project(contract_class, name))), None)
    if other is not None:
        return (
            f"contract {type_name!r}: the hookspecs of {contract_class.__qualname__} are marked for the "
            f"project {other!r}, but this host's project is {project!r}; use HookspecMarker({project!r})"
        )
    first = methods[0] if methods else "speak"
    return (
        f"contract {type_name!r}: {contract_class.__qualname__} has no method with @hookspec; "
        f"write @hookspec above def {first}(self, …)"
    )


def _other_project(contract_class: type, name: str) -> str | None:
    marks = (mark for mark in vars(vars(contract_class)[name]) if mark.endswith("_spec"))
    return next((mark.removesuffix("_spec") for mark in marks), None)


def _version(contract_class: type) -> str:
    text = _setting(contract_class, "version", "1.0.0")
    try:
        return str(Version.parse(typing.cast("str", text)))
    except (ValueError, TypeError) as error:
        raise ContractDefinitionError(
            f"{contract_class.__qualname__}.version is {text!r}, which is no semantic version; "
            f'right would be version = "1.0.0"'
        ) from error


def _exclusive(contract_class: type) -> Exclusive:
    value = _setting(contract_class, "exclusive", False)
    for choice in _EXCLUSIVE:
        if type(value) is type(choice) and value == choice:
            return choice
    raise ContractDefinitionError(
        f'{contract_class.__qualname__}.exclusive is {value!r}; it is False, True or "first"'
    )


def _exact(contract_class: type) -> bool:
    value = _setting(contract_class, "exact", False)
    if not isinstance(value, bool):
        raise ContractDefinitionError(
            f"{contract_class.__qualname__}.exact is {value!r}; it is True or False"
        )
    return value


def _setting(contract_class: type, name: str, default: object) -> object:
    """A class attribute, unless a hook of that name took its place (a contract may have a hook `version`)."""
    value = getattr(contract_class, name, default)
    return default if inspect.isfunction(value) else value
