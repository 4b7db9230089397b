"""What can be said of a plugin before any of its code is imported.

Pure functions over what discovery found, the host's circumstances and the user's choices. They
give the state, the reason and the settings of each plugin; `list`, `info` and `doctor` show
just that, and loading starts from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pluginkit.discovery import Broken
from pluginkit.errors import ConfigError, Reason, did_you_mean
from pluginkit.lifecycle.handshakes import handshake_fault
from pluginkit.lifecycle.order import Order, Wishes, load_order
from pluginkit.lifecycle.states import PluginState
from pluginkit.lifecycle.vouching import foresee
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.config import PluginConfig, PluginConfigs, Settings
    from pluginkit.discovery import Catalogue, Entry, Found
    from pluginkit.manifest import Handshake, Manifest, PluginRequirement
    from pluginkit.security.judge import Judge
    from pluginkit.versions import Version, VersionRange


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What plugins are judged against. `disabled` holds normalised names and who says so.

    `strict` makes a plugin's look-up of a setting with the wrong type an error. `judge` knows
    whom the host trusts; without one, everybody. `handshake` is the host's part of it; without one,
    protocol version 1 and no cookie.
    """

    python: Version
    pluginkit: Version
    host: Version | None = None
    disabled: Mapping[str, Reason] = field(default_factory=dict)
    plugin_configs_dir: Path | None = None
    strict: bool = False
    judge: Judge | None = None
    handshake: Handshake | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on one plugin; `settings` is there for those that may be loaded."""

    source: Entry
    state: PluginState
    reason: Reason | None = None
    priority: int = 50
    settings: Settings | None = None

    @property
    def summary(self) -> str:
        """The verdict as a text, to be compared with a later one."""
        return f"{self.state}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """All verdicts by the plugin's name, and the order in which to load the fit ones."""

    assessments: Mapping[str, Assessment]
    order: tuple[str, ...]
    notices: tuple[str, ...]


def make_plan(catalogue: Catalogue, circumstances: Circumstances) -> Plan:
    """Judge every plugin of the catalogue, alone first, then by what it requires of others."""
    configs = read_configs(circumstances.plugin_configs_dir)
    verdicts = {entry.name: _assess(entry, catalogue, circumstances, configs) for entry in catalogue}
    _hold_to_requirements(verdicts)
    order = _order(verdicts)
    for name, cycle in order.cycles.items():
        text = f"requires itself: {' → '.join(cycle)}; one of these has to give up its requirement"
        verdicts[name] = _failed(verdicts[name], Reason("requirement-cycle", text))
    _hold_to_requirements(verdicts)
    fit = tuple(name for name in order.names if verdicts[name].state is PluginState.DISCOVERED)
    notices = (
        *catalogue.notices,
        *map(str, catalogue.problems),
        *configs.notices,
        *configs.unmatched(verdicts),
        *(f"plugin {name!r}: {wish} is ignored, it would close a circle" for name, wish in order.ignored),
    )
    return Plan(verdicts, fit, notices)


def _assess(
    entry: Entry, catalogue: Catalogue, circumstances: Circumstances, configs: PluginConfigs
) -> Assessment:
    reason = circumstances.disabled.get(normalise_name(entry.name)) or catalogue.deselected.get(entry.name)
    if reason is not None:
        return Assessment(entry, PluginState.DISABLED, reason)
    if entry.name not in catalogue.found:
        return Assessment(entry, PluginState.FAILED, catalogue.broken[entry.name].reason)
    return _assess_found(catalogue.found[entry.name], circumstances, configs)


def _assess_found(found: Found, circumstances: Circumstances, configs: PluginConfigs) -> Assessment:
    manifest = found.manifest
    incompatible = _incompatibility(found, circumstances)
    try:
        config = configs.get(found.name)
        if not config.enabled:
            return Assessment(found, PluginState.DISABLED, disabled_by_file(config))
        if incompatible is not None:
            return Assessment(found, PluginState.INCOMPATIBLE, incompatible)
        refused = foresee(circumstances.judge, found)
        if refused is not None:
            state = PluginState.HELD if refused.is_held else PluginState.FAILED
            return Assessment(found, state, refused.reason)
        settings = config.settings_for(manifest, strict=circumstances.strict)
    except ConfigError as error:
        text = f"its config file cannot be used: {error.problems[0] if error.problems else error}"
        return Assessment(found, PluginState.FAILED, Reason("settings-invalid", text, error.problems))
    priority = manifest.priority if config.priority is None else config.priority
    return Assessment(found, PluginState.DISCOVERED, None, priority, settings)


