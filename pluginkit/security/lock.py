"""`plugins.lock`: which plugins, in which versions and with which files, somebody has approved.

One JSON file, meant to be committed beside the configuration. It is read strictly: a lock that
cannot be understood approves nothing, and no plugin is loaded in spite of it. It is replaced
atomically, under a lock of its own, so that two commands do not lose each other's entries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit.atomic import one_writer, write_atomic
from pluginkit.errors import Problem, Reason
from pluginkit.manifest import InvalidManifest, normalise_name, plugin_name
from pluginkit.printable import one_line
from pluginkit.security.subject import Refused, refuse
from pluginkit.strict_yaml import YamlError, load_json, read_regular_file
from pluginkit.versions import Version

if TYPE_CHECKING:
    from pluginkit.manifest import Capabilities

SCHEMA_VERSION = 1
MAX_BYTES = 4 << 20
_FIELDS = ("name", "version", "origin", "sha256", "capabilities", "signer")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved of one plugin: a version, its tree's sha256, what it may ask for, who signed it."""

    name: str
    version: Version
    origin: str
    sha256: str
    capabilities: Capabilities
    signer: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry as it stands in the file."""
        from pluginkit.manifest import capabilities_as_dict

        return {
            "name": self.name,
            "version": str(self.version),
            "origin": self.origin,
            "sha256": self.sha256,
            "capabilities": capabilities_as_dict(self.capabilities),
            "signer": self.signer,
        }


class LockFile:
    """The file `plugins.lock`; read when it is asked, and again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[object, Mapping[str, Approval]] | None = None

    def read(self) -> Mapping[str, Approval]:
        """All approvals by normalised name, none without a file; raises `Refused` (`lock-unreadable`)."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise refuse("lock-unreadable", f"cannot be read: {error.strerror}", file=self.path) from error
        seen = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        known = self._known
        if known is None or known[0] != seen:
            known = self._known = seen, _read(self.path)
        return known[1]

    def get(self, name: str) -> Approval | None:
        """The approval of one plugin; raises `Refused` if the file cannot be understood."""
        return self.read().get(normalise_name(name))

    def put(self, *approvals: Approval, keep: Callable[[str], bool] | None = None) -> None:
        """Add these, and keep of the others those whose normalised name `keep` wants, by default all.

        Raises `Refused` if the present file cannot be understood, OSError if it cannot be written.
        """
        with one_writer(self.path):
            entries = {name: entry for name, entry in self.read().items() if keep is None or keep(name)}
            entries.update({normalise_name(approval.name): approval for approval in approvals})
            rows = {name: entries[name].as_dict() for name in sorted(entries)}
            text = json.dumps({"schema_version": SCHEMA_VERSION, "plugins": rows}, indent=2)
            write_atomic(self.path, f"{text}\n".encode())


def _read(path: Path) -> dict[str, Approval]:
    try:
        content = read_regular_file(path, max_bytes=MAX_BYTES)
        document = load_json(content, file=path, max_bytes=MAX_BYTES, max_events=1_000_000)
    except YamlError as error:
        raise _unreadable(str(error.problems[0]), path) from error
    data = document.data
    try:
        _require_keys(data, ("schema_version", "plugins"), "the file")
        if data["schema_version"] != SCHEMA_VERSION or type(data["schema_version"]) is not int:
            found = data["schema_version"]
            raise ValueError(f"schema_version is {found!r}, and this pluginkit knows {SCHEMA_VERSION}")
        if not isinstance(data["plugins"], dict):
            raise ValueError("plugins must be a mapping of a name to an entry")
        return {name: _approval(name, row, path) for name, row in data["plugins"].items()}
    except (ValueError, InvalidManifest) as error:
        raise _unreadable(str(error), path) from error


def _unreadable(text: str, path: Path) -> Refused:
    place = "" if text.startswith(str(path)) else f"{path}: "
    advice = "a lock that cannot be read approves nothing: mend it, or remove it and approve again"
    return Refused(Reason("lock-unreadable", f"{place}{text}; {advice}", (Problem(text, file=path),)))


def _approval(name: str, row: Any, path: Path) -> Approval:
    where = f"plugins.{one_line(name)}"
    _require_keys(row, _FIELDS, where)
    for key in ("name", "version", "origin", "sha256"):
        if not isinstance(row[key], str):
            raise ValueError(f"{where}.{key} must be text")
    try:
        plugin_name(row["name"].strip("_"))  # as in discovery: pluggy's `_cat` does no harm
    except ValueError as error:
        raise ValueError(f"{where}.name {error}") from None
    if normalise_name(row["name"]) != name:
        raise ValueError(f"{where}.name is {row['name']!r}, another plugin")
    if not _DIGEST.fullmatch(row["sha256"]):
        raise ValueError(f"{where}.sha256 must be 64 hex digits in lower case")
    if not isinstance(row["signer"], str | None):
        raise ValueError(f"{where}.signer must be the id of a key, or null")
    try:
        version = Version.parse(row["version"])
    except ValueError:
        version = Version.parse_pep440(row["version"])
    from pluginkit.manifest import parse_capabilities

    capabilities = parse_capabilities(row["capabilities"], file=path)
    return Approval(row["name"], version, row["origin"], row["sha256"], capabilities, row["signer"])


def _require_keys(value: Any, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict) or set(value) != set(keys):
        found = f" (found {', '.join(map(repr, value))})" if isinstance(value, dict) else ""
        raise ValueError(f"{where} must be a mapping with exactly {', '.join(keys)}{found}")
