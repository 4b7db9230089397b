"""The host's configuration: read from its sources, checked whole, immutable afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pluginkit.config.frozen import thaw
from pluginkit.config.given import Given, Report, read_document
from pluginkit.config.keys import KeyPath, build
from pluginkit.config.kinds import Mended, Refused
from pluginkit.config.model import LogLevel, Sections
from pluginkit.config.redaction import redacted
from pluginkit.config.sources import KEYS, from_environment, from_file, from_overrides
from pluginkit.errors import ConfigError, Problem, UnknownName

DEFAULT = "default"
DERIVED = "derived"

_FULL_VERSION: KeyPath = ("application", "app_version", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Sections):
    """Everything that the host can be told, with the place that each value came from.

    `path` is the file that was read, None without one. `is_found` says that nobody named it: it lay
    in the current directory, so that it and the plugins beside it may have come with a clone. `notices` are sentences about what was
    read in spite of being odd: unknown keys, values that were mended, a missing file.

    >>> config = Config.load(None, environ={}, overrides={"logging.log_level": "DEBUG"})
    >>> config.log_level, config.origin("logging.log_level"), config.origin("logging.log_filename")
    ('debug', 'command line', 'default')
    """

    path: Path | None = None
    is_found: bool = False
    notices: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        # Short, and without the values: some of them are secrets.
        return f"<Config {self.path or 'without a file'}>"

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, object] | None = None,
        strict: bool = False,
        is_found: bool = False,
    ) -> Config:
        """Read the configuration: defaults, then the file, the environment, the overrides.

        Args:
            path: A YAML or JSON file; None for no file (built-in defaults, and a notice).
            environ: Variables to look `PLUGINKIT_SECTION__KEY` up in, the process's by default.
            overrides: Values by dotted key that win over all else; None as a value is "not
                given", text is read as in the environment.
            strict: Whether an unknown key or variable is an error instead of a notice.
            is_found: Whether nobody named the file: then the plugins directory beside it is not
                trusted unless it says so, or the user does (`pluginkit trust`).

        Raises `ConfigError` with all problems at once: the file is not there or cannot be
        read, a value has the wrong type, an override names no key.
        """
        report = Report(strict)
        file = None if path is None else Path(path)
        base = Path.cwd() if file is None else file.absolute().parent
        if file is None:
            report.notices.append(Problem("no configuration file; the built-in defaults hold"))
        givens = [
            *(from_file(read_document(file, report), file, report) if file is not None else ()),
            *from_environment(os.environ if environ is None else environ, base, report),
            *from_overrides(overrides or {}, report),
        ]
        values, origins = _settle(givens, base, report)
        if report.problems:
            raise ConfigError("the configuration cannot be used", report.problems)
        notices = tuple(map(str, report.notices))
        return build(
            cls, values, path=file, is_found=is_found, notices=notices, origins=MappingProxyType(origins)
        )

    def origin(self, key: str) -> str:
        """Where a key's value came from.

        `default`, `file:LINE`, `environment NAME` or `command line`; `derived` is the full
        version when it was made of its three numbers. Raises `UnknownName`.
        """
        if key not in self.origins and tuple(key.split(".")) not in KEYS:
            raise UnknownName("configuration key", key, map(str, KEYS.values()))
        return self.origins.get(key, DEFAULT)

    def rows(self, *, redact: bool = True) -> Iterator[tuple[str, Any, str]]:
        """Each key with its value as plain data, secrets hidden, and its origin."""
        for known in KEYS.values():
            value: Any = self
            for part in known.path:
                value = getattr(value, part)
            plain = thaw(value)
            yield str(known), redacted(plain, known.path[-1]) if redact else plain, self.origin(str(known))

    def as_dict(self, *, redact: bool = True) -> dict[str, Any]:
        """The whole configuration as nested plain data, ready for JSON; secrets are hidden."""
        tree: dict[str, Any] = {}
        for name, value, _ in self.rows(redact=redact):
            *sections, last = name.split(".")
            node = tree
            for part in sections:
                node = node.setdefault(part, {})
            node[last] = value
        return tree

    @property
    def host_version(self) -> str | None:
        """`application.app_version.full`; None if nobody said what the host's version is."""
        version = self.application.app_version.full
        return None if self.origin("application.app_version.full") == DEFAULT else version

    @property
    def log_level(self) -> LogLevel:
        """`logging.log_level`."""
        return self.logging.log_level

    @property
    def plugins_dir(self) -> Path:
        """`directories.plugins_dir`."""
        return self.directories.plugins_dir

    @property
    def plugin_configs_dir(self) -> Path:
        """`directories.plugin_configs_dir`."""
        return self.directories.plugin_configs_dir

    @property
    def logs_dir(self) -> Path:
        """`directories.logs_dir`."""
        return self.directories.logs_dir

    @property
    def state_dir(self) -> Path:
        """`directories.state_dir`."""
        return self.directories.state_dir

    @property
    def log_file(self) -> Path:
        """`logging.log_filename`, in `logs_dir`."""
        return self.logs_dir / self.logging.log_filename

    @property
    def audit_file(self) -> Path:
        """`audit.log`, in `logs_dir`: what was done to plugins, and what they were allowed."""
        return self.logs_dir / "audit.log"

    @property
    def log_mq_enabled(self) -> bool:
        """`logging.mq.log_enable_persistent_queue`."""
        return self.logging.mq.log_enable_persistent_queue

    @property
    def log_mq_file(self) -> Path:
        """`logging.mq.log_db_file`, in `logs_dir`."""
        return self.logs_dir / self.logging.mq.log_db_file

    @property
    def worker_pool_max_workers(self) -> int:
        """`worker_pool.wp_max_workers`."""
        return self.worker_pool.wp_max_workers


def find_config(directory: str | os.PathLike[str] = ".") -> Path | None:
    """Return the `config.yaml` (or `config.json`) of a directory, for commands that were given none."""
    for name in ("config.yaml", "config.json"):
        path = Path(directory, name)
        if os.path.lexists(path):
            return path
    return None


def _settle(
    givens: Iterable[Given], base: Path, report: Report
) -> tuple[dict[KeyPath, object], dict[str, str]]:
    """Let the last one win. Those that lose are checked too: they would win another day."""
    values: dict[KeyPath, object] = {known.path: _located(known.default(), base) for known in KEYS.values()}
    origins: dict[str, str] = {}
    for given in givens:
        try:
            value = given.key.kind.read(given.value)
        except Refused as refused:
            report.add(given.problems(refused.faults))
            continue
        if isinstance(value, Mended):
            report.notices.append(given.place.problem(value.notice, given.steps, found=given.value))
            value = value.value
        values[given.key.path] = _located(value, given.base)
        origins[str(given.key)] = given.origin
    if not values[_FULL_VERSION] and any(name.startswith("application.app_version.") for name in origins):
        origins[".".join(_FULL_VERSION)] = DERIVED
    return values, origins


def _located(value: object, base: Path) -> object:
    return base / value if isinstance(value, Path) else value