def read_configs(directory: Path | None) -> PluginConfigs:
    """Look for the plugins' own config files, once for all plugins."""
    from pluginkit.config import PluginConfigs

    return PluginConfigs.scan(directory)


def disabled_by_file(config: PluginConfig) -> Reason:
    """Why a plugin is off whose own config file says so."""
    return Reason("disabled-by-file", f"`enabled: false` in {config.file}")


def _incompatibility(found: Found, circumstances: Circumstances) -> Reason | None:
    requires = found.manifest.requires
    checks: tuple[tuple[str, VersionRange, Version | None], ...] = (
        ("host", requires.host, circumstances.host),
        ("python", requires.python, circumstances.python),
        ("pluginkit", requires.pluginkit, circumstances.pluginkit),
    )
    for what, wanted, present in checks:
        if present is not None and not wanted.contains(present, prereleases=True):
            text = f"{found.name} {found.manifest.version} requires {what} {wanted}, this is {what} {present}"
            return Reason(f"incompatible-{what}", text)
    return handshake_fault(found, circumstances.handshake)


def _hold_to_requirements(verdicts: dict[str, Assessment]) -> None:
    """Fail those whose requirements are missing or unfit, until nothing changes any more."""
    names = {normalise_name(name): name for name in verdicts}
    needy = sorted(name for name, verdict in verdicts.items() if _requirements(verdict))
    changed = True
    while changed:
        changed = False
        for name in needy:
            if verdicts[name].state is PluginState.DISCOVERED:
                reason = _unmet(verdicts[name], verdicts, names)
                if reason is not None:
                    verdicts[name] = _failed(verdicts[name], reason)
                    changed = True


def _unmet(
    verdict: Assessment, verdicts: Mapping[str, Assessment], names: Mapping[str, str]
) -> Reason | None:
    for requirement in _requirements(verdict):
        present = names.get(normalise_name(requirement.name))
        wanted = f"{requirement.name} {requirement.range}".strip()
        if present is None:
            hint = did_you_mean(requirement.name, verdicts)
            return Reason("requirement-missing", f"requires the plugin {wanted}, which is not there{hint}")
        other = verdicts[present]
        if other.state is not PluginState.DISCOVERED:
            text = f"requires the plugin {wanted}, which is {other.state}: {other.reason}"
            return Reason("requirement-unfit", text)
        version = _manifest(other.source).version
        if not requirement.range.contains(version, prereleases=True):
            return Reason(
                "requirement-version", f"requires the plugin {wanted}, there is {present} {version}"
            )
    return None


def _requirements(verdict: Assessment) -> tuple[PluginRequirement, ...]:
    fit = verdict.state is PluginState.DISCOVERED
    return _manifest(verdict.source).requires.plugins if fit else ()


def _order(verdicts: Mapping[str, Assessment]) -> Order:
    fit = {n: v for n, v in verdicts.items() if v.state is PluginState.DISCOVERED}
    names = {normalise_name(name): name for name in fit}

    def known(wanted: tuple[str, ...]) -> list[str]:
        return [names[normalise_name(name)] for name in wanted if normalise_name(name) in names]

    wishes = {}
    for name, verdict in fit.items():
        requires = _manifest(verdict.source).requires
        wishes[name] = Wishes(
            requires=known(tuple(r.name for r in requires.plugins)),
            before=known(requires.before),
            after=known(requires.after),
        )
    return load_order(wishes)


def _failed(verdict: Assessment, reason: Reason) -> Assessment:
    return Assessment(verdict.source, PluginState.FAILED, reason, verdict.priority)


def _manifest(entry: Entry) -> Manifest:
    if isinstance(entry, Broken):
        raise TypeError(f"{entry.name} is broken and has no manifest")
    return entry.manifest
