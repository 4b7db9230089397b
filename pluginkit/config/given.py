"""A value as somebody gave it, where that was, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pluginkit.config.keys import Key
from pluginkit.config.kinds import Fault, Steps
from pluginkit.config.redaction import HIDDEN, is_secret, redacted
from pluginkit.errors import Problem
from pluginkit.strict_yaml import Document, YamlError, dotted, load_file, shorten


@dataclass(frozen=True, slots=True)
class Place:
    """One source as problems name it: a file, an environment variable, the command line."""

    name: str | Path
    document: Document | None = None

    def problem(
        self, message: str, steps: Steps, *, found: Any = None, example: str | None = None
    ) -> Problem:
        """Describe what is wrong at `steps`, without repeating a secret; None as `found` is nothing."""
        position = self.document.position(steps) if self.document is not None else None
        line, column = position or (None, None)
        shown = None if found is None else self._shown(steps, found)
        return Problem(message, dotted(steps), shown, example, self.name, line, column)

    def _shown(self, steps: Steps, found: Any) -> str:
        names = [step for step in steps if isinstance(step, str)]
        if any(is_secret(name, found) for name in names):
            return HIDDEN
        value = redacted(found)
        return shorten(repr(value)) if self.document is None else self.document.spelling(steps, value)


@dataclass(frozen=True, slots=True)
class Given:
    """One value for a known key.

    `steps` is where it stands in its source. `assignment` is how a value is set in that source,
    up to the value.
    """

    key: Key
    value: Any
    origin: str
    place: Place
    steps: Steps
    base: Path
    assignment: str

    def problems(self, faults: Iterable[Fault]) -> list[Problem]:
        """What is wrong with the value, each fault with the part of it that is meant."""
        example = f"{self.assignment}{self.key.kind.example}"
        return [
            self.place.problem(
                fault.message, (*self.steps, *fault.at), found=_inside(self.value, fault.at), example=example
            )
            for fault in faults
        ]


@dataclass(slots=True)
class Report:
    """Collects what is wrong, so that it is all said at once, and what is only worth a word."""

    strict: bool = False
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def unknown(self, problem: Problem) -> None:
        """Something that nobody reads: an error in strict mode, else a notice."""
        (self.problems if self.strict else self.notices).append(problem)

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep problems, but not a second one about a place that has one of the same file already."""
        told = {(problem.file, problem.path) for problem in self.problems if problem.path}
        self.problems.extend(p for p in problems if (p.file, p.path) not in told)


def read_document(path: Path, report: Report) -> Document:
    """Read a config file; what cannot be read of it is a problem, and the rest can be checked on.

    A host may list more in its file than a plugin in its manifest, hence the larger bounds.
    """
    try:
        return load_file(path, max_bytes=1 << 20, max_events=50_000)
    except YamlError as error:
        report.add(error.problems)
        return error.document or Document(None, {})


def _inside(value: Any, steps: Steps) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value
