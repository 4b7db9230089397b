"""What `run` writes down: the log, its queue, the audit trail; from before the first plugin until after the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pluginkit.cli.output import notice, plugins_print_to_stderr
from pluginkit.cli.paths import shown_path
from pluginkit.errors import describe_exception

if TYPE_CHECKING:
    from pluginkit.cli.session import Session
    from pluginkit.config import Config
    from pluginkit.host import Host
    from pluginkit.queue import PersistentQueue

_TIMEOUT = 5.0
"""Seconds that the end of a run waits for the queue to be written; what is left is written by the next one."""


@contextmanager
def recorded(session: Session, host: Host) -> Iterator[list[str]]:
    """Log, queue and audit trail of the configuration around a block; gives a line for each that is on.

    Without a configuration file, and without a directory that was asked for, nothing is written: a
    run in some directory leaves no files there. What cannot be written is one warning, and the
    host runs without it.
    """
    config = session.config
    with ExitStack() as last_first:
        lines: list[str] = []
        if config.path is None and config.origin("directories.logs_dir") == "default":
            lines.append(
                "No log file: there is no configuration file, and directories.logs_dir is not given."
            )
        else:
            try:
                lines += _open(config, host, last_first)
            except OSError as error:
                where = shown_path(config.logs_dir)
                notice(f"no log is written: {where}: {error.strerror or error}; see directories.logs_dir")
        yield lines


def _open(config: Config, host: Host, last_first: ExitStack) -> list[str]:
    from pluginkit.logs import AuditLog, from_config
    from pluginkit.logs.setup import require_writable

    require_writable(config)
    queue = _queue(config, last_first) if config.log_mq_enabled else None
    chain = from_config(config, queue=queue)
    last_first.callback(chain.close, _TIMEOUT)
    last_first.callback(host.attach_logs(chain))
    # Outermost, so that what a plugin prints on stdout passes on to where the command has it go.
    last_first.enter_context(plugins_print_to_stderr())
    last_first.enter_context(chain.capture())
    audit = AuditLog(config.audit_file)
    last_first.callback(audit.close)
    audit.attach(host.events)
    audit.record("host_started", None, app=config.application.app_name, config=str(config.path or ""))
    last_first.callback(audit.record, "host_stopped")
    by_way = "" if queue is None else f", by way of the queue {shown_path(config.log_mq_file)}"
    return [f"Logging to {shown_path(config.log_file)}{by_way}; audit trail in {shown_path(audit.path)}."]


def _queue(config: Config, last_first: ExitStack) -> PersistentQueue | None:
    """The log queue; None, with a warning, if it cannot be used: records are then logged without it."""
    from pluginkit.errors import PluginkitError
    from pluginkit.queue import PersistentQueue

    mq = config.logging.mq
    try:
        queue = PersistentQueue(
            config.log_mq_file, mq.log_queue, remove_on_complete=mq.log_remove_on_complete
        )
    except (PluginkitError, OSError) as error:
        notice(f"the log queue cannot be used, records are logged without it: {describe_exception(error)}")
        return None
    for damage in queue.damages:
        notice(f"the log queue: {damage}")
    last_first.callback(queue.close)
    return queue
