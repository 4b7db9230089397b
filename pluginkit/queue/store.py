"""The open file of one or several queues: who may touch it when, and what a failure leads to.

What must stay true:

1. One process, one connection, one thread at a time. `owner` keeps other processes out, `lock` other
   threads. A forked child has the flag `is_forked` set by the fork hook and never touches the
   connection, not even to close it (see `forking`).
2. A put returns after its commit. There is no thread of ours between a record and the disk: it would
   wait for its turn beside busy threads while records pile up in memory.
3. A caller lays its ticket into `tickets`; *whoever leaves the lock commits what lies there*. So
   callers that come while another is at work wait for their tickets, not for the lock, and share
   one commit (and one sync of the disk). Nobody serves the others for ever: after some rounds it
   wakes the first that waits, to take the lock itself.
4. The lock is re-entrant only to be seen to be: `inside` is the thread that is in here, and if that
   is the caller's own, a signal handler or a `__del__` has interrupted it. Such a put leaves its ticket
   and returns at once; the operation it interrupted commits it before it leaves. Nothing else may be
   done from there. No Python code runs between taking the lock and setting `inside`, nor
   between the last look at the tickets and clearing it, so neither can be interrupted in between.
5. Disk first, memory after. An operation whose SQL failed has changed nothing and is run again once:
   after the reserve was freed if the disk is full, after the file was renewed if it is damaged.
   A put does not get the reserve: it is there for those that make room.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

from pluginkit.errors import PluginkitError, StateError
from pluginkit.queue.connection import Durability, connect, means_damage, means_full, roll_back, settle
from pluginkit.queue.damage import Damage, renew
from pluginkit.queue.errors import QueueFull, QueueUnusable
from pluginkit.queue.owner import OwnerLock, refuse_network
from pluginkit.queue.reserve import Reserve
from pluginkit.queue.tickets import Batch, Ticket

if TYPE_CHECKING:
    from pluginkit.queue.channel import Channel

T = TypeVar("T")

MOST_ROUNDS = 3
"""Commits that one caller makes before it leaves; those that come later make theirs."""


class Store:
    """One file, open. Raises `QueueOwned` and `QueueUnusable`."""

    def __init__(self, path: Path, durability: Durability, *, repairs: bool = True) -> None:
        self.path = path
        self.durability: Durability = durability
        self.channels: dict[str, Channel] = {}
        self.damages: list[Damage] = []
        self.lock = threading.RLock()
        self.inside = 0
        """The thread that is at work, 0 if none is."""
        self._was_interrupted = False
        self._is_unsure = False
        self._crowd = 0
        """About how many threads put at the same time."""
        self.is_forked = False
        """In a forked child: the connection is the parent's."""
        self.was_forked = False
        """In the parent: children may have left records."""
        self.tickets: deque[Ticket] = deque()
        self._repairs = repairs
        try:
            refuse_network(path)
            self.owner = OwnerLock(path)
        except (OSError, ValueError) as error:
            raise unusable(path, error) from error
        try:
            self.connection = self._connect()
            self.was_killed = not self._change_clean(now=False)
            self.reserve = Reserve(path)
            settle(self.connection, durability)
        except sqlite3.Error as error:
            self.owner.let_go()
            raise unusable(path, error) from error
        except BaseException:
            self.owner.let_go()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            return connect(self.path)
        except sqlite3.DatabaseError as error:
            if not means_damage(error) or not self._repairs:
                raise
            return self._renewed(error)

    def _change_clean(self, *, now: bool) -> bool:
        """Note whether the file is in order; returns what was noted before."""
        row = self.connection.execute("SELECT is_clean FROM file").fetchone()
        self.connection.execute("UPDATE file SET is_clean = ?", (now,))
        return row is not None and bool(row[0])

    # ------------------------------------------------------------------ working

    def put(self, ticket: Ticket) -> None:
        """Settle a ticket. It is not settled at once if this call interrupted another of its own thread."""
        me = get_ident()
        if self.inside == me:
            self._was_interrupted = True
            self.tickets.append(ticket)
            return
        if self.inside:
            ticket.wake = SimpleQueue()
        self.tickets.append(ticket)
        while ticket.wake is not None and self.inside and not ticket.is_settled:
            # Until it is settled, or it is our turn. Whoever is inside sees the ticket: it looks once
            # more after it has left. The time is for one that was torn out of that by Ctrl-C.
            with suppress(Empty):
                ticket.wake.get(timeout=1.0)
        if ticket.is_settled:
            return
        with self.lock:
            if ticket.is_settled:
                return
            self.inside = me
            self._leave()

    def run(self, work: Callable[[], T]) -> T:
        """Do something else with the file, alone. Raises `QueueFull`, `QueueUnusable`, and what `work` raises."""
        me = get_ident()
        with self.lock:
            if self.inside == me:
                text = "a signal handler or __del__ interrupted the queue in its work; there it may only put"
                raise StateError(f"{self.path}: {text}")
            self.inside = me
            try:
                return self._run(work)
            finally:
                self._leave()

    def _leave(self) -> None:
        try:
            rounds = 0
            while self.tickets and (rounds < MOST_ROUNDS or self._was_interrupted):
                self._was_interrupted = False
                rounds += 1
                if self._crowd > 1 and self.durability == "power":
                    self._gather()
                self._commit()
        finally:
            self.inside = 0
            if self.tickets:
                # All of them: the first one's thread may have been sent elsewhere by Ctrl-C.
                for ticket in self.tickets.copy():
                    ticket.wake_up()

    def _gather(self) -> None:
        """Let the threads that were served by the last commit come again before the next one.

        A commit that waits for the disk is worth that: each one more that it serves is one less to wait for.
        """
        seen = 0
        while len(self.tickets) > seen:
            seen = len(self.tickets)
            # Long enough for some of them to come; a shorter one only takes their turn away.
            time.sleep(1e-6)

    def _run(self, work: Callable[[], T]) -> T:
        try:
            done = self._twice(work, self._make_good)
        except PluginkitError:
            raise
        except BaseException:
            self._be_unsure()
            raise
        if not self.reserve.is_there:
            self.reserve.make()
        return done

    def _twice(self, work: Callable[[], T], make_good: Callable[[sqlite3.Error], None]) -> T:
        """Do it, and once more if SQLite failed and that could be made good."""
        try:
            self._be_sure()
            return work()
        except sqlite3.Error as error:
            roll_back(self.connection)
            make_good(error)
        try:
            return work()
        except sqlite3.Error as again:
            roll_back(self.connection)
            raise self._refusal(again) from again

    def _be_unsure(self) -> None:
        """Something tore us out between the disk and memory, Ctrl-C for instance."""
        roll_back(self.connection)
        self._is_unsure = True

    def _be_sure(self) -> None:
        """Then the disk is right."""
        if self._is_unsure:
            for channel in self.channels.values():
                channel.open()
            self._is_unsure = False

    def _make_good(self, error: sqlite3.Error) -> None:
        if means_full(error):
            self.reserve.give()
            self._checkpoint()
        elif means_damage(error) and self._repairs:
            self._renew(error)
        else:
            raise self._refusal(error) from error

    def _checkpoint(self) -> None:
        """Move the log into the file, which then has its space for what comes next."""
        with suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _refusal(self, error: sqlite3.Error) -> Exception:
        if means_full(error):
            text = f"the disk is full ({error}); nothing of this call was kept; make room, then try again"
            return QueueFull(self.path, text)
        return unusable(self.path, error)

    def become_forked(self) -> None:
        """In a child that was just forked: hands off. Another thread of the parent may hold the lock."""
        self.is_forked = True
        self.lock = threading.RLock()
        self.inside = 0
        self.tickets.clear()
        self.owner.let_go()
        for channel in self.channels.values():
            channel.spool.reset()

    # ------------------------------------------------------------------ committing puts

    def _commit(self) -> None:
        # A ticket stays in line until it is settled, so that nothing that tears us out loses one.
        tickets = [ticket for ticket in self.tickets.copy() if not ticket.is_settled]
        self._crowd = max(len(tickets), self._crowd - 1)
        try:
            if tickets:
                self._twice(lambda: self._write(tickets), self._make_good_for_put)
        except PluginkitError as error:
            _tell(tickets, error)
        except BaseException as error:
            self._be_unsure()
            _tell(tickets, error if isinstance(error, Exception) else self._torn())
            if not isinstance(error, Exception):
                raise  # it is meant for the caller of this thread
        finally:
            for ticket in tickets:
                ticket.is_settled = True
                ticket.wake_up()
                if ticket.channel.bell.waiters:
                    ticket.channel.bell.ring()
            while self.tickets and self.tickets[0].is_settled:
                self.tickets.popleft()

    def _torn(self) -> QueueUnusable:
        text = "another thread that was about to commit this record was interrupted; put it again to be sure"
        return QueueUnusable(self.path, text)

    def _make_good_for_put(self, error: sqlite3.Error) -> None:
        """As `_make_good`, but the reserve is not for puts."""
        if means_full(error):
            self._checkpoint()
        else:
            self._make_good(error)

    def _write(self, tickets: list[Ticket]) -> None:
        if len(tickets) == 1 and tickets[0].channel.put_one(tickets[0]):
            return
        batch = Batch()
        for ticket in tickets:
            ticket.error, ticket.must_wait = None, False
            ticket.channel.admit(batch, ticket)
        batch.write()

    # ------------------------------------------------------------------ damage

    def _renew(self, error: sqlite3.Error) -> None:
        """Put a new file in the place of a damaged one, with all that was whole, and go on with it."""
        self.connection.close()
        try:
            self.connection = self._renewed(error)
            self._change_clean(now=False)
            settle(self.connection, self.durability)
            for channel in self.channels.values():
                channel.open()
        except (sqlite3.Error, OSError) as worse:
            raise unusable(self.path, worse) from worse

    def _renewed(self, error: sqlite3.Error) -> sqlite3.Connection:
        names = {channel.number: name for name, channel in self.channels.items()}
        try:
            damage = renew(self.path, error, names)
            fresh = connect(self.path)
        except OSError as worse:
            raise unusable(self.path, worse) from worse
        self.damages.append(damage)
        return fresh

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Leave the file in order. What cannot be written any more is left to the next one that opens it."""
        with self.lock, suppress(sqlite3.Error):
            for channel in self.channels.values():
                channel.settle()
            self._change_clean(now=True)
        with self.lock:
            with suppress(sqlite3.Error):
                self.connection.close()
            self.owner.let_go()


def _tell(tickets: list[Ticket], error: Exception) -> None:
    for ticket in tickets:
        ticket.error = ticket.error or error


def unusable(path: Path, error: object) -> QueueUnusable:
    """The error for a file that cannot be opened, read or written."""
    text = str(getattr(error, "strerror", None) or error)
    todo = "see that the directory and the file can be written, or name another file"
    return QueueUnusable(path, f"the queue's file cannot be used: {text}; {todo}")
