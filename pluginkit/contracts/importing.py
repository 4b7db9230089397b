"""A contract named in the config: `contracts: {animal: "myapp.contracts:Animal"}`.

This imports code of the host, never of a plugin. It is the one import that the config causes.
"""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType

from pluginkit.contracts.definition import Contract
from pluginkit.errors import ContractDefinitionError, describe_exception, did_you_mean

_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_SPEC = re.compile(rf"(?P<module>{_DOTTED}):(?P<attribute>{_DOTTED})")


def load_contract(spec: str, type_name: str, *, project: str = "pluginkit") -> Contract:
    """Import the class that `spec` names and read it as the contract of a plugin type.

    Args:
        spec: `module:Class`, importable by the host program.
        type_name: the plugin type that manifests name.
        project: the name that the contract's markers were made with.

    Raises:
        ContractDefinitionError: the form is wrong, the module or the class is not there, the
            module fails, or the class is no contract.

    >>> load_contract("pluginkit.contracts.samples:Animal", "animal").required
    ('speak',)
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ContractDefinitionError(
            f"contracts.{type_name}: {spec!r} is not of the form module:Class; "
            f'right would be {type_name}: "{_likely(spec)}"'
        )
    module = _import(match["module"], type_name)
    return Contract.of(type_name, _attribute(module, match["attribute"], type_name), project)


def _likely(spec: str) -> str:
    """What was probably meant by a spec that only has dots."""
    module, _, attribute = spec.rpartition(".")
    guess = f"{module}:{attribute}"
    return guess if _SPEC.fullmatch(guess) else "myapp.contracts:Animal"


def _import(name: str, type_name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ContractDefinitionError(
                f"contracts.{type_name}: there is no module {error.name!r} to import; install the "
                f"distribution that holds it, or add its directory to PYTHONPATH"
            ) from error
        raise ContractDefinitionError(
            f"contracts.{type_name}: the module {name!r} imports {error.name!r}, which is not installed"
        ) from error
    except Exception as error:
        raise ContractDefinitionError(
            f"contracts.{type_name}: the module {name!r} fails when it is imported: {describe_exception(error)}"
        ) from error


def _attribute(module: ModuleType, dotted: str, type_name: str) -> type:
    found: object = module
    for name in dotted.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            members: dict[str, object] = getattr(found, "__dict__", {})
            classes = [known for known, value in members.items() if inspect.isclass(value)]
            raise ContractDefinitionError(
                f"contracts.{type_name}: {module.__name__!r} has no {dotted!r}{did_you_mean(name, classes)}"
            ) from None
    if not inspect.isclass(found):
        raise ContractDefinitionError(
            f"contracts.{type_name}: {module.__name__}:{dotted} is a {type(found).__name__}, not a class of hookspecs"
        )
    return found
