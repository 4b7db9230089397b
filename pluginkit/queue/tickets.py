"""Puts on their way: a ticket for each, and the batch of those that share one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pluginkit.queue.connection import transaction
from pluginkit.queue.errors import QueueFull

if TYPE_CHECKING:
    from pluginkit.queue.channel import Channel


class Ticket:
    """One put: what is to be kept, and, once it is `settled`, what came of it."""

    __slots__ = ("bodies", "channel", "error", "first", "is_settled", "must_wait", "size", "wake")

    def __init__(self, channel: Channel, bodies: Sequence[bytes], size: int) -> None:
        self.channel = channel
        self.bodies = bodies
        self.size = size
        self.first = 0
        """The id of the first record; 0 if they were dropped."""
        self.error: Exception | None = None
        self.must_wait = False
        self.is_settled = False
        self.wake: SimpleQueue[None] | None = None
        """Where its thread waits, if another was at work when it came."""

    def wake_up(self) -> None:
        """Tell its thread to look."""
        if self.wake is not None:
            self.wake.put(None)

    def refuse_full(self, path: Path, limit: int) -> None:
        """There is no room under the queue's own limit."""
        text = (
            f"the queue {self.channel.name!r} is full: {self.channel.ledger.bytes} of {limit} bytes (max_bytes), "
            f"{self.size} more do not fit; drain it, raise max_bytes, or choose what gives way (on_full)"
        )
        self.error = QueueFull(path, text)


class Batch:
    """The tickets that one commit serves, and the old records that give way to them."""

    def __init__(self) -> None:
        self._added: dict[Channel, list[Ticket]] = {}
        self._refused: dict[Channel, list[Ticket]] = {}
        self.victims: dict[Channel, dict[int, int]] = {}

    def add(self, channel: Channel, ticket: Ticket) -> None:
        self._added.setdefault(channel, []).append(ticket)

    def drop(self, channel: Channel, ticket: Ticket) -> None:
        self._refused.setdefault(channel, []).append(ticket)

    def size_of(self, channel: Channel) -> int:
        """The bytes by which this batch makes the queue larger."""
        added = sum(ticket.size for ticket in self._added.get(channel, ()))
        return added - sum(self.victims.get(channel, {}).values())

    def write(self) -> None:
        """One commit for all of it; then the ledgers and the tickets are told."""
        parts = [self._part(channel) for channel in {**self._added, **self._refused}]
        writing = [part for part in parts if part.bodies or part.victims]
        if len(writing) == 1 and writing[0].is_one_statement:
            writing[0].write()
        elif writing:
            with transaction(writing[0].channel.store.connection):
                for part in writing:
                    part.write()
        for part in parts:
            part.finish()

    def _part(self, channel: Channel) -> _Part:
        refused = sum(len(ticket.bodies) for ticket in self._refused.get(channel, ()))
        return _Part(channel, self._added.get(channel, ()), self.victims.get(channel, {}), refused)


class _Part:
    """What a batch does to one queue."""

    def __init__(
        self, channel: Channel, tickets: Iterable[Ticket], victims: dict[int, int], refused: int
    ) -> None:
        self.channel = channel
        self.tickets = tickets
        self.victims = victims
        self.dropped = refused + len(victims)
        self.first = channel.ledger.last + 1
        self.bodies = [body for ticket in tickets for body in ticket.bodies]

    @property
    def is_one_statement(self) -> bool:
        from pluginkit.queue.tables import ROWS_AT_ONCE

        return not self.victims and len(self.bodies) <= ROWS_AT_ONCE

    def write(self) -> None:
        self.channel.write(self.first, self.bodies, self.victims, self.dropped)

    def finish(self) -> None:
        self.channel.written(self.first, self.bodies, self.victims, self.dropped)
        first = self.first
        for ticket in self.tickets:
            ticket.first = first
            first += len(ticket.bodies)
