"""`pluginkit validate`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import Painted, notice, show, show_json
from pluginkit.cli.paths import shown_path
from pluginkit.cli.session import Session, pass_session
from pluginkit.errors import Problem, UsageError
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pluginkit.cli.checks.validity import Verdict
    from pluginkit.manifest import Vocabulary


@click.command(
    "validate",
    cls=Command,
    examples=[
        ("pluginkit validate plugins/cat", "a plugin: manifest, entrypoint and syntax"),
        ("pluginkit validate plugins/cat/manifest.yaml", "a manifest alone"),
        ("pluginkit validate plugins/*/ --json", "all of them, for programs"),
    ],
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@json_option
@pass_session
def validate_command(session: Session, paths: tuple[str, ...], as_json: bool) -> int:
    """Check plugins without running them; PATH is a plugin's directory, its file, or a manifest.

    Everything that is wrong is told at once, each with its line, the field, the value found and
    an example of a right one. The types that the manifest may name are those of the host's
    configuration; without a configuration any type will do. The exit code is 1 if anything is
    wrong.
    """
    from pluginkit.cli.checks.validity import judge

    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"there is nothing at {path}")
    vocabulary = _vocabulary(session)
    verdicts = [judge(path, vocabulary, session.host.contracts) for path in paths]
    if as_json:
        is_fine = all(verdict.is_valid for verdict in verdicts)
        show_json({"ok": is_fine, "files": [_as_dict(verdict) for verdict in verdicts]})
    for verdict in verdicts if not as_json else ():
        _print(verdict)
    return Exit.FINE if all(verdict.is_valid for verdict in verdicts) else Exit.PROBLEM


def _vocabulary(session: Session) -> Vocabulary | None:
    """What manifests may name: known only where there is a host."""
    if session.config.path is None:
        notice("the type of a plugin is not checked: without a config.yaml no contracts are known")
        return None
    return session.host.vocabulary


def _print(verdict: Verdict) -> None:
    from pluginkit.manifest import describe_problems

    for text in verdict.notices:
        notice(text)
    if verdict.is_valid:
        manifest = verdict.manifest
        what = f" ({manifest.name} {manifest.version}, {manifest.type})" if manifest is not None else ""
        show(one_line(f"{verdict.path}: "), Painted("valid", "green"), what)
    else:
        show(describe_problems(map(_with_shown_path, verdict.problems)))


def _with_shown_path(problem: Problem) -> Problem:
    return problem if problem.file is None else replace(problem, file=shown_path(problem.file))


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    from pluginkit.manifest import problems_as_dicts

    manifest = verdict.manifest
    return {
        "path": verdict.path,
        "ok": verdict.is_valid,
        "name": None if manifest is None else manifest.name,
        "version": None if manifest is None else str(manifest.version),
        "type": None if manifest is None else manifest.type,
        "problems": problems_as_dicts(verdict.problems),
        "notices": list(verdict.notices),
    }
