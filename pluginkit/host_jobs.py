"""The host's pool, and hook calls as jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from pluginkit.errors import UsageError, describe_exception
from pluginkit.jobs import Job, JobError, Pool
from pluginkit.jobs.carrier import Carrier
from pluginkit.markers.typed import Outcome

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.host import Host
    from pluginkit.host_setup import HostSetup

T = TypeVar("T")

EXECUTORS = "threads, processes, dask:ADDRESS of a scheduler, or module:function that makes an executor"


def make_pool(config: Config | None, setup: HostSetup, name: str) -> Pool:
    """The pool that a host's configuration describes. Raises `UsageError` for an executor that there is not."""
    section = None if config is None else config.worker_pool
    workers = None if section is None else section.wp_max_workers
    named = "threads" if section is None else section.executor
    carrier = None if named == "threads" else Carrier(_executor_maker(setup, named, workers))
    pool = Pool(workers, name=f"{name}-jobs", carrier=carrier)
    pool.is_owned = True
    return pool


def _executor_maker(setup: HostSetup, named: str, workers: int | None) -> Callable[[], Executor]:
    kind, _, rest = named.partition(":")
    if named == "processes":
        return partial(_processes, workers)
    if kind == "dask" and rest:
        return partial(_dask, rest)
    if rest and kind.replace(".", "").isidentifier():
        return partial(_named_executor, kind, rest)
    file = setup.config_file or "the host's configuration"
    raise UsageError(f"{file}: worker_pool.executor: must be {EXECUTORS} (found {named!r})")


def _processes(workers: int | None) -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A fork of a process with threads may find their locks held for ever.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _dask(address: str) -> Executor:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise UsageError(
            f"worker_pool.executor: dask:{address} needs the package distributed: pip install 'pluginkit[dask]'"
        ) from error
    return _OnCluster(distributed.Client(address, set_as_default=False))


class _OnCluster(Executor):
    """The executor of a Dask client that was made for it, and ends with it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        # A function that has side effects must run once for each job, not once for equal arguments.
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait)
        self._client.close()


def _named_executor(module: str, name: str) -> Executor:
    try:
        executor = getattr(import_module(module), name)()
    except Exception as error:
        raise UsageError(f"worker_pool.executor: {module}:{name} makes no executor: {error}") from error
    if not isinstance(executor, Executor):
        raise UsageError(f"worker_pool.executor: {module}:{name} gave {executor!r}, which is no executor")
    return executor


def hook_job(host: Host, hook: str, plugin: str | None, arguments: dict[str, Any]) -> Job[Any]:
    """The call of a hook as a job: of all its implementations, or of one plugin's."""
    found = getattr(host.hook, hook)  # raises for one that there is not
    if host.pool.carrier is not None:
        file = host.setup.config_file
        if file is None:
            raise UsageError(
                f"hook {hook!r} cannot be called in other processes: they build the host from its config "
                "file, and this host was made without one (Host.from_config)"
            )
        job: Job[Any] = Job(call_elsewhere, str(file), hook, plugin, arguments)
    else:
        job = Job(_called_here, found, plugin, arguments)
    job._owner = plugin
    return job


def _called_here(hook: Any, plugin: str | None, arguments: dict[str, Any]) -> Any:
    outcomes: tuple[Outcome[Any], ...] = hook.attributed(**arguments) if plugin is None else ()
    return outcomes if plugin is None else _only(hook, plugin, arguments)


def _only(hook: Any, plugin: str, arguments: dict[str, Any]) -> Outcome[Any]:
    import time

    version = {one.plugin: one.version for one in hook.implementations()}.get(plugin)
    began = time.perf_counter()
    try:
        result = hook.only(plugin)(**arguments)
    except Exception as error:
        return Outcome(plugin, version, error=error, seconds=time.perf_counter() - began)
    return Outcome(plugin, version, result=result, seconds=time.perf_counter() - began)


# In another process

_hosts: dict[str, Host] = {}
_making = threading.Lock()


def call_elsewhere(config_file: str, hook: str, plugin: str | None, arguments: dict[str, Any]) -> Any:
    """Call a hook in a process of its own, on a host built from the same file; built once in each."""
    from pluginkit.host import Host

    with _making:
        if config_file not in _hosts:
            host = Host.from_config(config_file)
            host.load()
            _hosts[config_file] = host.start()
        host = _hosts[config_file]
    answer = _called_here(getattr(host.hook, hook), plugin, arguments)
    return tuple(map(_portable, answer)) if isinstance(answer, tuple) else _portable(answer)


def _portable(outcome: Outcome[Any]) -> Outcome[Any]:
    """An outcome whose error can be sent: plugins' own exception classes mean nothing over there."""
    if outcome.error is None:
        return outcome
    return replace(outcome, error=JobError(describe_exception(outcome.error)))
