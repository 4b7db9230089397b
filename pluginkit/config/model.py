"""The host's configuration as typed, immutable values: every key, its type, default and meaning.

A new key is one line here. Keys of other systems' config files keep their names, prefix and
all (`log_level`, `fw_enabled`), so that people can bring their files along.
"""

# `key` and `section` are dataclasses.field, with what is known of the key in its metadata.
# ruff: noqa: RUF009

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pluginkit.config.compound import (
    CALLS,
    CONTRACTS,
    GRANTS,
    MAPPING,
    POLICIES,
    PROTOCOL_VERSIONS,
    TEXTS,
    HookCall,
    levels_by_name,
)
from pluginkit.config.keys import key, section
from pluginkit.config.kinds import (
    FILE_NAME,
    FLAG,
    PATH,
    TEXT,
    VERSION,
    WORD,
    choice,
    duration,
    executor,
    integer,
    level,
    limit,
    megabytes,
    workers,
)
from pluginkit.defaults import ENTRY_POINT_GROUP

if TYPE_CHECKING:
    from pluginkit.versions import Version

LogLevel: TypeAlias = Literal["trace", "debug", "info", "warn", "error"]
ErrorPolicy: TypeAlias = Literal["record", "raise", "group"]
GuardMode: TypeAlias = Literal["observe", "block", "off"]

LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)
ERROR_POLICIES: tuple[ErrorPolicy, ...] = get_args(ErrorPolicy)
GUARD_MODES: tuple[GuardMode, ...] = get_args(GuardMode)


