"""Contracts: what a host asks of a type of plugins, and whether a plugin keeps to it."""

from __future__ import annotations

from pluginkit.contracts.arguments import arguments_from_text, arguments_from_values
from pluginkit.contracts.call_context import CallContext
from pluginkit.contracts.check import check, newest_fulfilled, remarks
from pluginkit.contracts.definition import Contract, HookSpecInfo, ensure_distinct
from pluginkit.contracts.execute import Execute, LabelDispatch, on_label
from pluginkit.contracts.importing import load_contract
from pluginkit.contracts.samples import (
    Animal,
    Greeter,
    Processor,
    ProcessResult,
    Transformation,
    TransformationParameter,
    Transformer,
)

__all__ = [
    "Animal",
    "CallContext",
    "Contract",
    "Execute",
    "Greeter",
    "HookSpecInfo",
    "LabelDispatch",
    "ProcessResult",
    "Processor",
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
]
