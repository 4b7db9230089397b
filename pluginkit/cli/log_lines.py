"""Log records as lines on stderr, in the form that all diagnostics of the command line have."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pluginkit.cli.output import complain, notice, remark
from pluginkit.errors import describe_exception
from pluginkit.printable import hanging

if TYPE_CHECKING:
    from pluginkit.cli.session import Session


_is_calling: ContextVar[bool] = ContextVar("pluginkit_cli_is_calling", default=False)


@contextmanager
def failures_are_told() -> Iterator[None]:
    """While a command makes hook calls whose failures it tells itself: they are not told twice."""
    token = _is_calling.set(True)
    try:
        yield
    finally:
        _is_calling.reset(token)


class LogLines(logging.Handler):
    """One line for each record, from the level on that the session wants to see.

    The traceback of a plugin that fails in a call comes with the record's text; only `--debug`
    shows it.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        is_call_failure = record.funcName == "record_failure"
        if record.levelno < self._session.log_level or (is_call_failure and _is_calling.get()):
            return
        try:
            _print(record, first_line_only=is_call_failure and not self._session.debug)
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


def _print(record: logging.LogRecord, *, first_line_only: bool) -> None:
    text = record.getMessage()
    if first_line_only:
        text = text.partition("\n")[0]
    if record.exc_info is not None and record.exc_info[1] is not None:
        text = f"{text}: {describe_exception(record.exc_info[1])}"
    if record.levelno >= logging.ERROR:
        complain(text)
    elif record.levelno >= logging.WARNING:
        notice(text)
    else:
        remark(hanging(f"{record.levelname.lower()}: {text}"))
