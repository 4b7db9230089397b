"""Progress of jobs, on a terminal, while a command waits for something else."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pluginkit.cli.output import is_terminal
from pluginkit.printable import one_line

INTERVAL = 0.2
"""Seconds between two looks."""
_CLEAR = "\r\x1b[K"


@contextmanager
def progress_shown(look: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Show what `look` says in one line of stderr for the length of the block; nothing without a terminal.

    `look` is called in a thread of its own. What it raises ends the showing, and nothing else.
    """
    if not is_terminal(sys.stderr):
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(look, over), name="pluginkit-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(look: Callable[[], Iterable[str]], over: threading.Event) -> None:
    is_shown = False
    while not over.wait(INTERVAL):
        try:
            text = " · ".join(look())
        except Exception:
            break  # whoever waits will hear of it in the answer
        width = shutil.get_terminal_size().columns - 1
        if text or is_shown:
            sys.stderr.write(_CLEAR + one_line(text)[:width])
            sys.stderr.flush()
            is_shown = True
    if is_shown:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
