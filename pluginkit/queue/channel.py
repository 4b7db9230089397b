"""One queue of a file: every change of it, first on disk, then in the ledger.

Each method runs under the store's lock. SQL comes first and may raise; the ledger is changed after
the commit by assignments that cannot. So a method that failed has changed nothing, and may be run
again (the store does that after it made room, or renewed a damaged file).
"""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from zlib import crc32

from pluginkit.queue.connection import transaction
from pluginkit.queue.errors import QueueClosed
from pluginkit.queue.forking import Adoption, Spool
from pluginkit.queue.ledger import Ledger
from pluginkit.queue.protocol import DeadLetter, Leased, QueueCounts
from pluginkit.queue.tables import Statements
from pluginkit.queue.tickets import Batch, Ticket
from pluginkit.queue.waiting import Bell

if TYPE_CHECKING:
    from pluginkit.queue.store import Store

OnFull: TypeAlias = Literal["raise", "block", "drop_oldest", "drop_newest"]

GAP = 1_000_000
"""After a crash ids go on at the next multiple: one that a lost disk write has forgotten is never given twice."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a queue does with its records."""

    remove_on_complete: bool
    max_bytes: int | None
    on_full: OnFull
    max_attempts: int


class Channel:
    """A queue by name, in an open store."""

    def __init__(self, store: Store, name: str, policy: Policy) -> None:
        self.store = store
        self.name = name
        self.policy = policy
        self.number = 0
        self.sql = Statements(0)
        self.ledger = Ledger()
        self.bell = Bell()
        self.spool = Spool(store.path, name)
        self.adoption = Adoption(self)
        self.is_open = True
        self.is_drained = False
        """Whether anybody has ever leased: only then is there something to wait for at the end."""

    # ------------------------------------------------------------------ opening

    def open(self) -> None:
        """Make the queue's tables if need be, and read what the ledger has to know.

        Again after the file was renewed: what is leased, and still there, stays leased.
        """
        run, old = self.store.connection.execute, self.ledger
        with transaction(self.store.connection):
            run("INSERT OR IGNORE INTO queues (name) VALUES (?)", (self.name,))
            self.number = run("SELECT number FROM queues WHERE name = ?", (self.name,)).fetchone()[0]
            self.sql = Statements(self.number)
            for text in self.sql.create:
                run(text)
            new = self._read(old)
            run(self.sql.given, (new.last, new.dropped, self.number))
        self.ledger = new

    def _read(self, old: Ledger) -> Ledger:
        run, new = self.store.connection.execute, Ledger()
        numbers = run(
            "SELECT delivered, dropped, given FROM queues WHERE number = ?", (self.number,)
        ).fetchone()
        new.delivered, new.dropped = max(numbers[0], old.delivered), max(numbers[1], old.dropped)
        new.last = max(run(self.sql.last).fetchone()[0] or 0, numbers[2], new.delivered, old.last)
        if self.store.was_killed:
            new.last = (new.last // GAP + 1) * GAP
        new.bytes = run(self.sql.total).fetchone()[1]
        new.fresh = run(self.sql.total_fresh, (new.delivered,)).fetchone()[0]
        new.attempts = dict(run(self.sql.tries).fetchall())
        there = [row[0] for row in run(self.sql.returned, (new.delivered,))]
        known = set(there)
        new.leased = {one: lease for one, lease in old.leased.items() if one in known}
        new.delayed = [entry for entry in old.delayed if entry[1] in known]
        elsewhere = {*new.leased, *(one for _, one in new.delayed)}
        new.returned = [one for one in there if one not in elsewhere]
        new.done = run(self.sql.count["done"]).fetchone()[0]
        new.dead = run(self.sql.count["dead"]).fetchone()[0]
        return new

    # ------------------------------------------------------------------ putting

    def put_one(self, ticket: Ticket) -> bool:
        """The usual put, without the ceremony of a batch; False if this is not one."""
        if self.policy.max_bytes is not None or len(ticket.bodies) != 1 or not self.is_open:
            return False
        ledger, body = self.ledger, ticket.bodies[0]
        number = ledger.last + 1
        self.store.connection.execute(self.sql.put, (number, crc32(body), body))
        ledger.last = ticket.first = number
        ledger.fresh += 1
        ledger.bytes += ticket.size
        return True

    def admit(self, batch: Batch, ticket: Ticket) -> None:
        """Decide about one put: it gets ids in this batch, or is dropped, must wait, or is refused."""
        if not self.is_open:
            ticket.error = QueueClosed(self.store.path, self.name)
            return
        size, limit = ticket.size, self.policy.max_bytes
        if limit is not None:
            free = limit - self.ledger.bytes - batch.size_of(self)
            if size > free and not self._find_room(batch, ticket, size - free):
                return
        batch.add(self, ticket)

    def _find_room(self, batch: Batch, ticket: Ticket, missing: int) -> bool:
        policy = self.policy
        fits_ever = policy.max_bytes is not None and ticket.size <= policy.max_bytes
        if policy.on_full == "drop_oldest" and fits_ever and self._oldest(batch, missing):
            return True
        if policy.on_full in ("drop_newest", "drop_oldest"):
            batch.drop(self, ticket)
        elif policy.on_full == "block" and fits_ever:
            ticket.must_wait = True
        else:
            ticket.refuse_full(self.store.path, policy.max_bytes or 0)
        return False

    def _oldest(self, batch: Batch, missing: int) -> bool:
        """Choose the oldest records that nobody has leased, until there is room; False if all are too few."""
        chosen: dict[int, int] = {}
        gone = batch.victims.setdefault(self, {})
        run = self.store.connection.execute
        self.ledger.mature(time.monotonic())
        returned = [one for one in sorted(self.ledger.returned) if one not in gone]
        returned += [one for _, one in sorted(self.ledger.delayed) if one not in gone]
        for row in run(self.sql.sizes, (json.dumps(returned),)) if returned else ():
            if missing <= 0:
                break
            chosen[row[0]] = row[1]
            missing -= row[1]
        if missing > 0:
            cursor = run(self.sql.fresh_sizes, (max([self.ledger.delivered, *gone]),))
            for one, size in cursor:
                if missing <= 0:
                    break
                chosen[one] = size
                missing -= size
            cursor.close()
        if missing > 0:
            return False
        gone.update(chosen)
        return True

    def write(self, first: int, bodies: Sequence[bytes], victims: Mapping[int, int], dropped: int) -> None:
        """The SQL of a batch; one statement unless there are victims."""
        run = self.store.connection.execute
        if victims:
            run(self.sql.remove, (json.dumps(list(victims)),))
            run(self.sql.delivered, (self.ledger.delivered, self.ledger.dropped + dropped, self.number))
        if bodies:
            self.sql.insert(self.store.connection, first, bodies)

    def written(self, first: int, bodies: Sequence[bytes], victims: Mapping[int, int], dropped: int) -> None:
        """The ledger's side of `write`."""
        ledger = self.ledger
        if victims:
            old = {one for one in victims if one <= ledger.delivered}
            if old:
                ledger.returned = [one for one in ledger.returned if one not in old]
                ledger.delayed = [entry for entry in ledger.delayed if entry[1] not in old]
                heapq.heapify(ledger.returned)
                heapq.heapify(ledger.delayed)
                for one in old:
                    ledger.attempts.pop(one, None)
            ledger.fresh -= len(victims) - len(old)
            ledger.bytes -= sum(victims.values())
        ledger.dropped += dropped
        if bodies:
            ledger.added(first, len(bodies), sum(map(len, bodies)))

    # ------------------------------------------------------------------ delivering

    def lease(self, limit: int) -> list[Leased]:
        """Hand out records in order: those that came back first, for their ids are lower."""
        ledger = self.ledger
        self.is_drained = True
        if self.store.was_forked and self.adoption.is_due:
            self.adoption.run()
        ledger.mature(time.monotonic())
        again = self._again(limit)
        alone = bool(again) and ledger.attempts.get(again[0], 1) >= self.policy.max_attempts
        rows = self._read_some(again) if again else []
        # Nothing overtakes one that came back and is not in this lease.
        room = 0 if alone or len(again) < len(ledger.returned) else limit - len(again)
        fresh = self._read_fresh(room) if room and ledger.fresh else []
        if not rows and not fresh and not again:
            return []
        delivered = fresh[-1][0] if fresh else ledger.delivered
        self._note_delivery(again, delivered if fresh else None)
        for _ in again:
            heapq.heappop(ledger.returned)
        for one in again:
            ledger.attempts[one] = ledger.attempts.get(one, 1) + 1
        out = [Leased(one, body, ledger.attempts[one]) for one, _, body in rows]
        out += [Leased(one, body, 1) for one, _, body in fresh]
        leases = {one.id: (len(one.body), one.attempts) for one in out}
        ledger.handed_out(leases, fresh=len(fresh), delivered=delivered)
        try:
            return self._whole(out, {one: crc for one, crc, _ in (*rows, *fresh)})
        except BaseException:
            ledger.given_back([one for one in leases if one in ledger.leased], due=None)
            raise

    def _again(self, limit: int) -> list[int]:
        """The next ones to be delivered again. One that may be poison is alone.

        A record that was delivered `max_attempts` times and never refused was there each time
        when the process ended. Delivered alone it shows whether it is the reason, and spares the others.
        """
        attempts, most = self.ledger.attempts, self.policy.max_attempts
        again = heapq.nsmallest(limit, self.ledger.returned)
        for place, one in enumerate(again):
            if attempts.get(one, 1) >= most:
                return again[: max(place, 1)]
        return again

    def _read_some(self, ids: Sequence[int]) -> list[tuple[int, int, bytes]]:
        return self.store.connection.execute(self.sql.some, (json.dumps(ids),)).fetchall()

    def _read_fresh(self, limit: int) -> list[tuple[int, int, bytes]]:
        return self.store.connection.execute(self.sql.fresh, (self.ledger.delivered, limit)).fetchall()

    def _note_delivery(self, again: Sequence[int], delivered: int | None) -> None:
        """Before the records are handed out it is on disk that they are."""
        run = self.store.connection.execute
        statements: list[tuple[str, tuple[object, ...]]] = []
        if again:
            statements.append((self.sql.try_again, (json.dumps(again),)))
        if delivered is not None:
            statements.append((self.sql.delivered, (delivered, self.ledger.dropped, self.number)))
        if len(statements) == 1:
            run(*statements[0])
            return
        with transaction(self.store.connection):
            for statement in statements:
                run(*statement)

    def _whole(self, found: list[Leased], sums: Mapping[int, int]) -> list[Leased]:
        """Set aside what is not what was put, and what has ended the process too often."""
        changed = [one.id for one in found if crc32(one.body) != sums[one.id]]
        deadly = [one.id for one in found if one.attempts > self.policy.max_attempts + 1]
        if changed:
            self.bury(changed, "its bytes have changed on the disk since it was put")
        if deadly:
            times = self.policy.max_attempts + 1
            self.bury(deadly, f"each of {times} deliveries, the last one alone, ended with the process")
        if not changed and not deadly:
            return found
        gone = {*changed, *deadly}
        return [one for one in found if one.id not in gone]

    def ack(self, ids: int | Iterable[int], marks: Mapping[str, bytes] | None) -> None:
        """End leased records for good; what is not leased (any more) is left alone."""
        ledger, run = self.ledger, self.store.connection.execute
        if isinstance(ids, int):
            ended = [one for one in ledger.leased if one <= ids]
        else:
            ended = [one for one in dict.fromkeys(ids) if one in ledger.leased]
        statements = self._ending(ended) if ended else []
        for name, value in (marks or {}).items():
            statements.append((self.sql.set_mark, (self.number, name, value)))
        if len(statements) == 1:
            run(*statements[0])
        elif statements:
            with transaction(self.store.connection):
                for statement in statements:
                    run(*statement)
        ledger.ended(ended)
        if not self.policy.remove_on_complete:
            ledger.done += len(ended)

    def _ending(self, ended: list[int]) -> list[tuple[str, tuple[object, ...]]]:
        ledger = self.ledger
        statements: list[tuple[str, tuple[object, ...]]] = []
        picked = (json.dumps(ended),)
        if not self.policy.remove_on_complete:
            statements.append((self.sql.keep, picked))
        if not ledger.returned and not ledger.delayed and len(ended) == len(ledger.leased):
            # All that was ever handed out: one walk from the beginning.
            statements.append((self.sql.remove_up_to, (ledger.delivered,)))
        else:
            statements.append((self.sql.remove, picked))
        tried = [one for one in ended if one in ledger.attempts]
        if tried:
            statements.append((self.sql.forget_tries, (json.dumps(tried),)))
        return statements

    def mark(self, name: str) -> bytes | None:
        row = self.store.connection.execute(self.sql.mark, (self.number, name)).fetchone()
        return None if row is None else bytes(row[0])

    def nack(self, ids: Iterable[int], delay: float, error: str) -> None:
        """Give back; those that have been delivered `max_attempts` times are given up instead."""
        ledger = self.ledger
        mine = [one for one in dict.fromkeys(ids) if one in ledger.leased]
        over = [one for one in mine if ledger.leased[one][1] >= self.policy.max_attempts]
        if over:
            self.bury(over, error or "refused")
        gone = set(over)
        due = time.monotonic() + delay if delay > 0 else None
        ledger.given_back([one for one in mine if one not in gone], due=due)

    def bury(self, ids: Iterable[int], error: str) -> None:
        """Leased records become dead letters."""
        ledger, run = self.ledger, self.store.connection.execute
        mine = [one for one in dict.fromkeys(ids) if one in ledger.leased]
        if not mine:
            return
        picked, error = json.dumps(mine), error.encode("utf-8", "backslashreplace").decode()
        with transaction(self.store.connection):
            run(self.sql.bury, (error, json.dumps([(one, ledger.leased[one][1]) for one in mine])))
            run(self.sql.remove, (picked,))
            run(self.sql.forget_tries, (picked,))
        ledger.ended(mine)
        ledger.dead += len(mine)

    # ------------------------------------------------------------------ looking, and tidying up

    def has_room(self, size: int) -> bool:
        limit = self.policy.max_bytes
        return limit is None or self.ledger.bytes + size <= limit

    def has_some(self) -> bool:
        """Whether a lease would find something."""
        self.ledger.mature(time.monotonic())
        return self.ledger.pending > 0

    def is_idle(self) -> bool:
        """Whether all is acknowledged or given up."""
        return self.ledger.live == 0

    def counts(self) -> QueueCounts:
        ledger = self.ledger
        ledger.mature(time.monotonic())
        return QueueCounts(
            pending=ledger.pending,
            delayed=len(ledger.delayed),
            leased=len(ledger.leased),
            done=ledger.done,
            dead=ledger.dead,
            dropped=ledger.dropped,
            bytes=ledger.bytes,
        )

    def peek(self, count: int) -> list[Leased]:
        """The next ones to be delivered, with their deliveries so far."""
        ledger = self.ledger
        ledger.mature(time.monotonic())
        again = heapq.nsmallest(count, ledger.returned)
        out = [Leased(one, body, ledger.attempts.get(one, 1)) for one, _, body in self._read_some(again)]
        out += [Leased(one, body, 0) for one, _, body in self._read_fresh(count - len(again))]
        return out

    def dead_letters(self, limit: int | None) -> list[DeadLetter]:
        rows = self.store.connection.execute(self.sql.dead, (-1 if limit is None else limit,))
        return [DeadLetter(*row) for row in rows]

    def replay(self, ids: Iterable[int] | None) -> int:
        """Dead letters wait again, under their ids."""
        run = self.store.connection.execute
        sizes = dict(run(self.sql.dead_sizes).fetchall())
        if ids is not None:
            wanted = set(ids)
            sizes = {one: size for one, size in sizes.items() if one in wanted}
        if sizes:
            picked = (json.dumps(list(sizes)),)
            with transaction(self.store.connection):
                run(self.sql.revive, picked)
                run(self.sql.first_try, picked)
                run(self.sql.remove_dead, picked)
            self.ledger.revived(sizes)
        return len(sizes)

    def purge(self, which: Literal["done", "dead", "pending"]) -> int:
        """Delete records of one kind; what is leased is not pending."""
        ledger, run = self.ledger, self.store.connection.execute
        if which != "pending":
            count: int = getattr(ledger, which)
            run(self.sql.clear[which])
            setattr(ledger, which, 0)
            return count
        kept = (json.dumps(list(ledger.leased)),)
        with transaction(self.store.connection):
            run(self.sql.remove_but, kept)
            run(self.sql.clear_tries, kept)
            run(self.sql.delivered, (ledger.last, ledger.dropped, self.number))
        count = ledger.pending + len(ledger.delayed)
        ledger.delivered, ledger.fresh, ledger.returned, ledger.delayed = ledger.last, 0, [], []
        ledger.bytes = sum(size for size, _ in ledger.leased.values())
        ledger.attempts = {one: n for one, n in ledger.attempts.items() if one in ledger.leased}
        return count

    def settle(self) -> None:
        """Write down what is known in memory only: the last id, which outlives its record, and the drops."""
        self.store.connection.execute(self.sql.given, (self.ledger.last, self.ledger.dropped, self.number))
