"""All that can be seen to be wrong with one plugin, or one manifest, from its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.cli.checks.sources import source_problems
from pluginkit.discovery import Broken, Entry, Found, read_plugin
from pluginkit.errors import Problem, did_you_mean
from pluginkit.manifest import find_problems, read_manifest
from pluginkit.strict_yaml import YamlError, load_file

if TYPE_CHECKING:
    from pluginkit.contracts import Contract
    from pluginkit.manifest import Manifest, Vocabulary


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one path: everything that is wrong with it, and what it is if it is known."""

    path: str
    problems: tuple[Problem, ...]
    notices: tuple[str, ...] = ()
    manifest: Manifest | None = None

    @property
    def is_valid(self) -> bool:
        return not self.problems


def judge(path: str, vocabulary: Vocabulary | None, contracts: Mapping[str, Contract]) -> Verdict:
    """Judge a plugin's directory, a single-file plugin, or a manifest alone.

    `vocabulary` is what the host knows; None takes any type. Nothing is imported.
    """
    if os.path.isdir(path) or path.endswith(".py"):
        return _of_plugin(path, read_plugin(path, vocabulary), vocabulary, contracts)
    problems = find_problems(path, vocabulary=vocabulary)
    if problems:
        return Verdict(path, problems)
    manifest = read_manifest(path, vocabulary=vocabulary)
    return Verdict(path, tuple(_hook_problems(manifest, contracts)), (), manifest)


def _of_plugin(
    path: str, entry: Entry, vocabulary: Vocabulary | None, contracts: Mapping[str, Contract]
) -> Verdict:
    root = os.path.abspath(path)
    syntax = [p for p in source_problems(Path(root)) if not _is_told(p, entry)]
    if isinstance(entry, Broken):
        told = entry.reason.problems or (Problem(entry.reason.text, file=path),)
        return Verdict(path, (*map(_with_line, told), *syntax))
    problems = [*_manifest_problems(entry, vocabulary), *_hook_problems(entry.manifest, contracts), *syntax]
    return Verdict(path, tuple(problems), entry.notices, entry.manifest)


def _is_told(problem: Problem, entry: Entry) -> bool:
    """Whether discovery, which looks at some of the same things, says the same."""
    if isinstance(entry, Found):
        return False
    return any((p.file, p.line) == (str(problem.file), problem.line) for p in entry.reason.problems) or (
        entry.reason.code in {"symlink-inside", "unreadable"} and problem.file is None
    )


def _manifest_problems(found: Found, vocabulary: Vocabulary | None) -> tuple[Problem, ...]:
    file = found.manifest.file
    return () if file is None else find_problems(file, vocabulary=vocabulary)


def _hook_problems(manifest: Manifest, contracts: Mapping[str, Contract]) -> Iterator[Problem]:
    """Hooks that the manifest lists and the contract of its type does not have."""
    contract = contracts.get(manifest.type)
    if contract is None or manifest.file is None:
        return
    for index, hook in enumerate(manifest.hooks):
        if hook not in contract.hooks:
            line, column = _position(manifest.file, ("hooks", index))
            yield Problem(
                f"the contract {contract.type!r} has no such hook{did_you_mean(hook, contract.hooks)}",
                path=f"hooks[{index}]",
                found=repr(hook),
                example=f"hooks: [{', '.join(contract.required or tuple(contract.hooks))}]",
                file=manifest.file,
                line=line,
                column=column,
            )


def _with_line(problem: Problem) -> Problem:
    """A problem of a field, where discovery did not look up the field's line."""
    if problem.line is not None or not problem.path or problem.file is None:
        return problem
    line, column = _position(problem.file, tuple(problem.path.split(".")))
    return replace(problem, line=line, column=column)


def _position(file: Path | str, field: tuple[str | int, ...]) -> tuple[int | None, int | None]:
    try:
        return load_file(file).position(field) or (None, None)
    except YamlError:  # written to since it was read
        return None, None
