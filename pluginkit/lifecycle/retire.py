"""The end of a generation that is out of the hooks: drained, stopped, undone, proved gone.

A call that had begun keeps its version to its last line, so nothing of a generation may be
taken away before its last call has ended. Whoever unloads or reloads waits for that up to a
deadline; after it, or inside of a hook call (which would wait for itself), a thread of our own
does the rest as soon as the last call has ended, and the report says what lingers.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pluginkit.lifecycle.bringup import take_down
from pluginkit.lifecycle.collecting import Collector, Retired
from pluginkit.lifecycle.failure import Failure
from pluginkit.lifecycle.in_flight import is_called, would_wait_for_itself
from pluginkit.runtimes import Leftover

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluginkit.discovery import Found
    from pluginkit.hooks import Retirement
    from pluginkit.jobs.workers import Worker
    from pluginkit.lifecycle.live import Live


_log = logging.getLogger("pluginkit")


@dataclass(slots=True)
class Ending:
    """What became of one retired generation by now."""

    plugin: str
    generation: int | None
    alive: Callable[[], tuple[str, ...]]
    holders: Callable[[], tuple[str, ...]]
    # Nobody else keeps it, and it has to live to tell that the last call has ended.
    retirement: Retirement | None = field(default=None, repr=False)
    failures: list[Failure] = field(default_factory=list)
    running: tuple[Leftover, ...] = ()
    is_drained: bool = True
    # Ctrl-C, or a task's cancellation, that came while it was ended: to be raised when all is done.
    passing: BaseException | None = None


class Retiring:
    """Ends generations, now or when their last call ends; knows those that linger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lingering: list[Ending] = []
        self.collector = Collector()

    def lingering(self) -> tuple[Ending, ...]:
        """The retired generations in which calls still run."""
        with self._lock:
            return tuple(self._lingering)

    def held(self) -> tuple[Retired, ...]:
        """What is out of use and not gone, for whatever reason."""
        lingering = [Retired(one.plugin, one.generation, one.alive, one.running) for one in self.lingering()]
        return (*lingering, *self.collector.held())

    def retire(self, found: Found, live: Live, retirement: Retirement | None, timeout: float) -> Ending:
        """End a generation that has been taken out of the hooks; waits `timeout` seconds at most."""
        instance = live.instance
        ending = Ending(live.name, instance.number, instance.alive, instance.holders)
        deadline = time.monotonic() + timeout
        if _wait(retirement, live, timeout):
            self._finish(ending, found, live, max(0.0, deadline - time.monotonic()))
            return ending
        ending.is_drained = False
        ending.retirement = retirement
        ending.running = _at_work(live)
        with self._lock:
            self._lingering.append(ending)
        # The plugin's own on_stop must not run in the thread of whoever made the last call. The
        # interpreter waits for that thread at its end: it may be saving something.
        _when_over(retirement, live, lambda: self._end_later(ending, found, live, timeout))
        return ending

    def _end_later(self, ending: Ending, found: Found, live: Live, timeout: float) -> None:
        threading.Thread(
            target=self._end,
            args=(ending, found, live, timeout),
            name=f"pluginkit-retire-{live.name}",
        ).start()

    def _end(self, ending: Ending, found: Found, live: Live, timeout: float) -> None:
        self._finish(ending, found, live, timeout)
        ending.is_drained = True
        with self._lock:
            self._lingering.remove(ending)
        for failure in ending.failures:
            # The report of the reload was given long ago.
            _log.error("%s", str(failure))

    def _finish(self, ending: Ending, found: Found, live: Live, timeout: float) -> None:
        halted, ending.running = take_down(found, live, timeout)
        ending.failures, ending.passing = halted.failures, halted.passing
        self.collector.retired(ending.plugin, ending.generation, ending.alive)


def _wait(retirement: Retirement | None, live: Live, timeout: float) -> bool:
    """Wait for the last call, pin and job, unless that would be to wait for oneself."""
    pins, jobs = live.table.pins, live.context._jobs

    def calls_are_over() -> bool:
        if retirement is None or retirement.is_drained:
            return True
        return not (pins.holds(live.provider) or is_called(live.provider))

    def is_over() -> bool:
        # Calls and jobs may hand in more jobs until the last of them has ended.
        return calls_are_over() and (jobs is None or jobs.close_if_over(_REPLACED))

    if is_over():
        return True
    itself = would_wait_for_itself() or pins.is_here() or (jobs is not None and jobs.is_here)
    deadline = time.monotonic() + (0.0 if itself else timeout)
    patience = 0.01
    while time.monotonic() < deadline:
        left = min(patience, max(0.0, deadline - time.monotonic()))
        if retirement is not None and not retirement.is_drained:
            retirement.wait(left)
        elif jobs is not None:
            jobs.wait(left)
        if is_over():
            return True
        patience = min(2 * patience, 0.25)
    return False


def _when_over(retirement: Retirement | None, live: Live, callback: Callable[[], object]) -> None:
    """Have `callback` called after the last call and the last job; after the calls, no more jobs are taken."""
    jobs = live.context._jobs

    def after_calls() -> None:
        if jobs is None:
            callback()
        else:
            jobs.close(_REPLACED)
            jobs.when_over(callback)

    if retirement is None:
        after_calls()
    else:
        retirement.when_drained(after_calls)


def _at_work(live: Live) -> tuple[Leftover, ...]:
    """What still runs of a generation; a job by its own name, not by that of its thread."""
    jobs = live.context._jobs
    found = [] if jobs is None else [(job.name, job._worker) for job in jobs.live()]
    workers = {worker.id for _, worker in found if worker is not None}
    return (
        *(_job_left(name, worker) for name, worker in found),
        *(one for one in live.instance.running() if not (one.kind == "thread" and one.name in workers)),
    )


def _job_left(name: str, worker: Worker | None) -> Leftover:
    stack = "" if worker is None else worker.where()
    where = stack.splitlines()[-1] if stack else "the queue of the pool"
    return Leftover("job", name, where)


_REPLACED = "was replaced by a newer version"
