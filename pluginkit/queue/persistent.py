"""`PersistentQueue`: one queue in a file, as its users have it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Literal, Self, TypeVar, get_args

from pluginkit.errors import UsageError
from pluginkit.queue.bodies import body_of
from pluginkit.queue.channel import OnFull, Policy
from pluginkit.queue.connection import Durability
from pluginkit.queue.damage import Damage
from pluginkit.queue.errors import QueueClosed, QueueOwned
from pluginkit.queue.forking import PAUSE
from pluginkit.queue.opening import join, leave
from pluginkit.queue.protocol import DeadLetter, Leased, Puttable, QueueCounts
from pluginkit.queue.tickets import Ticket
from pluginkit.queue.waiting import Deadline

T = TypeVar("T")


class PersistentQueue:
    """Records that survive the process: kept in order, delivered until they are acknowledged.

    It should live as long as the program; threads share it. One process has the file; several queues,
    each with its own name, may lie in it. `put` returns after its commit, so what it returned an id for
    is there after a kill -9 (durability `process`), or after a loss of power (`power`). Delivery
    is at least once, with the same id each time.

    Args:
        path: the SQLite file; it and its directory are made if they are not there.
        name: the queue inside the file.
        remove_on_complete: whether acknowledged records are deleted; if not they are kept as done.
        durability: `process` is several times faster; `power` waits for the disk at each commit.
        max_bytes: how many bytes of records may wait; None for no limit but the disk's.
        on_full: what a put beyond that does: `raise` `QueueFull`, `block` until there is room,
            `drop_oldest` records that nobody has leased, or `drop_newest`, the record itself.
        max_attempts: deliveries of a record that may be refused before it is a dead letter.

    Raises `QueueOwned` if another process has the file, or this one has that queue open, and
    `QueueUnusable` if the file cannot be used. A damaged file is no error: see `damages`.

    >>> import tempfile
    >>> directory = tempfile.TemporaryDirectory()
    >>> with PersistentQueue(f"{directory.name}/work.db") as queue:
    ...     _ = queue.put("first"), queue.put(b"second")
    ...     for record in queue.lease(10):
    ...         print(record.id, record.body.decode())
    ...     queue.ack(record.id)
    ...     queue.counts().pending
    1 first
    2 second
    0
    >>> directory.cleanup()
    """

    def __init__(
        self,
        path: str | PathLike[str],
        name: str = "log_queue",
        *,
        remove_on_complete: bool = True,
        durability: Durability = "process",
        max_bytes: int | None = None,
        on_full: OnFull = "raise",
        max_attempts: int = 5,
    ) -> None:
        self._policy = Policy(remove_on_complete, max_bytes, on_full, max_attempts)
        _check(name, self._policy, durability)
        self._is_closing = False
        self._store, self._channel = join(Path(path), name, durability, self._policy)

    # ------------------------------------------------------------------ what it is

    @property
    def path(self) -> Path:
        """The file, as an absolute path."""
        return self._store.path

    @property
    def name(self) -> str:
        """The queue's name inside the file."""
        return self._channel.name

    @property
    def durability(self) -> Durability:
        """What a commit survives: `process` or `power`."""
        return self._store.durability

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more: `close` has been called."""
        return self._is_closing

    @property
    def damages(self) -> tuple[Damage, ...]:
        """The damaged files that were set aside since this process opened the file, the first one first."""
        return tuple(self._store.damages)

    def __repr__(self) -> str:
        return f"<PersistentQueue {self.name!r} in {str(self.path)!r}{' closed' if self.is_closed else ''}>"

    # ------------------------------------------------------------------ putting

    def put(self, record: Puttable, /, *, timeout: float | None = None) -> int:
        """Keep a record; returns its id after the commit.

        It may be called from any thread, and from a signal handler or `__del__` too. If that interrupted
        the queue in its work, the record is committed right after, and the answer is 0: no id yet.
        It is 0 too if `on_full` dropped the record, and in a forked child, whose records
        the owner of the file takes over later.

        Args:
            record: bytes, text (kept as UTF-8), or an object with `queued() -> bytes`.
            timeout: seconds that `on_full="block"` waits for room; None for as long as it takes.

        Raises `QueueFull` if there is no room, also on the disk, and `QueueClosed`.
        """
        body = body_of(record)
        ticket = Ticket(self._channel, (body,), len(body))
        self._settle(ticket, timeout)
        return ticket.first

    def put_many(self, records: Iterable[Puttable], /, *, timeout: float | None = None) -> range:
        """Keep all records, or none, in one commit; returns their ids. Otherwise as `put`."""
        bodies = [body_of(record) for record in records]
        if not bodies:
            return range(0)
        ticket = Ticket(self._channel, bodies, sum(map(len, bodies)))
        self._settle(ticket, timeout)
        return range(ticket.first, ticket.first + len(bodies)) if ticket.first else range(0)

    def _settle(self, ticket: Ticket, timeout: float | None) -> None:
        if self._store.is_forked:
            self._channel.spool.write(ticket.bodies, is_synced=self.durability == "power")
            return
        if self._is_closing:
            raise QueueClosed(self.path, self.name)
        self._store.put(ticket)
        if ticket.must_wait:
            self._put_when_there_is_room(ticket, Deadline(timeout))
        if ticket.error is not None:
            raise ticket.error

    def _put_when_there_is_room(self, ticket: Ticket, deadline: Deadline) -> None:
        while ticket.must_wait:
            if self._is_closing:
                raise QueueClosed(self.path, self.name)
            if deadline.is_over:
                ticket.refuse_full(self.path, self._policy.max_bytes or 0)
                return
            self._wait(deadline, lambda: self._channel.has_room(ticket.size) or self._is_closing)
            ticket.is_settled, ticket.wake = False, None
            self._store.put(ticket)

    # ------------------------------------------------------------------ delivering

    def lease(self, limit: int = 500, *, timeout: float = 0.0) -> list[Leased]:
        """Take up to `limit` records to work on, in the order of their ids.

        Each must be ended by `ack`, `nack` or `bury`; if the process ends before, it is delivered
        again. Waits up to `timeout` seconds for the first record. Empty: there was none, or the
        queue is closed.
        """
        if limit < 1:
            raise UsageError(f"the limit of a lease is at least 1, not {limit}")
        deadline = Deadline(timeout)
        with suppress(QueueClosed):
            while True:
                found = self._do(lambda: self._channel.lease(limit))
                if found or deadline.is_over:
                    return found
                self._wait(deadline, self._channel.has_some)
        return []

    def ack(self, ids: int | Iterable[int], /, *, marks: Mapping[str, bytes] | None = None) -> None:
        """End leased records for good: once this returns they are never delivered again.

        An int ends every leased record up to and including that id. What is not leased is left alone.
        `marks` are stored in the same commit, for `mark` to tell.
        """
        picked = ids if isinstance(ids, int) else list(ids)
        self._change(lambda: self._channel.ack(picked, marks))

    def mark(self, name: str, /) -> bytes | None:
        """What the last `ack` with a mark of this name stored; None if there was none."""
        return self._do(lambda: self._channel.mark(name))

    def nack(self, ids: Iterable[int], /, *, delay: float = 0.0, error: str = "") -> None:
        """Give leased records back, to be delivered again after `delay` seconds.

        One that has been delivered `max_attempts` times becomes a dead letter, with `error` as the
        reason. The delay is over when the process ends.
        """
        picked = list(ids)
        self._change(lambda: self._channel.nack(picked, delay, error))

    def bury(self, ids: Iterable[int], /, *, error: str) -> None:
        """Make leased records dead letters at once; `error` says why."""
        picked = list(ids)
        self._change(lambda: self._channel.bury(picked, error))

    # ------------------------------------------------------------------ looking, and tidying up

    def counts(self) -> QueueCounts:
        """How many records are where."""
        return self._do(self._channel.counts)

    def peek(self, count: int = 10) -> list[Leased]:
        """The next records to be delivered, without taking them; `attempts` is how often they were."""
        return self._do(lambda: self._channel.peek(count))

    def dead_letters(self, limit: int | None = None) -> list[DeadLetter]:
        """The records that were given up, each with the reason."""
        return self._do(lambda: self._channel.dead_letters(limit))

    def replay(self, ids: Iterable[int] | None = None) -> int:
        """Let dead letters be delivered again under their ids, all or some; returns how many."""
        picked = None if ids is None else list(ids)
        return self._change(lambda: self._channel.replay(picked))

    def purge(self, which: Literal["done", "dead", "pending"]) -> int:
        """Delete records of one kind and return how many; leased ones are not pending."""
        if which not in ("done", "dead", "pending"):
            raise UsageError(f"what can be purged is done, dead or pending, not {which!r}")
        return self._change(lambda: self._channel.purge(which))

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until every record is acknowledged or given up; False if `timeout` seconds were not enough."""
        deadline = Deadline(timeout)
        while not self._do(self._channel.is_idle):
            if deadline.is_over:
                return False
            self._wait(deadline, self._channel.is_idle)
        return True

    # ------------------------------------------------------------------ the end

    def close(self, timeout: float = 0.0) -> bool:
        """End the use of this queue; what is in it stays for the next one. Idempotent.

        New puts are refused at once. If somebody drains the queue, up to `timeout` seconds are given to
        that. Returns whether nothing is left undelivered. In a forked child nothing is done: the
        queue is the parent's.
        """
        if self._store.is_forked:
            return False
        self._is_closing = True
        with suppress(QueueClosed):
            self._change(lambda: None)  # wakes those who wait for room
            if timeout > 0 and self._channel.is_drained:
                self.wait_idle(timeout)
            leave(self._store, self._channel)
        return self._channel.is_idle()

    def _do(self, work: Callable[[], T]) -> T:
        """Run an operation, alone. Raises `QueueClosed`, and `QueueOwned` in a forked child."""
        if self._store.is_forked:
            text = "this process was forked from the one that has the queue; here it may only put"
            raise QueueOwned(self.path, os.getppid(), text)

        def unless_closed() -> T:
            if not self._channel.is_open:
                raise QueueClosed(self.path, self.name)
            return work()

        return self._store.run(unless_closed)

    def _change(self, work: Callable[[], T]) -> T:
        """The same for what others may wait for."""

        def and_tell() -> T:
            done = work()
            self._channel.bell.ring()
            return done

        return self._do(and_tell)

    def _wait(self, deadline: Deadline, is_there: Callable[[], bool]) -> None:
        """Sleep until something happened, unless it has happened already; the caller looks again."""
        bell = self._channel.bell

        def count_in() -> float | None:
            bell.waiters += 1
            return self._longest_wait(deadline)

        def count_out() -> None:
            bell.waiters -= 1

        longest = self._do(lambda: 0.0 if is_there() else count_in())
        if longest == 0.0:
            return
        try:
            bell.wait(longest)
        finally:
            self._store.run(count_out)

    def _longest_wait(self, deadline: Deadline) -> float | None:
        """Until the deadline, the end of a delay, or the next look for what children put. Never 0.0."""
        due = self._channel.ledger.due()
        limits = [deadline.left, PAUSE if self._store.was_forked else None]
        if due is not None:
            limits.append(due - time.monotonic())
        known = [limit for limit in limits if limit is not None]
        return max(min(known), 1e-6) if known else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check(name: str, policy: Policy, durability: Durability) -> None:
    """Raise `UsageError` for what no queue can be made with."""
    if not name or not isinstance(name, str):
        raise UsageError(f"a queue's name is text and not empty, not {name!r}")
    if durability not in get_args(Durability):
        raise UsageError(f"the durability is {' or '.join(get_args(Durability))}, not {durability!r}")
    if policy.on_full not in get_args(OnFull):
        raise UsageError(f"on_full is one of {', '.join(get_args(OnFull))}, not {policy.on_full!r}")
    if policy.max_bytes is not None and policy.max_bytes < 1:
        raise UsageError(f"max_bytes is at least 1, or None for no limit, not {policy.max_bytes}")
    if policy.max_attempts < 1:
        raise UsageError(f"max_attempts is at least 1, not {policy.max_attempts}")
