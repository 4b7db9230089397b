"""What runs the jobs of a host where its own threads do not: the `worker_pool.executor` of its configuration."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from pluginkit.errors import UsageError, describe_exception
from pluginkit.host_setup import importable_beside
from pluginkit.jobs.carrier import Carrier

if TYPE_CHECKING:
    from pluginkit.config import Config

T = TypeVar("T")


def carrier_of(config: Config) -> Carrier:
    """What sends the jobs to the executor that is named; it is made when the first job comes."""
    section = config.worker_pool
    kind, _, rest = section.executor.partition(":")
    make: Callable[[], Executor]
    if not rest:
        make = partial(_processes, section.wp_max_workers)
    elif kind == "dask":
        make = partial(_dask, rest.strip())
    else:
        make = partial(_named, kind, rest, config)
    place = config.path or "the host's configuration"
    return Carrier(partial(_made, make, f"{place}: worker_pool.executor: {section.executor}"))


def _made(make: Callable[[], Executor], place: str) -> Executor:
    try:
        executor = make()
    except Exception as error:
        raise UsageError(f"{place}: there is no such executor: {describe_exception(error)}") from error
    if not isinstance(executor, Executor):
        raise UsageError(f"{place}: gave {executor!r}, which is no concurrent.futures.Executor")
    return executor


def _processes(workers: int) -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A fork of a process with threads may find their locks held for ever.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _named(module: str, name: str, config: Config) -> Any:
    with importable_beside(config.path):
        return getattr(import_module(module), name)()


def _dask(address: str) -> Executor:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise UsageError("it needs the package distributed: pip install 'pluginkit[dask]'") from error
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
