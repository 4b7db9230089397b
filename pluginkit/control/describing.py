"""What is to be said of one plugin and of one hook, as plain data; nothing of any plugin is run for it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pluginkit.control.values import plain
from pluginkit.lifecycle import describe

if TYPE_CHECKING:
    from pluginkit.contracts import HookSpecInfo
    from pluginkit.control.controlled import Controlled
    from pluginkit.hooks import Implementation
    from pluginkit.lifecycle import Plugin

_KINDS = ("tryfirst", "trylast", "wrapper", "hookwrapper", "optionalhook")


def row_of(plugin: Plugin) -> dict[str, Any]:
    """What `list --json` says of a plugin of a running host: what a last run left is no matter here."""
    return {**describe(plugin), "last_run": None}


def details_of(host: Controlled, plugin: Plugin) -> dict[str, Any]:
    """What `info --json` says of a plugin beside its row."""
    from pluginkit.manifest import as_dict, normalise_name, problems_as_dicts

    reason, manifest = plugin.reason, plugin.manifest
    rivals = [p for p in host.plugins.conflicts if normalise_name(p.name) == normalise_name(plugin.name)]
    return {
        "problems": problems_as_dicts(reason.problems if reason is not None else ()),
        "manifest": None if manifest is None else as_dict(manifest),
        "grants": _grants_of(host, plugin),
        "config": _config_of(host, plugin.name),
        "conflicts": [{"origin": str(p.origin), "reason": str(p.reason)} for p in rivals],
        "lingering": [
            {"generation": one.generation, "running": list(map(str, one.running)), "alive": list(one.alive())}
            for one in host.lingering()
            if one.plugin == plugin.name
        ],
    }


def _grants_of(host: Controlled, plugin: Plugin) -> list[dict[str, Any]] | None:
    """How much of each of the plugin's wishes is granted; None if its manifest cannot be read."""
    grants = host.grants(plugin.name) if plugin.manifest is not None else None
    return None if grants is None else list(grants.rows)


def _config_of(host: Controlled, name: str) -> dict[str, Any] | None:
    """What the plugin's config file says; None without one, or if it cannot be read (its state says why)."""
    from pluginkit.config import PluginConfigs
    from pluginkit.errors import ConfigError

    try:
        config = PluginConfigs.scan(host.setup.plugin_configs_dir).get(name)
    except ConfigError:
        return None
    return None if config.file is None else config.as_dict()


def all_specs(host: Controlled) -> list[HookSpecInfo]:
    """The hooks of all contracts, by name."""
    specs = {name: hook for contract in host.contracts.values() for name, hook in contract.hooks.items()}
    return [specs[name] for name in sorted(specs)]


def describe_hook(host: Controlled, spec: HookSpecInfo, *, loaded: bool) -> dict[str, Any]:
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
    code = getattr(inspect.unwrap(one.function), "__code__", None)
    kinds = [kind for kind in _KINDS if one.opts.get(kind)]
    return {
        "plugin": one.plugin,
        "version": one.version,
        "priority": one.provider.priority,
        "kind": [*kinds, *(["async"] if one.asyncness == "yes" else [])],
        "file": None if code is None else code.co_filename,
        "line": None if code is None else code.co_firstlineno,
    }
