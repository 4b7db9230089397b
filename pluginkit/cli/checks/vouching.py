"""The plugins that a command about trust is asked for, with their files; nothing is imported."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.discovery import Broken, Found, read_plugin
from pluginkit.errors import UsageError
from pluginkit.lifecycle.vouching import subject_of
from pluginkit.snapshot import SnapshotError, take

if TYPE_CHECKING:
    from pluginkit.cli.session import Session
    from pluginkit.errors import Reason
    from pluginkit.security.judge import Judge
    from pluginkit.security.subject import Subject
    from pluginkit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Candidate:
    """One plugin and the bytes of its files, read once."""

    subject: Subject
    files: Snapshot

    @property
    def name(self) -> str:
        return self.subject.name


def candidates(session: Session, wanted: Iterable[str]) -> list[Candidate]:
    """The plugins of these names or paths, all of the host's if there is none.

    Raises `UsageError` for one that is unknown, or whose manifest or files cannot be read.
    """
    names = list(wanted)
    if not names:
        plugins = session.host.refresh().values()
        return [_read(plugin.source) for plugin in plugins if isinstance(plugin.source, Found)]
    return [_read(_source(session, name)) for name in names]


def refusal_of(judge: Judge, found: Found) -> Reason | None:
    """Why the judge would not have the present files of a plugin loaded; None if it would.

    Files that cannot be read are no matter of trust.
    """
    from pluginkit.lifecycle.vouching import vouch
    from pluginkit.security.subject import Refused

    try:
        vouch(judge, found, take(found.root))
    except Refused as refused:
        return refused.reason
    except SnapshotError:
        return None
    return None


def _source(session: Session, name: str) -> Found | Broken:
    if os.sep in name or os.path.isdir(name) or name.endswith(".py"):
        return read_plugin(name)
    return session.host.refresh()[name].source


def _read(source: Found | Broken) -> Candidate:
    if isinstance(source, Broken):
        raise UsageError(f"plugin {source.name!r}: {source.reason}")
    try:
        return Candidate(subject_of(source), take(source.root))
    except SnapshotError as error:
        raise UsageError(f"plugin {source.name!r}: {error}") from error
