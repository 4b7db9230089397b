"""What the last run learnt: which plugins failed when their code was run, and whether that still counts.

`list` imports nothing, so by itself it cannot know that an import fails. It may say so as long
as the plugin's files are the ones that failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.cli.output import notice
from pluginkit.discovery import Found
from pluginkit.lifecycle import PluginState, StateFile
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from pluginkit.host import Host
    from pluginkit.lifecycle import Plugin
    from pluginkit.lifecycle.store import PastFailure
    from pluginkit.security.judge import Judge

# It failed because another plugin did: the other one's files say when that is over.
_NOT_ITS_OWN = frozenset({"requirement-failed"})


def remember_failures(host: Host) -> None:
    """Keep, for later `list`s, which plugins failed when this host loaded them, and why."""
    from pluginkit.lifecycle.store import PastFailure

    failures = {}
    for plugin in host.plugins.values():
        failure, source = plugin.failure, plugin.source
        if failure is None or not isinstance(source, Found) or failure.reason.code in _NOT_ITS_OWN:
            continue
        digest = digest_of(source.root)
        if plugin.state is PluginState.FAILED and digest is not None:
            failures[normalise_name(plugin.name)] = PastFailure(digest, failure.reason, failure.time)
    store = StateFile(host.setup.state_dir)
    try:
        store.set_failures(failures)
    except OSError as error:
        notice(f"{store.path}: the outcome of this run cannot be kept: {error.strerror or error}")


@contextmanager
def failures_are_kept(host: Host) -> Iterator[None]:
    """Keep it up to date for the block: plugins come and go while a host serves."""
    with host.events.subscribe(lambda _: remember_failures(host), kinds=["failed", "loaded", "reloaded"]):
        yield


def past_failure(plugin: Plugin, failures: dict[str, PastFailure]) -> PastFailure | None:
    """Why `plugin` failed in the last run, if nothing of it has changed since."""
    past = failures.get(normalise_name(plugin.name))
    source = plugin.source
    if past is None or plugin.state is not PluginState.DISCOVERED or not isinstance(source, Found):
        return None
    return past if digest_of(source.root) == past.digest else None


def past_failures(host: Host) -> dict[str, PastFailure]:
    """What was kept and still counts, by normalised name."""
    from pluginkit.security.subject import CODES

    judge = host.setup.judge()
    kept = StateFile(host.setup.state_dir).read().failures
    # Whether files are trusted is not for the files alone to say: somebody may have approved them since.
    return {
        name: past
        for name, past in kept.items()
        if past.reason.code not in CODES or _is_still_refused(judge, host.plugins.get(name))
    }


def _is_still_refused(judge: Judge, plugin: Plugin | None) -> bool:
    if plugin is None or not isinstance(plugin.source, Found):
        return False
    from pluginkit.cli.checks.vouching import refusal_of

    return refusal_of(judge, plugin.source) is not None


def digest_of(root: Path) -> str | None:
    """The digest of a plugin's files; None while they cannot be read as one consistent set."""
    from pluginkit.snapshot import SnapshotError, take

    try:
        return take(root).digest
    except (SnapshotError, OSError):
        return None
