"""What the log chain, or any other drain, needs of a queue, and nothing more.

A queue keeps records, which are bytes, in the order in which they were put. Whoever drains it
*leases* records, works on them, and *acknowledges* them; what was leased and not acknowledged
when the process ended is delivered again. `PersistentQueue` keeps them in a SQLite file; a
queue on a server can stand in for it by having these methods (row MQ08).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable


@runtime_checkable
class Record(Protocol):
    """An object that knows how it lies in a queue, such as `pluginkit.logs.LoggerJob`."""

    def queued(self) -> bytes: ...


Puttable: TypeAlias = bytes | str | Record


class Leased(NamedTuple):
    """One delivery of a record: its id, what was put, and which delivery this is (1 is the first).

    Every delivery of a record carries the same id, so that a receiver can drop duplicates by it.
    """

    id: int
    body: bytes
    attempts: int


class DeadLetter(NamedTuple):
    """A record that was given up: after `max_attempts` refusals, or by `bury`; `error` says why."""

    id: int
    body: bytes
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many records are where; a record is in exactly one of the first five.

    `pending` wait to be leased, `delayed` too, but not before their delay has passed; `leased`
    are with a drain; `done` were acknowledged and are kept (`remove_on_complete=False`); `dead`
    were given up. `dropped` counts those that a full queue threw away, ever since the file
    exists, and `bytes` the size of the bodies that are not done: what `max_bytes` limits.
    """

    pending: int = 0
    delayed: int = 0
    leased: int = 0
    done: int = 0
    dead: int = 0
    dropped: int = 0
    bytes: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


class RecordQueue(Protocol):
    """The methods of a queue that a drain works with.

    A back-end promises that `put` returns after the record is as safe as the queue's durability
    says, that ids grow with the order of delivery, and that what `ack` has returned for is never
    delivered again.
    """

    def put(self, record: Puttable, /) -> int:
        """Keep a record and return its id, after the commit."""
        ...

    def put_many(self, records: Iterable[Puttable], /) -> Sequence[int]:
        """Keep all records, or none, in one commit, and return their ids."""
        ...

    def lease(self, limit: int = 500, *, timeout: float = 0.0) -> list[Leased]:
        """Take up to `limit` records in the order of their ids.

        Waits up to `timeout` seconds for the first one. Empty: there was none, or the queue is closed.
        """
        ...

    def ack(self, ids: int | Iterable[int], /, *, marks: Mapping[str, bytes] | None = None) -> None:
        """End leased records for good.

        An int acknowledges every leased record up to and including that id. `marks` are stored
        in the same commit: what a drain notes there (how far its file is written, say) is true
        exactly when the records are acknowledged.
        """
        ...

    def mark(self, name: str, /) -> bytes | None:
        """What the last `ack` with a mark of this name stored; None if there was none."""
        ...

    def nack(self, ids: Iterable[int], /, *, delay: float = 0.0, error: str = "") -> None:
        """Give leased records back, to be delivered again after `delay` seconds.

        A record that has been delivered `max_attempts` times goes to the dead letters instead.
        """
        ...

    def bury(self, ids: Iterable[int], /, *, error: str) -> None:
        """Put leased records aside as dead letters at once; `error` says why."""
        ...

    def counts(self) -> QueueCounts:
        """How many records are where."""
        ...

    def close(self, timeout: float = 0.0) -> bool:
        """End the use of the queue; what is in it stays for the next one.

        Waits up to `timeout` seconds for what is pending and leased to be acknowledged. Returns
        whether nothing undelivered is left.
        """
        ...
