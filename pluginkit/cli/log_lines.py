"""Log records as lines on stderr, in the form that all diagnostics of the command line have."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluginkit.cli.output import complain, notice, remark
from pluginkit.errors import describe_exception

if TYPE_CHECKING:
    from pluginkit.cli.session import Session


class LogLines(logging.Handler):
    """One line for each record, from the level on that the session wants to see.

    Failures of hook calls are left out: the command that made the call shows them, with the
    plugin's file and what to do.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < self._session.log_level or _is_call_failure(record):
            return
        try:
            _print(record)
        except Exception:
            self.handleError(record)


@contextmanager
def log_on_stderr(session: Session) -> Iterator[None]:
    """Show what pluginkit and its plugins log for as long as one command runs."""
    log = logging.getLogger("pluginkit")
    handler = LogLines(session)
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = before


def _is_call_failure(record: logging.LogRecord) -> bool:
    from pluginkit.hooks import CallFailure

    return isinstance(record.args, tuple) and any(isinstance(value, CallFailure) for value in record.args)


def _print(record: logging.LogRecord) -> None:
    text = record.getMessage()
    if record.exc_info is not None and record.exc_info[1] is not None:
        text = f"{text}: {describe_exception(record.exc_info[1])}"
    if record.levelno >= logging.ERROR:
        complain(text)
    elif record.levelno >= logging.WARNING:
        notice(text)
    else:
        remark(f"{record.levelname.lower()}: {text}")