def default_workers() -> int:
    """As many as `concurrent.futures.ThreadPoolExecutor` starts when it is not told."""
    count = getattr(os, "process_cpu_count", os.cpu_count)
    return min(32, (count() or 1) + 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppVersion:
    """The version of the host program, which plugins' `requires.host` is compared with."""

    major: int = key(integer(0), 0, "First number of the host program's version.")
    minor: int = key(integer(0), 0, "Second number.")
    patch: int = key(integer(0), 0, "Third number.")
    codename: str = key(TEXT, "", "A name for people; it is not part of the version.")
    full: str = key(
        VERSION,
        "",
        "The whole version, semver or PEP 440. When it is not given it is made of the three numbers.",
        shown="major.minor.patch",
    )

    def __post_init__(self) -> None:
        if not self.full:
            object.__setattr__(self, "full", f"{self.major}.{self.minor}.{self.patch}")

    @property
    def version(self) -> Version:
        """`full`, ready for comparison."""
        from pluginkit.versions import Version

        try:
            return Version.parse(self.full)
        except ValueError:
            return Version.parse_pep440(self.full)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSection:
    """The host program."""

    app_name: str = key(WORD, "app", "Name of the host program, in logs and in the command line's output.")
    app_mode: str = key(WORD, "dev", "What the host runs as (`dev`, `prod`, …); plugins may ask for it.")
    app_version: AppVersion = section(AppVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoriesSection:
    """Where things are."""

    plugins_dir: Path = key(
        PATH, "./plugins", "Each directory and each `*.py` file directly in it is a plugin."
    )
    plugin_configs_dir: Path = key(
        PATH, "./plugin_configs", "Holds the plugins' own files, `<name>.config.yaml` or `.json`."
    )
    logs_dir: Path = key(PATH, "./logs", "Holds log files and the log queue's database; created when needed.")
    state_dir: Path = key(
        PATH, ".pluginkit", "What the host remembers between runs: disabled plugins, kept versions."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQueueSection:
    """The persistent queue in front of the slow log sinks."""

    log_enable_persistent_queue: bool = key(
        FLAG, False, "Whether records pass through a queue on disk, so that none is lost in a crash."
    )
    log_db_file: str = key(FILE_NAME, "logs.db", "The queue's SQLite file, in `directories.logs_dir`.")
    log_queue: str = key(WORD, "log_queue", "Name of the queue inside that file; several may share it.")
    log_remove_on_complete: bool = key(
        FLAG, True, "Whether a record is deleted once it is logged; if not, it is kept and marked as done."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSection:
    """The host's log."""

    log_level: LogLevel = key(
        level(LOG_LEVELS, "info"),
        "info",
        "The least severe level that is logged, in any case. An unknown one is `info`, with a notice.",
    )
    log_levels: Mapping[str, LogLevel] = key(
        levels_by_name(LOG_LEVELS), {}, "Levels of their own for plugins, loggers and modules, by name."
    )
    log_filename: str = key(FILE_NAME, "app.log", "The log file, in `directories.logs_dir`.")
    log_max_size: float = key(
        megabytes(2),
        2,
        "Size in MB at which the file is rotated. Anything outside the range is 2, with a notice.",
    )
    log_max_backups: int = key(integer(0), 0, "How many rotated files are kept; 0 is no limit.")
    log_max_age: int = key(integer(0), 0, "For how many days rotated files are kept; 0 is no limit.")
    log_compress: bool = key(FLAG, False, "Whether rotated files are compressed with gzip.")
    log_include_location: bool = key(FLAG, True, "Whether records name file and line of the caller.")
    mq: LogQueueSection = section(LogQueueSection)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWatcherSection:
    """What is watched for changes."""

    fw_enabled: bool = key(FLAG, True, "Whether anything is watched; false starts no observer thread.")
    fw_watch_plugins: bool = key(
        FLAG, True, "Whether plugins' directories are watched, and reloaded on change."
    )
    fw_quiet: float = key(duration(), "100ms", "How long files must rest before a change is acted on.")
    fw_max_wait: float = key(duration(), "2s", "The longest that a change waits for files to come to rest.")
    fw_polling: bool = key(FLAG, False, "Whether files are polled; network mounts send no events.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPoolSection:
    """The host's worker pool."""

    wp_max_workers: int = key(
        workers(),
        default_workers,
        "The most jobs that run at once; the default is that of `ThreadPoolExecutor`. Less than 1 is 1, with a notice.",
        shown="min(32, CPUs + 4)",
    )
    limit_to_cpus: bool = key(FLAG, False, "Whether there are never more workers than the machine has CPUs.")
    buffer: int | None = key(
        limit(0),
        None,
        "How many jobs may wait for a worker; 0 is none: a job is handed over directly. "
        "Where there is no room, whoever submits one waits.",
        shown="no limit",
    )
    executor: str = key(
        executor(),
        "threads",
        "What runs the jobs: threads of this process, processes, the workers of a Dask cluster whose scheduler "
        "is at that address, or what a function gives that makes a `concurrent.futures.Executor`.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineSection:
    """When a plugin that keeps failing is no longer called."""

    errors: int = key(integer(0), 0, "How many errors within the window; 0 is never.")
    window: float = key(duration(positive=True), "60s", "The length of time in which errors are counted.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksSection:
    """How hooks are called."""

    errors: ErrorPolicy = key(
        choice(ERROR_POLICIES),
        "record",
        "What an exception in a plugin does to a hook call: it is recorded and the others' results are "
        "returned, the first is raised, or all are raised together with the results.",
    )
    timing: bool = key(FLAG, False, "Whether calls, errors and durations are counted per plugin and hook.")
    quarantine: QuarantineSection = section(QuarantineSection)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsSection:
    """Which plugins there are, and which of them load."""

    include: tuple[str, ...] = key(TEXTS, [], "Globs of names; when there are any, only these plugins load.")
    exclude: tuple[str, ...] = key(TEXTS, [], "Globs of names that do not load; they win over `include`.")
    disabled: tuple[str, ...] = key(TEXTS, [], "Names of plugins that are disabled, whatever `enable` said.")
    entry_point_group: str = key(
        WORD, ENTRY_POINT_GROUP, "The entry points of installed distributions that are plugins."
    )
    entry_points: bool = key(FLAG, True, "Whether installed distributions are searched at all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilitiesSection:
    """The host's policy: what plugins are granted of what their manifests ask for."""

    guard: GuardMode = key(
        choice(GUARD_MODES),
        "off",
        "Whether an audit hook watches what plugins do past the services: `observe` tells it, `block` "
        "refuses it as well. It finds accidents; it is no security boundary.",
    )
    allow: Mapping[str, Any] | str = key(
        GRANTS,
        {},
        "What every plugin may be granted, in the form of the manifest's `capabilities`; the word "
        "`requested` is whatever its manifest asks for.",
    )
    deny: Mapping[str, Any] = key(
        MAPPING, {}, "What no plugin is granted, whatever is allowed; in the same form."
    )
    plugins: Mapping[str, Mapping[str, Any]] = key(
        POLICIES,
        {},
        "The same for single plugins, by name, each with `allow`, `deny` and `dangerous` (whether it may run "
        "programs that run other programs: shells, interpreters).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeSection:
    """What the `handshake` of a manifest is compared with, if it has one. It is no authentication."""

    protocol_version: tuple[int, ...] = key(
        PROTOCOL_VERSIONS,
        (1,),
        "The versions of its protocol with plugins that the host speaks; with each plugin the highest common one is used.",
        shown="1",
    )
    magic_cookie_key: str = key(
        TEXT, "", "Name of the word that all plugins of this host know; empty compares none."
    )
    magic_cookie_value: str = key(TEXT, "", "That word.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """All of the host's configuration, with the built-in defaults for what is not given."""

    application: ApplicationSection = section(ApplicationSection)
    directories: DirectoriesSection = section(DirectoriesSection)
    logging: LoggingSection = section(LoggingSection)
    file_watcher: FileWatcherSection = section(FileWatcherSection)
    worker_pool: WorkerPoolSection = section(WorkerPoolSection)
    contracts: Mapping[str, str] = key(
        CONTRACTS, {}, "The host's contracts: a plugin type, and the class of hookspecs that it must fulfil."
    )
    calls: tuple[HookCall, ...] = key(CALLS, [], "The hook calls that `pluginkit run` makes at start.")
    hooks: HooksSection = section(HooksSection)
    plugins: PluginsSection = section(PluginsSection)
    capabilities: CapabilitiesSection = section(CapabilitiesSection)
    handshake: HandshakeSection = section(HandshakeSection)
    trust: Mapping[str, Any] = key(MAPPING, {}, "Whom the host trusts: keys, digests, directories.")
