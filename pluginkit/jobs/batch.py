"""What became of a batch of jobs when it was submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
