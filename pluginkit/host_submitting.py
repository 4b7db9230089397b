"""The part of `Host` that has its hooks called as jobs, in the threads of its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, overload

if TYPE_CHECKING:
    from pluginkit.hooks import Outcome
    from pluginkit.host import Host
    from pluginkit.host_exit import ExitGuard
    from pluginkit.host_wiring import Rooms
    from pluginkit.jobs import Job, Pool
    from pluginkit.jobs.overview import Overview


class Submitting:
    """What `Host` can have done elsewhere, and later."""

    _rooms: Rooms
    _exit: ExitGuard

    @property
    def _itself(self) -> Host:
        return cast("Host", self)

    @property
    def pool(self) -> Pool:
        """The host's threads for jobs, made when they are first asked for; see `pluginkit.jobs`.

        Raises `StateError` if the host was closed before.
        """
        self._exit.arm()
        return self._rooms.pool

    @overload
    def job(self, hook: str, /, **arguments: Any) -> Job[tuple[Outcome[Any], ...]]: ...
    @overload
    def job(self, hook: str, plugin: str, /, **arguments: Any) -> Job[Outcome[Any]]: ...
    def job(self, hook: str, plugin: str | None = None, /, **arguments: Any) -> Job[Any]:
        """The call of a hook as a job that is not submitted yet, so that it can be told more.

        `host.pool.submit(host.job("fetch", url=…).with_timeout(10).with_retry(3))`: it is tried again
        when a plugin fails. Its result is what each plugin made of the call, as `attributed` gives
        it, or what `plugin` made of it, if one is named.

        Raises `AttributeError` for a hook that there is not, `UnknownName` or `UsageError` for a
        plugin that there is not, or that does not implement it.
        """
        from pluginkit.host_jobs import hook_job

        return hook_job(self._itself, hook, plugin, arguments)

    @overload
    def submit(self, hook: str, /, **arguments: Any) -> Job[tuple[Outcome[Any], ...]]: ...
    @overload
    def submit(self, hook: str, plugin: str, /, **arguments: Any) -> Job[Outcome[Any]]: ...
    def submit(self, hook: str, plugin: str | None = None, /, **arguments: Any) -> Job[Any]:
        """Call a hook as a job: `host.pool.submit(host.job(…))`. Raises what both of them do."""
        from pluginkit.host_jobs import hook_job

        return self.pool.submit(hook_job(self._itself, hook, plugin, arguments))

    def submit_each(self, hook: str, /, **arguments: Any) -> tuple[Job[Outcome[Any]], ...]:
        """As `submit`, with a job for each plugin that implements the hook now, in order of calls."""
        from pluginkit.host_jobs import providers_of

        return tuple(self.submit(hook, plugin, **arguments) for plugin in providers_of(self._itself, hook))

    def jobs(self) -> Overview | None:
        """What the pool has to do at this moment; None if nobody has used it."""
        pool = self._rooms.used_pool
        if pool is None:
            return None
        from pluginkit.jobs.overview import overview

        return overview(pool)
