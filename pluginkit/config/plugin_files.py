"""The directory of plugins' config files: looked at once, each file read when it is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pluginkit.config.compound import MAPPING
from pluginkit.config.given import Place, Report, read_document
from pluginkit.config.kinds import FLAG, WORD, Kind, Refused, integer
from pluginkit.config.plugin_config import PluginConfig
from pluginkit.errors import ConfigError, Problem, did_you_mean, nearest
from pluginkit.strict_yaml import Document

_SUFFIXES = (".config.yaml", ".config.json")
_ALMOST = (".config.yml", ".config.toml", ".config.ini")

FIELDS: Mapping[str, Kind[Any]] = {
    "name": WORD,
    "enabled": FLAG,
    "priority": integer(0, 100),
    "type": WORD,
    "settings": MAPPING,
}


class PluginConfigs:
    """All config files of one directory, by plugin name as PEP 503 normalises it.

    `notices` are sentences about files that look like plugin configuration but are not read.
    """

    def __init__(self, files: Mapping[str, tuple[Path, ...]], notices: Iterable[str] = ()) -> None:
        self._files = MappingProxyType(dict(files))
        self.notices = tuple(notices)

    @classmethod
    def scan(cls, directory: str | os.PathLike[str] | None) -> PluginConfigs:
        """List a directory; None or one that does not exist holds nothing.

        Raises `ConfigError` when it is there and cannot be listed.
        """
        files: dict[str, list[Path]] = {}
        notices = []
        for path in _list(directory):
            suffix = next((suffix for suffix in _SUFFIXES if path.name.endswith(suffix)), None)
            if suffix is not None:
                files.setdefault(_normalised(path.name.removesuffix(suffix)), []).append(path)
            elif path.name.endswith(_ALMOST):
                notices.append(
                    f"{path}: is not read; a plugin's config file ends in {' or '.join(_SUFFIXES)}"
                )
        return cls({name: tuple(paths) for name, paths in files.items()}, notices)

    def get(self, name: str) -> PluginConfig:
        """The configuration of a plugin; without a file, one with the defaults.

        Raises `ConfigError` with all problems: two files for one plugin, bad YAML, an unknown
        or wrong field, a name that is not the file's.
        """
        paths = self._files.get(_normalised(name), ())
        if len(paths) > 1:
            both = " and ".join(map(str, paths))
            problem = Problem(
                f"{both} configure the same plugin; keep one of them", path="name", found=repr(name)
            )
            raise ConfigError(f"the configuration of plugin {name!r} cannot be used", [problem])
        return _read(paths[0], name) if paths else PluginConfig(name=name)

    def unmatched(self, names: Iterable[str]) -> tuple[str, ...]:
        """A sentence for each file that belongs to none of the plugins `names`."""
        known = {_normalised(name): name for name in names}
        return tuple(
            f"{paths[0]}: there is no plugin named {name!r}{did_you_mean(name, known.values())}"
            for name, paths in sorted(self._files.items())
            if name not in known
        )


def _list(directory: str | os.PathLike[str] | None) -> list[Path]:
    if directory is None:
        return []
    try:
        return [Path(directory, name) for name in sorted(os.listdir(directory)) if not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        problem = Problem(f"cannot be listed: {error.strerror or error}", file=os.fspath(directory))
        raise ConfigError("the directory of plugin configurations cannot be used", [problem]) from error


def _read(path: Path, name: str) -> PluginConfig:
    report = Report()
    document = read_document(path, report)
    fields = _read_fields(document, Place(path, document), name, report)
    if report.problems:
        raise ConfigError(f"the configuration of plugin {name!r} cannot be used", report.problems)
    return PluginConfig(**{**fields, "name": name}, file=path, document=document)


def _read_fields(document: Document, place: Place, name: str, report: Report) -> dict[str, Any]:
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        report.add(
            [place.problem("must be a mapping with name, enabled, priority, settings", (), found=data)]
        )
        return {}
    fields: dict[str, Any] = {}
    for key, value in data.items():
        if key not in FIELDS:
            report.add([place.problem(f"unknown key{_hint(key)}", (key,))])
        elif value is not None:
            _read_field(key, value, fields, place, report)
    if _normalised(fields.get("name", name)) != _normalised(name):
        message = "must be the name that the file has"
        report.add([place.problem(message, ("name",), found=fields["name"], example=name)])
    return fields


def _read_field(key: str, value: object, fields: dict[str, Any], place: Place, report: Report) -> None:
    kind = FIELDS[key]
    try:
        fields[key] = kind.read(value)
    except Refused as refused:
        example = f"{key}: {kind.example}"
        report.add(
            place.problem(fault.message, (key, *fault.at), found=value, example=example)
            for fault in refused.faults
        )


def _hint(key: str) -> str:
    """A setting that stands one level too high is as likely as a misspelt field."""
    if nearest(key, FIELDS) is None:
        return "; the plugin's own settings stand below 'settings'"
    return did_you_mean(key, FIELDS)


def _normalised(name: str) -> str:
    """As PEP 503 compares names; the manifest room, which has it too, is on this room's floor."""
    folded = re.sub(r"[-_.]+", "-", name)
    return folded.lower() if folded.isascii() else folded
