"""What is judged, and what a judgement against it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.errors import PluginkitError, Problem, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from pluginkit.manifest import Capabilities, Manifest
    from pluginkit.versions import Version

CODES = frozenset(
    {
        "checksum-malformed",
        "checksum-missing",
        "checksum-mismatch",
        "unlisted-file",
        "unlisted-bytecode",
        "listed-file-missing",
        "symlink-inside",
        "changed-while-checked",
        "lock-unreadable",
        "not-locked",
        "tree-changed",
        "downgrade",
        "approval-needed",
        "signature-malformed",
        "signature-missing",
        "signature-invalid",
        "signer-unknown",
        "sign-extra-missing",
        "not-trusted",
    }
)
"""Every code that a refusal of this room can have."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One plugin as its manifest describes it: what can be judged before its files are read.

    `root` is its package's directory or its only file, `module` the entrypoint's module inside
    that, `origin` where it comes from in words, and `found_at` the path by which it was
    found, if that is another one.
    """

    manifest: Manifest
    root: Path
    module: str = ""
    origin: str = ""
    found_at: Path | None = None

    @property
    def place(self) -> Path:
        return self.found_at or self.root

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> Version:
        return self.manifest.version

    @property
    def capabilities(self) -> Capabilities:
        return self.manifest.capabilities


class Refused(PluginkitError):
    """A plugin must not be loaded; `is_held` if somebody's decision would change that."""

    def __init__(self, reason: Reason, *, is_held: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.is_held = is_held


def refuse(code: str, text: str, *, file: Path | str | None = None, line: int | None = None) -> Refused:
    """The refusal for `code`; the sentence is told with the place, if there is one."""
    problem = Problem(text, file=file, line=line)
    return Refused(Reason(code, str(problem), (problem,)))


def hold(code: str, text: str) -> Refused:
    """The refusal of a plugin that waits for a decision."""
    return Refused(Reason(code, text, (Problem(text),)), is_held=True)
