"""The host that runs with this session's configuration, if there is one: who asks it says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.output import complain, notice, remark
from pluginkit.printable import one_line

if TYPE_CHECKING:
    from pluginkit.cli.session import Session
    from pluginkit.control.claim import Running
    from pluginkit.control.client import ControlClient
    from pluginkit.control.identity import Wanted


@contextmanager
def running_host(session: Session) -> Iterator[ControlClient | None]:
    """A connection to the host that runs, which is told on stderr; None if none does, or --no-host was given.

    Raises `UsageError` if several are meant, `ControlError` if it does not answer.
    """
    running = None if session.no_host else _find(session)
    if running is None:
        yield None
        return
    from pluginkit.control.client import ControlClient

    with ControlClient(running) as client:
        remark(one_line(f"pluginkit: on the running host {running}"))
        yield client


@contextmanager
def required_host(session: Session) -> Iterator[ControlClient]:
    """As `running_host`, for what only a running host can do; without one the command ends here."""
    with running_host(session) as client:
        if client is None:
            where = session.config.path or session.config.plugins_dir
            complain(f"no host runs with {where}{', and --no-host was given' if session.no_host else ''}")
            remark("Start one: pluginkit run --serve. A program's own host needs Host(..., control=True).")
            raise click.exceptions.Exit(Exit.PROBLEM)
        yield client


def _find(session: Session) -> Running | None:
    from pluginkit.control.claim import running_hosts
    from pluginkit.control.places import ControlError

    try:
        found = running_hosts(_wanted(session))
    except ControlError as error:
        notice(f"running hosts are not looked for: {error}")
        return None
    name = session.host_name
    if name is None and len(found) > 1:
        from pluginkit.errors import UsageError

        hosts = ", ".join(str(running) for running in found)
        raise UsageError(f"several hosts run with this configuration; say which with --host NAME: {hosts}")
    meant = [running for running in found if name in (None, running.identity.name)]
    if name is not None and not meant:
        from pluginkit.errors import UnknownName

        raise UnknownName("running host", name, [running.identity.name for running in found])
    return meant[0] if meant else None


def _wanted(session: Session) -> Wanted:
    """The session's own configuration; its plugins directory counts if it was asked for, or is all there is."""
    from pluginkit.control.identity import Wanted, resolved

    config = session.config
    by_directory = session.plugins_dir is not None or config.path is None
    return Wanted(
        config=None if config.path is None else resolved(config.path),
        plugins_dirs=(resolved(config.plugins_dir),) if by_directory else None,
    )
