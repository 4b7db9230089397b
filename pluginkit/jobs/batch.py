"""What became of a batch of jobs when it was submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pluginkit.errors import UsageError
from pluginkit.jobs.errors import PoolFull
from pluginkit.jobs.job import Job


@dataclass(frozen=True, slots=True)
class BatchResult:
    """`jobs` were accepted; `errors` says for each of the others why it was not, by its id."""

    jobs: tuple[Job[Any], ...]
    errors: Mapping[str, Exception]

    @property
    def submitted(self) -> int:
        return len(self.jobs)

    @property
    def failed(self) -> int:
        return len(self.errors)


def submit_all(jobs: Iterable[Job[Any]], submit: Callable[[Job[Any]], Job[Any]]) -> BatchResult:
    """Submit each; one that is refused keeps no other from being accepted."""
    accepted: list[Job[Any]] = []
    errors: dict[str, Exception] = {}
    for job in jobs:
        try:
            accepted.append(submit(job))
        except (PoolFull, UsageError) as error:  # a pool that is closed is one of these
            errors[job.id] = error
    return BatchResult(tuple(accepted), errors)
