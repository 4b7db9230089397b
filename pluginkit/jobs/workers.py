"""The threads of a pool, and the loop that each of them is in."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.states import JobState

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job

RUNNING, SUCCEEDED = JobState.RUNNING, JobState.SUCCEEDED


class Worker:
    """One thread of a pool. Only that thread writes its counters; everybody may read them."""

    __slots__ = ("busy", "id", "is_abandoned", "is_dismissed", "job", "succeeded", "thread", "wake")

    def __init__(self, worker_id: str) -> None:
        self.id = worker_id
        self.job: Job[Any] | None = None
        self.succeeded = 0
        self.busy = 0.0
        self.is_dismissed = False
        self.is_abandoned = False
        # Held while it may go to sleep; whoever has taken it off the idle list releases it.
        self.wake = threading.Lock()
        self.wake.acquire()
        self.thread: threading.Thread | None = None

    def start(self, pool: Any) -> None:
        """Start the thread. It must not keep the interpreter from ending: the pool sees to that."""
        self.thread = threading.Thread(target=work, args=(pool, self), name=self.id, daemon=True)
        self.thread.start()

    def where(self) -> str:
        """Where the thread is now: `file:line in function`, innermost last; empty if it has ended."""
        thread = self.thread
        frame = sys._current_frames().get(thread.ident or 0) if thread is not None else None
        return "" if frame is None else _stack(frame) or "code that is not Python's"


class _Here(threading.local):
    worker: Worker | None = None


_here = _Here()


def current_worker() -> Worker | None:
    """The worker whose thread this is."""
    return _here.worker


def work(pool: Any, worker: Worker) -> None:
    """Take jobs and run them until the pool says that there is nothing more."""
    _here.worker = worker
    try:
        _loop(pool, worker)
    except BaseException as error:
        pool._broke(worker, error)
    finally:
        pool._left(worker)


def _loop(pool: Any, worker: Worker) -> None:  # noqa: C901, PLR0912  # see below
    # Everything on the way of a plain job is written out here, and nothing else is: a call of a
    # function of ours would cost a tenth of all that happens to it.
    clock = time.monotonic
    now = clock()
    while True:
        try:
            job = pool._take()
        except IndexError:
            if not pool._rest(worker):
                return
            now = clock()
            continue
        try:
            del job._start
        except AttributeError:
            continue  # it was cancelled while it waited
        worker.job = job
        job._worker = worker
        since = now
        if job._options is not None:
            pool._run(job, now)
            now = clock()
        else:
            job._started = now
            job._phase = RUNNING
            try:
                value = job._context.run(job._fn, *job._args, **job._kwargs)
                if type(value) is CoroutineType:
                    value = awaited(value)
            except BaseException as error:
                pool._failed(job, error)
                now = clock()
            else:
                now = clock()
                try:
                    del job._finish
                except AttributeError:
                    pool._came_late()  # its time was over, or the pool gave it up
                else:
                    job._value = value
                    job._finished = now
                    job._fn = job._args = job._kwargs = job._context = None
                    job._phase = SUCCEEDED
                    worker.succeeded += 1
                    if job._more is not None or pool._stream is not None:
                        pool._settle(job)
            value = None
        worker.busy += now - since
        worker.job = job = None  # an idle worker keeps nothing of its last job
        if worker.is_abandoned:
            return


def awaited(work: CoroutineType[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, in an event loop of its own."""
    import asyncio

    return asyncio.run(work)


def text_of(error: BaseException) -> str:
    """An exception and its traceback as text, whatever its own `__str__` does."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # its own __str__ may raise anything
        return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])


def _stack(frame: FrameType) -> str:
    steps = [step for step in traceback.extract_stack(frame) if step.filename not in _OWN_FILES]
    return "\n".join(f"{step.filename}:{step.lineno} in {step.name}" for step in steps[-12:])


_OWN_FILES = frozenset({__file__, threading.__file__})
