"""Plugins as discovery and the judge of the security room know them, brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.security.subject import Refused, Subject

if TYPE_CHECKING:
    from pluginkit.discovery import Found
    from pluginkit.security.judge import Judge
    from pluginkit.snapshot import Snapshot


def subject_of(found: Found) -> Subject:
    """What is judged of a plugin that was found."""
    origin = found.origin
    is_local = origin.kind in ("directory", "file")
    return Subject(
        manifest=found.manifest,
        root=found.root,
        module=found.module,
        # A path of one machine says nothing in a lock that others read.
        origin=f"{origin.kind}:{found.root.name}" if is_local else str(origin),
        found_at=origin.path if is_local else None,
    )


def foresee(judge: Judge | None, found: Found) -> Refused | None:
    """What the judge has against a plugin before its files are read."""
    if judge is None:
        return None
    try:
        judge.foresee(subject_of(found))
    except Refused as refused:
        return refused
    return None


def vouch(judge: Judge | None, found: Found, files: Snapshot) -> None:
    """Hold the files that are about to be loaded to the host's policy of trust; raises `Refused`."""
    if judge is not None:
        judge.check(subject_of(found), files)
