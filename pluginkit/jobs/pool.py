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
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pluginkit.errors import StateError, UsageError
from pluginkit.jobs import ending, running
from pluginkit.jobs.batch import BatchResult
from pluginkit.jobs.errors import JobError, PoolClosed, PoolFull
from pluginkit.jobs.ids import Numbering
from pluginkit.jobs.job import Job, cancelled_error
from pluginkit.jobs.metrics import PoolMetrics, Tally
from pluginkit.jobs.options import Options, as_monotonic
from pluginkit.jobs.ready import Ready
from pluginkit.jobs.room import Room
from pluginkit.jobs.states import FINAL, JobState
from pluginkit.jobs.stream import Stream
from pluginkit.jobs.timers import Timers
from pluginkit.jobs.waiting import more_of
from pluginkit.jobs.wants import Wants
from pluginkit.jobs.workers import Worker, current_worker, text_of

if TYPE_CHECKING:
    from pluginkit.jobs.carrier import Carrier
    from pluginkit.jobs.ending import StopReport
    from pluginkit.jobs.result import JobResult

T = TypeVar("T")

QUEUED = JobState.QUEUED
_new: Callable[[type[Job[Any]]], Job[Any]] = Job.__new__
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_pool_numbers = itertools.count(1)


class Pool:
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
        self.name = name or f"pluginkit-pool-{next(_pool_numbers)}"
        self.carrier = carrier
        self._max = min(wanted, cpus) if limit_to_cpus else wanted
        self._numbering = Numbering()
        self._next_number = self._numbering.next
        self._ready = Ready()
        self._plain = self._ready.plain
        self._take: Callable[[], Job[Any]] = self._ready.take
        self._room = None if buffer is None else Room(self, buffer)
        self._stream = Stream(self, keep_results) if keep_results else None
        self._wants = Wants()
        self._workers: list[Worker] = []
        self._idle: deque[Worker] = deque()
        self._worker_numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)
        self._timers = Timers(f"{self.name}-timers")
        self._later: set[Job[Any]] = set()
        self._tally = Tally()
        self._is_closed = self._is_paused = self._is_slow = False
        self._is_slow = self._room is not None or carrier is not None
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
            self._hire()
        if self._is_closed:
            self._take_back(job)
        return job

    def submit_batch(self, jobs: Iterable[Job[Any] | Callable[[], Any]]) -> BatchResult:
        """Submit many; one that is refused keeps no other from being accepted.

        Gives how many were accepted, and for each other one why, by its id. With a bounded buffer
        nothing is waited for: what finds no room is refused.
        """
        accepted, errors = [], {}
        for one in jobs:
            job = one if isinstance(one, Job) else Job(one)
            try:
                accepted.append(self._submit_slowly(job, (), {"timeout": 0.0}))
            except (PoolClosed, PoolFull, UsageError) as error:
                errors[job.id] = error
        return BatchResult(tuple(accepted), errors)

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
            self.carrier.check(job)
        options = self._options_of(job)
        with self._room.place(job, timeout) if self._room is not None else self._lock:
            self._claim_new(job)
            job._context = copy_context()
            job._worker = None
            job._number = self._next_number()
            job._submitted = time.monotonic()
            if job._phase in FINAL:
                # It was cancelled before: it is accepted, counted, and never runs.
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

    def _claim_new(self, job: Job[Any]) -> None:
        with more_of(job).condition:
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

    def _limit(self, job: Job[Any], when: float, action: Callable[[], None]) -> None:
        options = job._options
        if options is not None:
            options.timers = [*(options.timers or ()), self._timers.at(when, action)]

    def _enqueue(self, job: Job[Any]) -> None:
        priority = 0 if job._options is None else job._options.priority
        self._ready.put(job, priority)
        if priority:
            with self._lock:
                if not self._is_paused:
                    self._take = self._ready.take
        if self._idle:
            self._wake()
        elif len(self._workers) < self._max:
            self._hire()

    def _take_back(self, job: Job[Any]) -> None:
        """Refuse a job that came while the pool was closed, unless a worker has it already."""
        try:
            del job._start
        except AttributeError:
            return
        with self._lock:
            self._tally.taken_back += 1
        job._phase = JobState.NEW
        job._pool = None
        raise self._refused()

    def _refused(self) -> PoolClosed:
        with self._lock:
            self._tally.failed_submissions += 1
        return PoolClosed(f"the pool {self.name!r} is closed and takes no more jobs; make a new one")

    # Workers

    def _wake(self) -> None:
        try:
            worker = self._idle.pop()
        except IndexError:
            return
        worker.wake.release()

    def _hire(self) -> None:
        with self._lock:
            if len(self._workers) >= self._max:
                return
            worker = Worker(f"{self.name}-{next(self._worker_numbers)}")
            self._workers.append(worker)
            if self._tally.started is None:
                self._tally.started = time.monotonic()
        worker.start(self)

    def _rest(self, worker: Worker) -> bool:
        """Let a worker sleep until there may be something to take; False: it has to end."""
        idle = self._idle
        if worker.is_abandoned or (len(self._workers) > self._max and self._dismiss(worker)):
            return False
        idle.append(worker)
        # Something may have come after it had looked and before it could be seen here.
        if (self._ready and not self._is_paused) or self._is_closed:
            try:
                idle.remove(worker)
            except ValueError:
                pass  # somebody is about to wake it
            else:
                if self._ready and not self._is_paused:
                    return True
                if self._is_finished():
                    ending.send_home(self)
                    return False
                idle.append(worker)
        if self._room is not None:
            self._room.changed()
        with self._quiet:
            self._quiet.notify_all()
        worker.wake.acquire()
        return not worker.is_dismissed

    def _dismiss(self, worker: Worker) -> bool:
        with self._lock:
            if len(self._workers) <= self._max or worker not in self._workers:
                return False
            self._let_go(worker)
            return True

    def _let_go(self, worker: Worker) -> None:
        """Count a worker's jobs as the pool's; it is none of the pool's any more."""
        if worker in self._workers:
            self._workers.remove(worker)
            self._tally.former.append(worker)

    def _left(self, worker: Worker) -> None:
        """A worker's thread ends."""
        with self._quiet:
            self._let_go(worker)
            is_last = self._is_closed and not self._workers and not self._later
            self._quiet.notify_all()
        if is_last:
            self._timers.close()
        if self._room is not None:
            self._room.changed()

    def _replace_if_busy(self, job: Job[Any]) -> None:
        """Give up the thread that a job does not let go of; another one does its work."""
        worker = job._worker
        if worker is current_worker():
            return  # it is on its way out
        with self._lock:
            if worker is None or worker.job is not job or worker not in self._workers:
                return
            worker.is_abandoned = True
            self._let_go(worker)
        if self._ready:
            self._hire()

    # Running

    def _run(self, worker: Worker, job: Job[Any]) -> None:
        running.run(self, job)

    def _try_later(self, job: Job[Any], when: float) -> None:
        job._start = None
        with self._lock:
            self._later.add(job)

        def again() -> None:
            with self._lock:
                self._later.discard(job)
                if hasattr(job, "_start"):
                    self._enqueue(job)
                self._quiet.notify_all()

        self._limit(job, when, again)

    def _succeeded(self, job: Job[Any], value: Any) -> None:
        self._end(job, JobState.SUCCEEDED, value)

    def _failed(self, job: Job[Any], error: BaseException) -> None:
        """End a job whose function has raised."""
        more = job._more
        if more is not None and more.cancel_requested:
            self._end(job, JobState.CANCELLED, self._wrapped(job, error, cancelled_error(job, more.cause)))
        elif isinstance(error, JobError) and not error.job_id:
            self._end(job, JobState.FAILED, error)
        else:
            text = f"{job.name} raised {type(error).__name__}"
            self._end(job, JobState.FAILED, self._wrapped(job, error, JobError(text, job_id=job.id)))

    def _wrapped(self, job: Job[Any], error: BaseException, wrapper: JobError) -> JobError:
        if wrapper.__cause__ is None:
            wrapper.__cause__ = error
        wrapper.traceback = text_of(error)
        wrapper.add_note(wrapper.traceback.rstrip())
        let_go_of_frames(error)
        return wrapper

    def _end(self, job: Job[Any], phase: JobState, value: Any) -> bool:
        """Bring a job to its final state, unless it has one."""
        try:
            del job._finish
        except AttributeError:
            if phase is JobState.SUCCEEDED or job._worker is current_worker() is not None:
                self._came_late()
            return False
        if isinstance(value, JobError):
            self._tally.remember(job, value)
        job._value = value
        job._finished = time.monotonic()
        job._fn = job._args = job._kwargs = job._context = None  # type: ignore[assignment]  # over
        options = job._options
        if options is not None and options.timers:
            timers, options.timers = options.timers, None
            for entry in timers:
                self._timers.cancel(entry)
        with self._lock:
            self._tally.count(phase)
            self._later.discard(job)
            job._phase = phase
        self._settle(job)
        return True

    def _came_late(self) -> None:
        with self._lock:
            self._tally.late += 1

    def _will_retry(self) -> None:
        with self._lock:
            self._tally.retried += 1

    def _settle(self, job: Job[Any]) -> None:
        """Tell those who wait for a job that is over."""
        if job._more is not None:
            job._more.settle(job)
        if self._stream is not None:
            self._stream.add(job)

    def _cancel(self, job: Job[Any], cause: object) -> bool:
        more = more_of(job)
        if job._phase in FINAL:
            return False
        with more.condition:
            if not more.cancel_requested:
                more.cancel_requested, more.cause = True, cause
        try:
            del job._start
        except AttributeError:
            more.stopping.set()  # it runs, and has to see to it itself
            return job._phase not in FINAL
        if self._room is not None:
            self._ready.remove(job)
            self._room.changed()
        self._end(job, JobState.CANCELLED, cancelled_error(job, more.cause))
        ending.send_home(self)
        with self._quiet:
            self._quiet.notify_all()
        return True

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
                self._stream = Stream(self, True)
        return iter(self._stream)

    def metrics(self) -> PoolMetrics:
        """The pool's numbers, as they are now."""
        return PoolMetrics.of(self)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def max_workers(self) -> int:
        return self._max

    def running_jobs(self) -> tuple[Job[Any], ...]:
        """The jobs that a worker has now, or that wait for another try."""
        with self._lock:
            at_work = [worker.job for worker in self._workers]
            later = list(self._later)
        return (*(job for job in at_work if job is not None and not job.done()), *later)

    def queued_jobs(self) -> tuple[Job[Any], ...]:
        """The jobs that wait for a worker."""
        return tuple(job for job in self._ready if job._phase is QUEUED)

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs and nothing waits; gives whether that came within `timeout` seconds."""
        with self._quiet:
            return self._quiet.wait_for(self._is_idle, timeout)

    def _is_idle(self) -> bool:
        # Taken off the deque and not yet marked as running: its worker is not idle either.
        return not self._later and not self._queued_now() and len(self._idle) >= len(self._workers)

    def _queued_now(self) -> bool:
        return any(hasattr(job, "_start") for job in self._ready)

    def _is_finished(self) -> bool:
        return self._is_closed and not self._later and not self._queued_now()

    # Steering

    def pause(self) -> None:
        """Begin no more jobs; those that run go on, and submitting does too."""
        with self._lock:
            self._is_paused, self._take = True, _nothing

    def resume(self) -> None:
        """Go on after `pause`."""
        with self._lock:
            self._is_paused, self._take = False, self._ready.take
        for _ in range(min(len(self._ready), self._max)):
            self._wake()
        if self._ready:
            self._hire()

    def resize(self, max_workers: int) -> None:
        """Have another number of workers; those that are too many end with the job they have."""
        with self._lock:
            self._max = require_workers(max_workers)
            surplus = len(self._workers) - self._max
        for _ in range(max(0, surplus)):
            self._wake()  # one that sleeps looks again, and goes
        for _ in range(min(len(self._ready), self._max)):
            self._hire()

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


def require_workers(max_workers: int) -> int:
    """A number of workers; raises `UsageError` for one that is none."""
    if type(max_workers) is not int or max_workers < 1:
        raise UsageError(f"a pool has at least 1 worker, not {max_workers!r}")
    return max_workers


def let_go_of_frames(error: BaseException) -> None:
    """Take the frames off an exception and all that led to it: they would keep their variables alive."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions


def _nothing() -> Job[Any]:
    raise IndexError


def _after_fork() -> None:
    for pool in list(_pools):
        # Its threads, and whoever held its locks, are in the other process.
        pool._is_closed = True
        pool._lock = threading.RLock()
        pool._quiet = threading.Condition(pool._lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
