"""How plugins are connected: who requires whom, and what `import otherplugin` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pluginkit.discovery import Found
    from pluginkit.lifecycle.core import Core
    from pluginkit.lifecycle.plugin import Plugin
    from pluginkit.runtimes import Instance


def requirements(core: Core, plugin: Plugin) -> list[Plugin]:
    """All that `plugin` requires, directly or not, in loading order."""
    wanted: set[str] = set()
    pending = [plugin.name]
    while pending:
        manifest = core.plugins[pending.pop()].manifest
        for requirement in manifest.requires.plugins if manifest is not None else ():
            if requirement.name in core.plugins and requirement.name not in wanted:
                wanted.add(core.plugins[requirement.name].name)
                pending.append(requirement.name)
    return [core.plugins[name] for name in core.plan.order if name in wanted]


def wire(core: Core, found: Found, head: str) -> Instance | None:
    """Which instance `import head` means inside the plugin `found`; None = the host's business.

    A declared requirement is always meant; another plugin only where the host itself could
    not import anything else of that name.
    """
    plugin = core.packages.get(head)
    live = plugin._live if plugin is not None else None
    if plugin is None or live is None:
        return None
    required = {normalise_name(requirement.name) for requirement in found.manifest.requires.plugins}
    is_meant = normalise_name(plugin.name) in required or live.instance.public_name == head
    return live.instance if is_meant else None


def dependents(core: Core, name: str) -> list[Plugin]:
    """The live plugins that require `name` or import it, directly or not, last loaded first."""
    found: set[str] = set()
    pending = [core.plugins[name].name]
    while pending:
        needed = pending.pop()
        for other in core.in_load_order():
            if other.name not in found and _needs(core, other, needed):
                found.add(other.name)
                pending.append(other.name)
    return [plugin for plugin in reversed(core.in_load_order()) if plugin.name in found]


def _needs(core: Core, plugin: Plugin, name: str) -> bool:
    manifest, live = plugin.manifest, plugin._live
    if manifest is None or live is None:
        return False
    if any(normalise_name(r.name) == normalise_name(name) for r in manifest.requires.plugins):
        return True
    needed = core.plugins[name]._live
    return needed is not None and live.instance.imports(needed.instance)
