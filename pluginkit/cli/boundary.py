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
    if session.debug or not isinstance(error, UsageError | PluginError):
        remark("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, UsageError):
        complain(str(error))
        return Exit.USAGE
    if isinstance(error, PluginError):
        complain(str(error))
        return Exit.PLUGIN
    complain(
        "this is a bug in pluginkit, not yours; please report it with the lines above, "
        f"the command, and the versions that `pluginkit --version` prints ({type(error).__name__})"
    )
    return Exit.BUG


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
