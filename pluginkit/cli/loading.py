"""Bringing the host's plugins up for one command, and down again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluginkit.cli.failures import show_load_failures
from pluginkit.cli.output import complain, notice, plugins_print_to_stderr
from pluginkit.cli.remembered import remember_failures
from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.lifecycle import CloseErrors

if TYPE_CHECKING:
    from pluginkit.cli.session import Session
    from pluginkit.events import Event
    from pluginkit.host import Host

_IN_HASTE = 0.5
"""Seconds for closing after a Ctrl-C or a call that hangs: whoever waits has waited long enough."""


@contextmanager
def loaded_host(session: Session, plugin: str | None = None) -> Iterator[Host]:
    """The host with its plugins loaded and started, or with one plugin and what it requires.

    What fails is told on stderr and kept for `list`; it stops nothing. With `plugin`, a failure
    of that one raises `LoadError`. Afterwards all is closed, and what fails then is told too.
    What a plugin is denied meanwhile is told as it happens.
    """
    host = session.host
    patience = _IN_HASTE
    with plugins_print_to_stderr(), host.events.subscribe(_tell_denial, kinds=["capability_denied", "guard"]):
        try:
            if plugin is None:
                _load_all(host, session)
            else:
                host.load(plugin)
                host.start()
            yield host
            patience = CLOSE_TIMEOUT
        finally:
            _close(host, patience)


def _tell_denial(event: Event) -> None:
    """What a plugin was refused, or did past the services, with what it takes to allow it."""
    data = event.data
    what = {"observed": "did, without a grant,", "blocked": "was stopped by the guard in"}.get(
        str(data.get("decision")), "was denied"
    )
    again = f" (and {data['repeated']} times more)" if data["repeated"] else ""
    notice(f"plugin {event.plugin!r} {what} {data['operation']} of {data['target']}: {data['reason']}{again}")


def _load_all(host: Host, session: Session) -> None:
    report = host.load()
    host.start()
    for warning in report.warnings:
        notice(warning)
    show_load_failures(host, debug=session.debug)
    remember_failures(host)


def _close(host: Host, timeout: float) -> None:
    try:
        host.close(timeout)
    except CloseErrors as errors:
        for error in errors.exceptions:
            complain(str(error))
