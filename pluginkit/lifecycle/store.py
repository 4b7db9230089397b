"""What a host remembers between runs: which plugins are switched off, and which failed last time.

One small JSON file, replaced atomically. It is read before anything is imported, so that a
plugin that is switched off stays untouched; and it lets `list` say why a plugin failed although
`list` itself never imports one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pluginkit.atomic import write_atomic
from pluginkit.errors import Reason

SCHEMA_VERSION = 1
_log = logging.getLogger("pluginkit")


@dataclass(frozen=True, slots=True)
class PastFailure:
    """Why a plugin failed, and the digest of the files that did."""

    digest: str
    reason: Reason
    time: float


@dataclass(frozen=True, slots=True)
class Memory:
    """The remembered facts, immutable; names are normalised."""

    disabled: frozenset[str] = frozenset()
    failures: Mapping[str, PastFailure] = field(default_factory=dict)


class StateFile:
    """The file `state.json` in a host's state directory, made at the first change."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "state.json"

    def read(self) -> Memory:
        """What is remembered; nothing when there is no file.

        A file that cannot be understood is moved aside, with a warning, and counts as none.
        """
        try:
            text = self.path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return Memory()
        except OSError as error:
            _log.warning("%s cannot be read (%s); nothing is remembered", self.path, error.strerror or error)
            return Memory()
        try:
            return _decode(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            kept = self._move_aside()
            _log.warning(
                "%s cannot be read (%s); it was moved to %s and a new one is begun", self.path, error, kept
            )
            return Memory()

    def set_enabled(self, name: str, enabled: bool) -> None:
        """Remember the user's choice for the plugin `name` (normalised)."""
        with self._locked():
            memory = self.read()
            others = memory.disabled - {name}
            self._write(replace(memory, disabled=others if enabled else others | {name}))

    def set_failures(self, failures: Mapping[str, PastFailure]) -> None:
        """Remember which plugins failed in this run, in place of what was known."""
        with self._locked():
            memory = self.read()
            if dict(memory.failures) != dict(failures):
                self._write(replace(memory, failures=dict(failures)))

    def _write(self, memory: Memory) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, (json.dumps(_encode(memory), indent=2, sort_keys=True) + "\n").encode())

    def _move_aside(self) -> Path:
        target = self.path.with_name(f"state.json.corrupt-{time.time_ns()}")
        os.replace(self.path, target)
        return target

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time: `pluginkit disable` may run beside the host."""
        try:
            import fcntl
        except ImportError:
            yield
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _encode(memory: Memory) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "disabled": sorted(memory.disabled),
        "failures": {
            name: {
                "digest": past.digest,
                "code": past.reason.code,
                "text": past.reason.text,
                "time": past.time,
            }
            for name, past in memory.failures.items()
        },
    }


def _decode(data: Any) -> Memory:
    if data["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {data['schema_version']!r}, this pluginkit knows {SCHEMA_VERSION}")
    if not isinstance(data["disabled"], list):
        raise TypeError(f"disabled is {data['disabled']!r}, not a list of names")
    return Memory(
        disabled=frozenset(str(name) for name in data["disabled"]),
        failures={
            str(name): PastFailure(row["digest"], Reason(row["code"], row["text"]), float(row["time"]))
            for name, row in data["failures"].items()
        },
    )
