"""How a log chain fares, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SinkStats:
    """How one sink fares: `lost` records it could not take, `waiting` are tried again."""

    name: str
    failures: int
    lost: int
    waiting: int
    last_error: str


@dataclass(frozen=True, slots=True)
class LogStats:
    """How the chain fares. `queue` holds the counts of the queue, `direct` (logged without it) among them."""

    sinks: tuple[SinkStats, ...]
    queue: Mapping[str, int] = field(default_factory=dict)
