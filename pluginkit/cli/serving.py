"""Serving until somebody says stop: Ctrl-C, SIGTERM, or the terminal that goes away. SIGHUP says: look again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pluginkit.cli.failures import show_load_failure
from pluginkit.cli.output import notice, remark
from pluginkit.cli.remembered import remember_failures
from pluginkit.control.requests import QUIET
from pluginkit.errors import StateError

if TYPE_CHECKING:
    from pluginkit.cli.session import Session
    from pluginkit.host import Host

STOPPING = (signal.SIGINT, signal.SIGTERM)
SIGNALS = (*STOPPING, signal.SIGHUP)


@contextmanager
def stop_signals(on_hangup: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Give a function that waits for the first signal; the second does again what it always does.

    SIGHUP calls `on_hangup`, in a thread of its own so that what it does cannot keep a signal from
    being heard; but a terminal that was there and is gone sends it too, and then it is to stop.

    The signals are caught from the beginning of the block, so that a Ctrl-C which comes just
    before the wait is not lost. They are read from a pipe, since the system may deliver them to
    any thread, a plugin's for instance, and then a lock that this thread waits for stays shut.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pipe_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # The handlers do nothing: what counts is the signal's number, which Python writes into the pipe.
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}

    had_terminal = before[signal.SIGHUP] is not signal.SIG_IGN and _has_terminal()

    def wait() -> None:
        while (number := os.read(reading, 1)[0]) not in STOPPING:
            if number == signal.SIGHUP:
                if had_terminal and not _has_terminal():
                    break
                threading.Thread(target=on_hangup, name="pluginkit-rescan", daemon=True).start()
        _restore(before)

    try:
        yield wait
    finally:
        _restore(before)
        signal.set_wakeup_fd(pipe_before)
        os.close(writing)
        os.close(reading)


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Until the host serves, SIGTERM is heard as Ctrl-C is: what has been loaded by then is closed in order."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def _has_terminal() -> bool:
    """Whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def rescan(host: Host, session: Session) -> None:
    """Look for plugins again and bring them up to date; what comes of it is told on stderr."""
    try:
        report = host.rescan(apply=True, quiet=QUIET)
    except StateError:
        return  # the host is being closed
    for failure in report.failed:
        show_load_failure(host.plugins[failure.plugin], debug=session.debug)
    for told in (*report.reloads, *report.settings, *report.unloads):
        (remark if getattr(told, "ok", True) else notice)(str(told))
    remember_failures(host)
    loaded = f": {', '.join(report.loaded)}" if report.loaded else ""
    remark(f"Looked again; {len(report.loaded)} loaded{loaded}.")
