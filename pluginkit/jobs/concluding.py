"""What becomes of a pool's jobs: the one place where a job comes to its final state.

The fast path in `workers.py` does the same for a plain job that succeeds, and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pluginkit.errors import let_go_of_frames
from pluginkit.jobs import running
from pluginkit.jobs.crew import Crew
from pluginkit.jobs.errors import JobError
from pluginkit.jobs.job import Job, cancelled_error
from pluginkit.jobs.states import FINAL, JobState
from pluginkit.jobs.waiting import more_of
from pluginkit.jobs.workers import current_worker, text_of

if TYPE_CHECKING:
    from pluginkit.jobs.carrier import Carrier
    from pluginkit.jobs.stream import Stream
    from pluginkit.jobs.workers import Worker


class Concluding(Crew):
    """A crew that brings jobs to their ends."""

    def __init__(self, name: str, max_workers: int, buffer: int | None, carrier: Carrier | None) -> None:
        super().__init__(name, max_workers, buffer)
        self.carrier = carrier
        self._stream: Stream | None = None

    # Running

    def _run(self, job: Job[Any], now: float) -> None:
        running.run(self, job, now)

    def _try_later(self, job: Job[Any], when: float) -> None:
        with self._lock:
            # Whoever ends it does so first and takes it off the list afterwards, under the lock:
            # so it must be on the list before it may be ended as one that waits.
            if not hasattr(job, "_finish"):
                return
            self._later.add(job)
            job._start = None

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
            # It says for itself what went wrong: raised by us, or by a job in the place of its result.
            let_go_of_frames(error)
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
            self._cancel_timers(options)
        worker = job._worker
        if phase is JobState.SUCCEEDED and worker is not None:
            worker.succeeded += 1  # this is its thread
        else:
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
            more.stop()  # it runs, and has to see to it itself
            return job._phase not in FINAL
        self._end(job, JobState.CANCELLED, cancelled_error(job, more.cause))
        self._waits_no_more(job)
        return True

    def _broke(self, worker: Worker, error: BaseException) -> None:
        """A worker's loop has raised, which nothing in it should: its job fails, and others go on."""
        logging.getLogger("pluginkit").error("%s ends: %s", worker.id, text_of(error))
        job = worker.job
        if job is not None:
            text = f"its worker broke: {type(error).__name__}"
            self._end(job, JobState.FAILED, self._wrapped(job, error, JobError(text, job_id=job.id)))

    def _limit(self, job: Job[Any], when: float, action: Callable[[], None]) -> None:
        options = job._options
        if options is not None:
            options.timers = [*(options.timers or ()), self._timers.at(when, action)]
            if not hasattr(job, "_finish"):
                self._cancel_timers(options)  # somebody has ended it meanwhile
