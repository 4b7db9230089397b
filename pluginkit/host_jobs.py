"""The host's pool, and hook calls as jobs."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import wait
from functools import partial
from typing import TYPE_CHECKING, Any

from pluginkit.control.calling import outcomes
from pluginkit.errors import UsageError, let_go_of_frames
from pluginkit.jobs import Job, Pool
from pluginkit.jobs.workers import current_worker, text_of

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.host import Host
    from pluginkit.host_wiring import Rooms
    from pluginkit.jobs.options import Options
    from pluginkit.markers.typed import Outcome
    from pluginkit.services.jobs import PluginJobs


def make_pool(config: Config | None, rooms: Rooms) -> Pool:
    """The pool that a host's configuration describes; what its jobs run in is made with the first one."""
    name = rooms.app_name
    if config is None:
        pool = Pool(name=f"{name}-jobs")
    else:
        section, carrier = config.worker_pool, None
        if section.executor != "threads":
            from pluginkit.host_elsewhere import named
            from pluginkit.host_executors import carrier_of

            carrier = carrier_of(config)
            carrier.naming = partial(named, rooms)
        pool = Pool(
            section.wp_max_workers,
            limit_to_cpus=section.limit_to_cpus,
            buffer=section.buffer,
            name=f"{name}-jobs",
            carrier=carrier,
        )
    pool._is_owned = True
    return pool


# Hook calls


def hook_job(host: Host, hook: str, plugin: str | None, arguments: dict[str, Any]) -> Job[Any]:
    """The call of a hook as a job, not submitted yet: of all its implementations, or of one plugin's.

    Raises `AttributeError` for a hook that there is not, `UnknownName` or `UsageError` for a plugin
    that there is not, or that does not implement it, `InvalidArgument` for an argument that the hook's
    contract does not allow.
    """
    names = providers_of(host, hook)
    checks = getattr(host.hook, hook).spec.checks
    if checks is not None:
        arguments = checks.arguments(arguments)
    if plugin is not None and plugin not in names:
        plugin = host.plugins[plugin].name
        if plugin not in names:
            raise UsageError(
                f"plugin {plugin!r} does not implement the hook {hook!r}; those that do: {names}"
            )
    call = HookCall(host, hook, plugin, arguments)
    if host.pool.carrier is None:
        job: Job[Any] = Job(call)
    else:
        from pluginkit.host_elsewhere import elsewhere

        job = Job(elsewhere(call, names if plugin is None else (plugin,)))
    job._owner = plugin
    job._wishes().judge = _tried_again
    return job


def providers_of(host: Host, hook: str) -> tuple[str, ...]:
    """Who answers a hook at this moment, in order of calls. Raises `AttributeError` for one that there is not."""
    implementations = getattr(host.hook, hook).implementations()
    return tuple(dict.fromkeys(one.plugin for one in implementations if not one.is_wrapper))


class HookCall:
    """The call of a hook: of all its implementations, or of one plugin's."""

    def __init__(self, host: Host, hook: str, plugin: str | None, arguments: dict[str, Any]) -> None:
        self.host, self.hook, self.plugin, self.arguments = host, hook, plugin, arguments
        # What `pluginkit jobs` shows as the name of the job.
        self.__qualname__ = f"hook {hook}"

    def __call__(self) -> Any:
        """What each plugin made of it, or what the one did."""
        found = outcomes(self.host, self.hook, self.arguments, plugin=self.plugin)
        kept = tuple(map(_without_frames, found))
        return kept if self.plugin is None else kept[0]


def _without_frames(outcome: Outcome[Any]) -> Outcome[Any]:
    """The outcome, with its error's traceback as a text: frames would keep a version of a plugin alive."""
    if outcome.error is not None:
        outcome.error.add_note(text_of(outcome.error).rstrip())
        let_go_of_frames(outcome.error)
    return outcome


def _tried_again(value: Any, options: Options) -> None:
    """An error in an outcome is a result; but if the job is to be tried again, it fails this time."""
    for outcome in value if isinstance(value, tuple) else (value,):
        if outcome.error is not None and options.may_retry(outcome.error):
            raise outcome.error


# The end


def settle(pool: Pool, plugins: Collection[PluginJobs], timeout: float) -> None:
    """Before the plugins go: take no more jobs, and let the host's own end, which may call hooks.

    What has not ended after `timeout` seconds is cancelled. The plugins' jobs end with them.
    """
    pool.shutdown(wait=False)
    worker, end = current_worker(), time.monotonic() + timeout
    while True:
        left = max(0.0, end - time.monotonic())
        others = {job for one in plugins for job in one.live()} | {worker and worker.job}
        jobs = [job for job in (*pool.running_jobs(), *pool.queued_jobs()) if job not in others]
        is_all = not pool._is_taking()
        wait(jobs, left)
        for job in jobs:
            job.cancel("the host is being closed, and its time is over")
        if is_all or not left:
            return
        time.sleep(min(left, 0.001))
