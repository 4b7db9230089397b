"""Reading both outputs of a process, with a deadline and a bound on what is kept."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable

_CHUNK = 1 << 16
_GRACE = 0.2


def collect(
    process: subprocess.Popen[bytes], has_ended: Callable[[], bool], deadline: float, most: int
) -> tuple[bytes, bytes, bool]:
    """What a process writes until it ends: its two outputs, and whether something was left out.

    Raises TimeoutError at `deadline` (of `time.monotonic`). A descendant that keeps an output open
    after the process itself has ended is not waited for.
    """
    kept = _Kept(most)
    with selectors.DefaultSelector() as selector:
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, name)
        _read_all(has_ended, selector, kept, deadline)
    return bytes(kept.data["stdout"]), bytes(kept.data["stderr"]), kept.truncated


class _Kept:
    """What is kept of the outputs: so many bytes of each."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.data = {"stdout": bytearray(), "stderr": bytearray()}
        self.truncated = False

    def add(self, name: str, data: bytes) -> None:
        room = max(0, self.most - len(self.data[name]))
        self.data[name] += data[:room]
        self.truncated = self.truncated or len(data) > room


def _read_all(
    has_ended: Callable[[], bool], selector: selectors.BaseSelector, kept: _Kept, deadline: float
) -> None:
    ended: float | None = None
    while selector.get_map():
        now = time.monotonic()
        if now >= deadline:
            raise TimeoutError
        if ended is None and has_ended():
            ended = now
        if ended is not None and now - ended > _GRACE:
            return
        for key, _ in selector.select(min(0.05, deadline - now)):
            data = os.read(key.fd, _CHUNK)
            if data:
                kept.add(key.data, data)
            else:
                selector.unregister(key.fileobj)
