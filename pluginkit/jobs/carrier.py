"""Jobs that run elsewhere: in other processes, or wherever a `concurrent.futures.Executor` takes them.

The pool stays what it is: each of its threads sees one job through, with its retries, limits and
numbers, and waits there while the executor runs the function.
"""

from __future__ import annotations

import io
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from pluginkit.jobs.errors import JobCancelled, JobTimeout, NotPortable
from pluginkit.jobs.waiting import more_of
from pluginkit.jobs.wants import Wants
from pluginkit.jobs.workers import awaited
from pluginkit.loading import facade

if TYPE_CHECKING:
    from pluginkit.jobs.job import Job


class Carrier:
    """Sends the calls of jobs to an executor.

    `make` makes any `concurrent.futures.Executor`: when the first job comes, and again when one has
    broken, as an executor of processes does when one of them is killed.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from pluginkit.jobs import Pool
    >>> with Pool(2, carrier=Carrier(lambda: ThreadPoolExecutor(2))) as pool:
    ...     pool.submit(pow, 2, 5).result()
    32
    """

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._executor: Executor | None = None
        self._open: set[Future[Any]] = set()
        # Gives what is sent in the place of a plugin's function, which exists in this process only.
        self.naming: Callable[[Any, str], Any] | None = None

    def check(self, job: Job[Any]) -> None:
        """Raise `NotPortable` for a job whose call cannot be sent to another process."""
        if _wants.context(job._fn) and "ctx" not in job._kwargs:
            raise NotPortable(
                f"{job.name} has a parameter ctx, and the context of a job does not leave this process. "
                "Run it in threads, or let what it calls do without"
            )
        try:
            _Checked(io.BytesIO()).dump((job._fn, job._args, job._kwargs))
        except Exception as error:
            raise NotPortable(
                f"{job.name} cannot be sent to another process: {error}. Functions of modules that the "
                "workers can import can be, with arguments that can be pickled; what is a plugin's is named "
                'instead of handed over: host.submit("transform", "shout", text="…") for a hook, and in the '
                "plugin ctx.jobs.submit(f, …) for a function f of one of its modules"
            ) from error

    def run(self, job: Job[Any]) -> Any:
        """Have the job's function called there, and wait for it as long as the job may run."""
        executor = self._present()
        try:
            future = executor.submit(_called, job._fn, job._args, job._kwargs)
        except BrokenExecutor:
            self._forget(executor)
            raise
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        more = more_of(job)
        # One event for both: by itself it says that nobody wants the result any more.
        future.add_done_callback(lambda _: more.stop())
        more.wait_for_stop()
        if not future.done():
            future.cancel()
            if more.cancel_requested:
                raise JobCancelled(f"{job.name} was cancelled while it ran elsewhere", job_id=job.id)
            raise JobTimeout(f"the time of {job.name} is over", job_id=job.id)
        if not (more.cancel_requested or job.done()):
            more.is_stopping = False
        try:
            return future.result()
        except BrokenExecutor:
            self._forget(executor)
            raise
        except CancelledError as error:
            raise JobCancelled(f"{job.name} was cancelled by its executor", job_id=job.id) from error

    def close(self) -> None:
        """Shut the executor down; does not wait for what it runs, since no job wants that any more."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is None:
            return
        # It forgets its processes when it is shut down; the interpreter would wait for them at its end.
        processes = tuple((getattr(executor, "_processes", None) or {}).values())
        is_abandoned = not all(future.done() for future in tuple(self._open))
        try:
            executor.shutdown(wait=False, cancel_futures=True)
        except TypeError:  # some know only `wait`
            executor.shutdown(wait=False)
        for process in processes if is_abandoned else ():
            process.kill()

    def _present(self) -> Executor:
        with self._lock:
            if self._executor is None:
                self._executor = self._make()
            return self._executor

    def _forget(self, executor: Executor) -> None:
        with self._lock:
            if self._executor is executor:
                self._executor = None


class _Checked(pickle.Pickler):
    """Refuses what could be pickled here, and not be unpickled there: a plugin's own classes and functions."""

    def reducer_override(self, value: Any) -> Any:
        module = getattr(value, "__module__", None)
        if isinstance(value, type | FunctionType) and isinstance(module, str) and facade.is_only_here(module):
            raise pickle.PicklingError(f"{module}.{value.__qualname__} is code of a plugin, loaded here only")
        return NotImplemented


def _called(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    value = fn(*args, **kwargs)
    return awaited(value) if type(value) is CoroutineType else value


_wants = Wants()
