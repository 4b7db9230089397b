"""Where each record of one queue is, as far as memory has to know it.

On disk a record is there or not, and ids up to `delivered` have been handed out at least once. All
else is known here only: who is leased, given back, delayed. After a crash everything up to
`delivered` that is still there counts as given back, so a lease costs the disk one number and a
refusal nothing.

    fresh      id > delivered, never handed out; only counted, for it can be read in order
    returned   handed out before and given back: the next to be leased
    delayed    given back, to be returned at a moment of the monotonic clock
    leased     with a drain now

An id is in one of them. All changes are made under the store's lock, after their commit.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

Lease = tuple[int, int]
"""The size of a leased record, and how often it has been delivered."""


class Ledger:
    """The state of one queue. Heaps may hold ids that have gone since: `_dropped` says which."""

    def __init__(self) -> None:
        self.last = 0
        self.delivered = 0
        self.fresh = 0
        self.bytes = 0
        self.returned: list[int] = []
        self.delayed: list[tuple[float, int]] = []
        self.leased: dict[int, Lease] = {}
        self.attempts: dict[int, int] = {}
        """Deliveries so far of those that have a row for it; of others up to `delivered`, 1."""
        self.done = 0
        self.dead = 0
        self.dropped = 0

    @property
    def pending(self) -> int:
        return self.fresh + len(self.returned)

    @property
    def live(self) -> int:
        """All that is not acknowledged and not given up."""
        return self.pending + len(self.delayed) + len(self.leased)

    def added(self, first: int, count: int, size: int) -> None:
        self.last = first + count - 1
        self.fresh += count
        self.bytes += size

    def mature(self, now: float) -> None:
        """Return those whose delay has passed."""
        while self.delayed and self.delayed[0][0] <= now:
            heapq.heappush(self.returned, heapq.heappop(self.delayed)[1])

    def due(self) -> float | None:
        """The moment at which the next delayed record returns."""
        return self.delayed[0][0] if self.delayed else None

    def handed_out(self, leases: dict[int, Lease], *, fresh: int, delivered: int) -> None:
        self.leased.update(leases)
        self.fresh -= fresh
        self.delivered = max(self.delivered, delivered)

    def given_back(self, ids: Iterable[int], *, due: float | None) -> None:
        """End leases without an end of the records; at once (None), or at a moment."""
        for one in ids:
            del self.leased[one]
            if due is None:
                heapq.heappush(self.returned, one)
            else:
                heapq.heappush(self.delayed, (due, one))

    def ended(self, ids: Iterable[int]) -> None:
        """Take leased records out for good."""
        for one in ids:
            size, _ = self.leased.pop(one)
            self.bytes -= size
            self.attempts.pop(one, None)

    def revived(self, sizes: dict[int, int]) -> None:
        """Dead letters come back, as if they had never been tried."""
        for one, size in sizes.items():
            heapq.heappush(self.returned, one)
            self.attempts[one] = 0
            self.bytes += size
        self.dead -= len(sizes)
