"""`ctx.jobs`: the host's pool, to one plugin. Its jobs carry its name, and end with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pluginkit.errors import StateError

if TYPE_CHECKING:
    from pluginkit.jobs import BatchResult, Job, Pool

T = TypeVar("T")


class PluginJobs:
    """Hands jobs of one generation of a plugin to the host's pool, and knows which are not over.

    On unload they are cancelled. On a reload they run to their end on the version that submitted them,
    those that wait too; and as long as a call of that version runs, or the reload waits for its jobs,
    more of them are taken: no call fails because of a reload.
    """

    def __init__(self, plugin: str, pool: Callable[[], Pool]) -> None:
        self._plugin = plugin
        self._pool = pool
        self._changed = threading.Condition()
        self._live: set[Job[Any]] = set()
        self._callbacks: list[Callable[[], object]] = []
        self._closed = ""

    @overload
    def submit(self, job: Job[T], /, *, timeout: float | None = None) -> Job[T]: ...
    @overload
    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Job[T]: ...
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """As `Pool.submit`. Raises `StateError` too, when the plugin is unloaded or has been replaced."""
        from pluginkit.jobs import Job

        pool = self._pool()
        if isinstance(fn, Job):
            job, submit = fn, lambda job: pool.submit(job, *args, **kwargs)
        else:
            job, submit = Job(fn, *args, **kwargs), pool.submit
        if pool.carrier is not None and pool.carrier.naming is not None:
            job._fn = pool.carrier.naming(job._fn, self._plugin)
        return self._handed_in(job, submit)

    def submit_batch(self, jobs: Iterable[Job[Any] | Callable[[], Any]]) -> BatchResult:
        """As `Pool.submit_batch`: one that is refused keeps no other from being accepted."""
        from pluginkit.jobs import Job
        from pluginkit.jobs.batch import submit_all

        made = [one if isinstance(one, Job) else Job(one) for one in jobs]
        return submit_all(made, lambda job: self.submit(job, timeout=0.0))

    def _handed_in(self, job: Job[Any], submit: Callable[[Job[Any]], Job[Any]]) -> Job[Any]:
        with self._changed:
            if self._closed:
                raise StateError(f"plugin {self._plugin!r} {self._closed}; it has no jobs any more")
            self._live.add(job)
        job._owner = self._plugin
        try:
            submit(job)
        except BaseException:
            self._over(job)
            raise
        job.add_done_callback(self._over)
        return job

    def _over(self, job: Job[Any]) -> None:
        with self._changed:
            self._live.discard(job)
            callbacks: list[Callable[[], object]] = []
            if not self._live:
                callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            callback()

    # For the host

    def live(self) -> tuple[Job[Any], ...]:
        """Those that wait or run."""
        with self._changed:
            return tuple(self._live)

    @property
    def is_here(self) -> bool:
        """Whether this thread runs one of them: it must not wait for it."""
        from pluginkit.jobs.workers import current_worker

        worker = current_worker()
        return worker is not None and worker.job in self._live

    def close(self, why: str) -> None:
        """Take no more of them."""
        with self._changed:
            self._closed = self._closed or why

    def close_if_over(self, why: str) -> bool:
        """Take no more of them if none waits or runs; gives whether that is so."""
        with self._changed:
            if not self._live:
                self.close(why)
            return not self._live

    def cancel(self, why: str) -> None:
        """Take no more, drop those that wait, and tell those that run to end."""
        self.close(why)
        for job in self.live():
            job.cancel(f"plugin {self._plugin!r} {why}")

    def wait(self, timeout: float) -> bool:
        """Wait until all are over, `timeout` seconds at most, and not at all for one that this thread runs."""
        is_here = self.is_here
        with self._changed:
            return self._changed.wait_for(lambda: not self._live, 0.0 if is_here else timeout)

    def when_over(self, callback: Callable[[], object]) -> None:
        """Have `callback` called once they are all over, or now."""
        with self._changed:
            if self._live:
                self._callbacks.append(callback)
                return
        callback()

    def join(self, deadline: float) -> None:
        """Cancel them and wait until `deadline`."""
        self.cancel("is unloaded")
        self.wait(max(0.0, deadline - time.monotonic()))
