"""One plugin's own config file, `<plugin_configs_dir>/<name>.config.yaml` or `.json`.

It is read in two steps. The first needs the file alone and says whether the plugin is enabled
and how it is ordered, for management that imports nothing. The second, for plugins that will
load, resolves references to secrets and holds the settings to the manifest's schema.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pluginkit.config.frozen import thaw
from pluginkit.config.given import Place
from pluginkit.config.kinds import Fault, Steps
from pluginkit.config.redaction import HIDDEN, redacted
from pluginkit.config.references import References
from pluginkit.config.schema import InvalidSchema, SettingsSchema
from pluginkit.config.schema.nodes import list_at
from pluginkit.config.settings import Settings
from pluginkit.errors import ConfigError, Problem, did_you_mean
from pluginkit.strict_yaml import Document

_log = logging.getLogger("pluginkit")

CONFIG_TYPES = "x-config-types"
"""Keyword of a settings schema: the config types that the plugin takes."""


class DeclaresSettings(Protocol):
    """What of a manifest is needed here."""

    @property
    def name(self) -> str:
        """The plugin's name."""
        ...

    @property
    def settings(self) -> Mapping[str, Any] | None:
        """The JSON Schema of its settings; None lets any settings pass unchecked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginConfig:
    """What a plugin's config file says; without a file, the defaults.

    `priority` is None when the manifest's holds. `settings` stand as in the file, references to
    secrets unresolved; `settings_for` gives what the plugin is to be handed.
    """

    name: str
    enabled: bool = True
    priority: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    type: str | None = None
    file: Path | None = None
    document: Document | None = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, directory: str | os.PathLike[str] | None, name: str) -> PluginConfig:
        """Read one plugin's file. For many plugins, `PluginConfigs.scan` looks once for all."""
        from pluginkit.config.plugin_files import PluginConfigs

        return PluginConfigs.scan(directory).get(name)

    def settings_for(
        self,
        manifest: DeclaresSettings,
        *,
        environ: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> Settings:
        """Return the settings to hand to the plugin: references resolved, checked, completed.

        `environ` is where `$env` looks, the process's environment by default; `strict` makes
        the typed look-ups raise instead of falling back on their defaults.

        Raises `ConfigError` with every problem, each with its line: a secret that is not
        there, a setting that the schema refuses, a schema that is none.
        """
        declared = manifest.settings
        references = References(os.environ if environ is None else environ, self._base())
        given = references.resolve(self._delivered(declared))
        secrets = frozenset(references.secrets)
        faults: Iterable[Fault] = references.faults
        if declared is not None:
            given, refused = self._completed(declared, given, secrets)
            faults = [*references.faults, *_elsewhere(refused, references.faults)]
        problems = [self._problem(fault, given, secrets) for fault in faults]
        if problems:
            problems.sort(key=lambda problem: problem.line or 0)
            raise ConfigError(f"the settings of plugin {self.name!r} cannot be used", problems)
        return Settings(given, plugin=self.name, secrets=secrets, strict=strict)

    def as_dict(self, *, redact: bool = True) -> dict[str, Any]:
        """The file's content as plain data for JSON, secrets hidden unless `redact` is false."""
        plain = {
            "name": self.name,
            "enabled": self.enabled,
            "priority": self.priority,
            "type": self.type,
            "settings": thaw(self.settings),
            "file": None if self.file is None else str(self.file),
        }
        return redacted(plain) if redact else plain

    def _delivered(self, declared: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """The settings, unless the file holds a type of configuration that the plugin does not take."""
        taken = list_at(declared or {}, CONFIG_TYPES)
        if self.type is None or self.type in taken:
            return self.settings
        sentence = "%s: plugin %r takes no configuration of type %r, it is not delivered%s"
        _log.warning(sentence, self.file, self.name, self.type, did_you_mean(self.type, taken))
        return {}

    def _completed(
        self, declared: Mapping[str, Any], given: dict[str, Any], secrets: frozenset[Steps]
    ) -> tuple[dict[str, Any], tuple[Fault, ...]]:
        try:
            return SettingsSchema(declared).apply(given, secrets)
        except InvalidSchema as error:
            problem = Problem(
                f"is no usable JSON Schema, its author has to mend it: {error}", path="settings"
            )
            raise ConfigError(f"the manifest of plugin {self.name!r} is wrong", [problem]) from error

    def _problem(self, fault: Fault, completed: Mapping[str, Any], secrets: frozenset[Steps]) -> Problem:
        place = Place(self.file or f"plugin {self.name}", self.document)
        steps = ("settings", *fault.at)
        written, delivered = _at(self.settings, fault.at), _at(completed, fault.at)
        if any(fault.at[: len(secret)] == secret for secret in secrets):
            hidden = None if delivered is None else HIDDEN
            return replace(place.problem(fault.message, steps), found=hidden)
        if written is None and delivered is not None:
            message = f"the default in the plugin's schema {fault.message}"
            return place.problem(message, steps, found=delivered)
        return place.problem(fault.message, steps, found=written)

    def _base(self) -> Path:
        return Path.cwd() if self.file is None else self.file.absolute().parent


def _elsewhere(faults: Iterable[Fault], others: Iterable[Fault]) -> list[Fault]:
    """Leave out what is wrong where something was wrong before: it follows from that."""
    places = {fault.at for fault in others}
    return [fault for fault in faults if fault.at not in places]


def _at(value: Any, steps: Steps) -> Any:
    """The scalar at a place; None if there is none."""
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return None if isinstance(value, Mapping | list | tuple) else value
