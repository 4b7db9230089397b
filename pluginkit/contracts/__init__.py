"""Contracts: what a host asks of a type of plugins, and whether a plugin keeps to it.

Everything here is imported on first use. A host always needs `Contract` and `Execute`, but checks
only when it loads a plugin, and reads typed arguments only on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluginkit.contracts.arguments import arguments_from_text as arguments_from_text
    from pluginkit.contracts.arguments import arguments_from_values as arguments_from_values
    from pluginkit.contracts.call_context import CallContext as CallContext
    from pluginkit.contracts.checking import check as check
    from pluginkit.contracts.checking import newest_fulfilled as newest_fulfilled
    from pluginkit.contracts.checking import remarks as remarks
    from pluginkit.contracts.definition import Contract as Contract
    from pluginkit.contracts.definition import ensure_distinct as ensure_distinct
    from pluginkit.contracts.execute import Execute as Execute
    from pluginkit.contracts.execute import LabelDispatch as LabelDispatch
    from pluginkit.contracts.execute import on_label as on_label
    from pluginkit.contracts.hook_info import HookSpecInfo as HookSpecInfo
    from pluginkit.contracts.importing import load_contract as load_contract
    from pluginkit.contracts.samples import Animal as Animal
    from pluginkit.contracts.samples import Greeter as Greeter
    from pluginkit.contracts.samples import Lister as Lister
    from pluginkit.contracts.samples import Processor as Processor
    from pluginkit.contracts.samples import ProcessResult as ProcessResult
    from pluginkit.contracts.samples import Transformation as Transformation
    from pluginkit.contracts.samples import TransformationParameter as TransformationParameter
    from pluginkit.contracts.samples import Transformer as Transformer
    from pluginkit.contracts.text import Bytes as Bytes
    from pluginkit.contracts.text import Text as Text
    from pluginkit.contracts.text import sanitise as sanitise

__all__ = [
    "Animal",
    "Bytes",
    "CallContext",
    "Contract",
    "Execute",
    "Greeter",
    "HookSpecInfo",
    "LabelDispatch",
    "Lister",
    "ProcessResult",
    "Processor",
    "Text",
    "Transformation",
    "TransformationParameter",
    "Transformer",
    "arguments_from_text",
    "arguments_from_values",
    "check",
    "ensure_distinct",
    "load_contract",
    "newest_fulfilled",
    "on_label",
    "remarks",
    "sanitise",
]

# A module must not have the name of something it exports: importing it would put the module in its place.
_HOME_OF = {
    "Animal": "samples",
    "Bytes": "text",
    "CallContext": "call_context",
    "Contract": "definition",
    "Execute": "execute",
    "Greeter": "samples",
    "Lister": "samples",
    "HookSpecInfo": "hook_info",
    "LabelDispatch": "execute",
    "ProcessResult": "samples",
    "Processor": "samples",
    "Text": "text",
    "Transformation": "samples",
    "TransformationParameter": "samples",
    "Transformer": "samples",
    "arguments_from_text": "arguments",
    "arguments_from_values": "arguments",
    "check": "checking",
    "ensure_distinct": "definition",
    "load_contract": "importing",
    "newest_fulfilled": "checking",
    "on_label": "execute",
    "remarks": "checking",
    "sanitise": "text",
}

if not TYPE_CHECKING:
    # Hidden from type checkers, for which a module with a __getattr__ has every name there is.

    def __getattr__(name: str) -> object:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
