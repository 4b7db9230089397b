"""`Pool`: threads that run jobs, and the orderly ends of both.

A job that nobody waits for costs no lock, no condition and no future: it is put on a deque, a
worker takes it off, and one attribute says that it is over. What costs more is made when it is
asked for: waiting (`waiting.py`), wishes (`options.py`, `running.py`), limits (`timers.py`).

What must stay true: a job that was accepted comes to exactly one final state, whoever brings it
there (`_end`, or the fast path in `workers.py`), and is counted once.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pluginkit.errors import StateError, UsageError
from pluginkit.jobs import ending, running
from pluginkit.jobs.batch import BatchResult, submit_all
from pluginkit.jobs.concluding import Concluding
from pluginkit.jobs.crew import require_workers
from pluginkit.jobs.ids import Numbering
from pluginkit.jobs.job import Job
from pluginkit.jobs.metrics import PoolMetrics
from pluginkit.jobs.options import Options, as_monotonic
from pluginkit.jobs.states import FINAL, JobState
from pluginkit.jobs.stream import Stream
from pluginkit.jobs.waiting import submitting
from pluginkit.jobs.wants import Wants

if TYPE_CHECKING:
    from pluginkit.jobs.carrier import Carrier
    from pluginkit.jobs.ending import StopReport
    from pluginkit.jobs.result import JobResult

T = TypeVar("T")

QUEUED = JobState.QUEUED
_new: Callable[[type[Job[Any]]], Job[Any]] = Job.__new__
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_pool_numbers = itertools.count(1)


class Pool(Concluding):
    """Runs jobs in threads.

    Args:
        max_workers: how many run at a time, at least 1; None is what the standard library takes.
        limit_to_cpus: have no more workers than the machine has CPUs.
        buffer: how many jobs may wait for a worker: None any number, 0 none, so that a job is
            handed over directly. When there is no room, `submit` waits.
        name: what its threads are called by.
        keep_results: for `results()`: keep every result from the beginning on (True), or the last N.

    The threads are made as they are needed. Used in a `with` block, the pool is shut down at its end.

    >>> with Pool(4, name="fetch") as pool:
    ...     jobs = [pool.submit(pow, number, 2) for number in range(4)]
    ...     [job.result() for job in jobs]
    [0, 1, 4, 9]
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        limit_to_cpus: bool = False,
        buffer: int | None = None,
        name: str | None = None,
        keep_results: bool | int = False,
        carrier: Carrier | None = None,
    ) -> None:
        cpus = os.cpu_count() or 1
        wanted = min(32, cpus + 4) if max_workers is None else require_workers(max_workers)
        count = min(wanted, cpus) if limit_to_cpus else wanted
        super().__init__(name or f"pluginkit-pool-{next(_pool_numbers)}", count, buffer, carrier)
        self._numbering = Numbering()
        self._next_number = self._numbering.next
        self._wants = Wants()
        self._stream = Stream(keep_results) if keep_results else None
        self._is_slow = self._room is not None or carrier is not None
        # Somebody else sees to its end when the interpreter ends.
        self._is_owned = False
        _pools.add(self)

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "paused" if self._is_paused else "open"
        return f"<Pool {self.name}: {self._max} workers, {len(self._ready)} jobs waiting, {state}>"

    # Handing in

    @overload
    def submit(self, job: Job[T], /, *, timeout: float | None = None) -> Job[T]: ...
    @overload
    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Job[T]: ...
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Have `fn(*args, **kwargs)` called by a worker, or a `Job` run; gives the job.

        With a bounded buffer it waits for room; for a `Job`, `timeout` says how many seconds, and
        0 not to wait. A job never waits for room in its own pool: it could wait for itself.

        Raises:
            PoolClosed: the pool takes no more jobs.
            PoolFull: there was no room in time.
            UsageError: `fn` cannot be called, or the job was submitted before.
        """
        if self._is_slow or isinstance(fn, Job):
            return self._submit_slowly(fn, args, kwargs)
        if self._is_closed:
            raise self._refused()
        wants = self._wants
        try:
            code = fn.__code__
        except AttributeError:
            code = None
        if code is not wants.last_plain and wants.anything(fn, code):
            return self._submit_slowly(fn, args, kwargs)
        # As the constructor does it, without the call.
        job = _new(Job)
        job._fn, job._args, job._kwargs = fn, args, kwargs
        job._more = job._options = job._owner = job._worker = job._start = job._finish = None
        job._context = copy_context()
        job._pool = self
        job._phase = QUEUED
        job._number = self._next_number()
        job._submitted = time.monotonic()
        self._plain.append(job)
        if self._idle:
            self._wake()
        elif len(self._workers) < self._max:
            self._hire(job)
        if self._is_closed:
            self._take_back(job)
        return job

    def submit_batch(self, jobs: Iterable[Job[Any] | Callable[[], Any]]) -> BatchResult:
        """Submit many; one that is refused keeps no other from being accepted.

        Gives how many were accepted, and for each other one why, by its id. With a bounded buffer
        nothing is waited for: what finds no room is refused. Raises `UsageError`, before any is
        accepted, when there is something among them that cannot be called.
        """
        made = [one if isinstance(one, Job) else self._checked_job(one, (), {}) for one in jobs]
        return submit_all(made, lambda job: self._submit_slowly(job, (), {"timeout": 0.0}))

    def _submit_slowly(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Job[Any]:
        timeout: float | None = None
        if isinstance(fn, Job):
            job, timeout = fn, kwargs.pop("timeout", None)
            if args or kwargs:
                raise UsageError(
                    "the arguments of a Job are given where it is made: Job(fn, *args, **kwargs)"
                )
        else:
            job = self._checked_job(fn, args, kwargs)
        if self._is_closed:
            raise self._refused()
        if self.carrier is not None:
            self._require_portable(self.carrier, job)
        options = self._options_of(job)
        with self._room.place(timeout) if self._room is not None else nullcontext():
            self._claim_new(job)
            job._context = copy_context()
            job._worker = None
            job._number = self._next_number()
            job._submitted = time.monotonic()
            if job._phase in FINAL:
                # It was cancelled before: it is accepted, counted, and never runs.
                with self._lock:
                    self._tally.count(job._phase)
                if self._stream is not None:
                    self._stream.add(job)
                return job
            job._start = job._finish = None
            job._phase = QUEUED
            if options is not None:
                self._set_limits(job, options)
            self._enqueue(job)
        if self._is_closed:
            self._take_back(job)
        return job

    def _checked_job(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Job[Any]:
        try:
            return Job(fn, *args, **kwargs)
        except UsageError:
            with self._lock:
                self._tally.failed_submissions += 1
            raise

    def _require_portable(self, carrier: Carrier, job: Job[Any]) -> None:
        try:
            carrier.check(job)
        except UsageError:
            with self._lock:
                self._tally.failed_submissions += 1
            raise

    def _claim_new(self, job: Job[Any]) -> None:
        with submitting:
            if job._pool is not None:
                raise StateError(f"{job!r} was submitted already; a job is run by one pool, once")
            job._pool = self

    def _options_of(self, job: Job[Any]) -> Options | None:
        if job._options is None and self.carrier is not None:
            job._options = Options()
        if self._wants.context(job._fn):
            job._options = job._options or Options()
            job._options.wants_context = "ctx" not in job._kwargs
        return job._options

    def _set_limits(self, job: Job[Any], options: Options) -> None:
        if options.deadline is not None:
            options.ends_at = as_monotonic(options.deadline)
            self._limit(job, options.ends_at, lambda: running.time_out(self, job, "deadline"))
        if options.queue_timeout is not None:
            end = job._submitted + options.queue_timeout
            self._limit(job, end, lambda: running.time_out(self, job, "queue timeout"))

    # Looking

    def results(self) -> Iterator[JobResult[Any]]:
        """The results of all jobs in the order in which they end; it ends when the pool has been shut down.

        Results are kept for it from its first call on, or from the beginning with `keep_results`.
        Raises `StateError` if jobs have ended before: their results are not there any more.
        """
        with self._lock:
            if self._stream is None:
                over = self.metrics().completed_jobs
                if over:
                    raise StateError(
                        f"{over} jobs have ended already, and their results were not kept; call results() "
                        "before the first submit, or make the pool with keep_results=True"
                    )
                self._stream = Stream(True)
        return iter(self._stream)

    def metrics(self) -> PoolMetrics:
        """The pool's numbers, as they are now."""
        return PoolMetrics.of(self)

    # The ends; see `ending.py`.

    def stop(self, timeout: float | None = None) -> StopReport:
        """Take no more jobs and wait until all that were accepted are over; results stay readable.

        After `timeout` seconds what waits is cancelled, what runs is told to end, and what still runs
        a moment later is given up: its job fails, its thread is left alone, and the report names it
        with its stack. Called in one of its own jobs, it only closes the pool, and does not wait.
        """
        return ending.stop(self, timeout)

    def shutdown(self, timeout: float | None = None, *, wait: bool = True) -> StopReport:
        """As `stop`, then the stream of results ends. `wait=False` only closes the pool."""
        report = ending.stop(self, timeout) if wait else ending.close(self)
        ending.finish(self)
        return report

    def terminate(self, cause: object = None) -> None:
        """Cancel everything, that which waits and that which runs, and return at once."""
        ending.terminate(self, cause)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.terminate(kind.__name__)  # Ctrl-C: nobody wants to wait
        self.shutdown()


def _after_fork() -> None:
    for pool in list(_pools):
        # Its threads, and whoever held its locks, are in the other process.
        pool._is_closed = True
        pool._lock = threading.RLock()
        pool._quiet = threading.Condition(pool._lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
