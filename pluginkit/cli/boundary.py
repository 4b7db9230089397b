"""The outermost line: every error becomes a message for whoever is to blame, and an exit code.

The user's mistake is one sentence, a plugin's defect names the plugin, and only our own bug
shows a traceback, with the plea to report it.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

import click

from pluginkit.cli.encoding import make_safe
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.log_lines import log_on_stderr
from pluginkit.cli.output import complain, remark
from pluginkit.cli.session import Session
from pluginkit.errors import PluginError, UsageError


def guarded(session: Session, work: Callable[[], int]) -> int:
    """Do the work of one command and return the exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        make_safe(stream)
    try:
        with log_on_stderr(session):
            return work()
    except BrokenPipeError:
        _stop_writing()
        return Exit.PIPE_CLOSED
    except Exception as error:
        return _answer(session, error)
    except KeyboardInterrupt:
        remark()
        complain("interrupted")
        return Exit.INTERRUPTED


def _answer(session: Session, error: Exception) -> int:
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        _show_click_error(error)
        return error.exit_code
    told = _told(error)
    if session.debug or told is None:
        remark("".join(traceback.format_exception(error)).rstrip())
    if told is not None:
        complain(told[1])
        return told[0]
    complain(
        "this is a bug in pluginkit, not yours; please report it with the lines above, "
        f"the command, and the versions that `pluginkit --version` prints ({type(error).__name__})"
    )
    return Exit.BUG


def _told(error: Exception) -> tuple[int, str] | None:
    """Exit code and sentence for what is no bug of ours."""
    if isinstance(error, UsageError):
        return Exit.USAGE, str(error)
    if isinstance(error, PluginError):
        return Exit.PLUGIN, str(error)
    if isinstance(error, OSError) and error.filename is not None:
        # A directory that may not be written, a full disk: the user's to mend, with the place named.
        return Exit.USAGE, f"{error.filename}: {error.strerror or error}"
    return None


def _show_click_error(error: click.ClickException) -> None:
    complain(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        remark(f"help: {context.command_path} --help")


def _stop_writing() -> None:
    """Let nothing be written to the closed pipe any more, by Python's own flush at exit neither."""
    for stream in (sys.stdout, sys.stderr):
        _redirect_to_nothing(stream)


def _redirect_to_nothing(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, stream.fileno())
    finally:
        os.close(nothing)
