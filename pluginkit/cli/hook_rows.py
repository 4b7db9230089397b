"""What is to be said of one hook, as plain data: its spec, and who implements it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pluginkit.cli.paths import shown_path
from pluginkit.cli.values import plain

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.hooks import Implementation
    from pluginkit.host import Host

_KINDS = ("tryfirst", "trylast", "wrapper", "hookwrapper", "optionalhook")


def describe_hook(host: Host, spec: HookSpecInfo, *, loaded: bool) -> dict[str, Any]:
    """The row that `hooks --json` gives of a hook; what is not asked for is None."""
    hook = getattr(host.hook, spec.name)
    return {
        "name": spec.name,
        "signature": str(spec),
        "contracts": [c.type for c in host.contracts.values() if spec.name in c.hooks],
        "parameters": [_parameter(parameter) for parameter in spec.signature.parameters.values()],
        "returns": _annotation(spec.signature.return_annotation),
        "doc": spec.doc,
        "required": spec.required,
        "firstresult": spec.firstresult,
        "historic": spec.historic,
        "async": spec.is_async,
        "implementations": [_implementation(one) for one in hook.implementations()] if loaded else None,
        "source": hook.source() if loaded else None,
    }


def _parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    has_default = parameter.default is not inspect.Parameter.empty
    return {
        "name": parameter.name,
        "type": _annotation(parameter.annotation),
        "required": not has_default,
        "default": plain(parameter.default) if has_default else None,
    }


def _annotation(annotation: object) -> str | None:
    if annotation is inspect.Parameter.empty:
        return None
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _implementation(one: Implementation) -> dict[str, Any]:
    file, line = _place(one)
    kinds = [kind for kind in _KINDS if one.opts.get(kind)]
    return {
        "plugin": one.plugin,
        "version": one.version,
        "priority": one.provider.priority,
        "kind": [*kinds, *(["async"] if one.asyncness == "yes" else [])],
        "file": file,
        "line": line,
    }


def _place(one: Implementation) -> tuple[str | None, int | None]:
    code = getattr(inspect.unwrap(one.function), "__code__", None)
    return (None, None) if code is None else (shown_path(code.co_filename), code.co_firstlineno)
