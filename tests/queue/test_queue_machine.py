"""Any sequence of operations, reopenings and crashes gives what a model of lists gives (MQ03 to MQ07)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pluginkit.queue import PersistentQueue, QueueCounts
from pluginkit.queue.channel import GAP

MOST = 3
SOAK = os.environ.get("PLUGINKIT_SOAK") == "1"
BODIES = st.binary(min_size=1, max_size=20)


class QueueMachine(RuleBasedStateMachine):
    """The model: each live record's body and attempts by id, which of them are leased, and the ends."""

    ids = Bundle("ids")

    @initialize(keeps=st.booleans())
    def begin(self, keeps: bool) -> None:
        self.directory = tempfile.mkdtemp()
        self.path = Path(self.directory, "q.db")
        self.keeps = keeps
        self.live: dict[int, bytes] = {}
        self.attempts: dict[int, int] = {}
        self.leased: set[int] = set()
        self.delayed: set[int] = set()
        self.dead: dict[int, bytes] = {}
        self.done = 0
        self.last = 0
        self.mark: bytes | None = None
        self.open()

    def open(self) -> None:
        self.queue = PersistentQueue(self.path, remove_on_complete=not self.keeps, max_attempts=MOST)

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            self.queue.close()
            shutil.rmtree(self.directory)

    def waiting(self) -> list[int]:
        return sorted(self.live.keys() - self.leased - self.delayed)

    @rule(body=BODIES, target=ids)
    def put(self, body: bytes) -> int:
        given = self.queue.put(body)
        assert given > self.last
        self.last = given
        self.live[given] = body
        return given

    @rule(bodies=st.lists(BODIES, min_size=1, max_size=300))
    def put_many(self, bodies: list[bytes]) -> None:
        given = self.queue.put_many(bodies)
        assert given[0] > self.last
        assert len(given) == len(bodies)
        self.live |= dict(zip(given, bodies, strict=True))
        self.last = given[-1]

    @rule(limit=st.integers(1, 12))
    def lease(self, limit: int) -> None:
        got = self.queue.lease(limit)
        expected: list[int] = []
        # The model's own reading of the rules: in order; one that may be poison goes alone, or is given up.
        for one in self.waiting():
            tried = self.attempts.get(one, 0)
            if tried > MOST:
                if expected:
                    break
                self.dead[one] = self.live.pop(one)
                self.attempts[one] = tried + 1
                continue
            if tried == MOST:
                if not expected:
                    expected.append(one)
                break
            expected.append(one)
            if len(expected) == limit:
                break
        for one in expected:
            self.attempts[one] = self.attempts.get(one, 0) + 1
        assert [(r.id, r.body, r.attempts) for r in got] == [
            (one, self.live[one], self.attempts[one]) for one in expected
        ]
        self.leased |= set(expected)

    def end(self, ended: set[int]) -> None:
        for one in ended:
            del self.live[one]
        self.leased -= ended
        self.done += len(ended) if self.keeps else 0

    @rule(up_to=ids, mark=st.none() | BODIES)
    def ack_up_to(self, up_to: int, mark: bytes | None) -> None:
        self.queue.ack(up_to, marks=None if mark is None else {"m": mark})
        self.mark = self.mark if mark is None else mark
        self.end({one for one in self.leased if one <= up_to})

    @rule(chance=st.randoms(use_true_random=False))
    def ack_some(self, chance: object) -> None:
        some = {one for one in self.leased if chance.random() < 0.5}  # type: ignore[attr-defined]  # a Random
        self.queue.ack([*some, 10**12])
        self.end(some)

    @rule(chance=st.randoms(use_true_random=False), is_delayed=st.booleans())
    def nack_some(self, chance: object, is_delayed: bool) -> None:
        some = {one for one in self.leased if chance.random() < 0.5}  # type: ignore[attr-defined]  # a Random
        self.queue.nack(some, delay=1000 if is_delayed else 0, error="no")
        self.leased -= some
        for one in some:
            if self.attempts[one] >= MOST:
                self.dead[one] = self.live.pop(one)
            elif is_delayed:
                self.delayed.add(one)

    @rule(one=ids)
    def bury(self, one: int) -> None:
        self.queue.bury([one], error="bad")
        if one in self.leased:
            self.leased.remove(one)
            self.dead[one] = self.live.pop(one)

    @rule(one=ids, is_all=st.booleans())
    def replay(self, one: int, is_all: bool) -> None:
        back = set(self.dead) if is_all else {one} & set(self.dead)
        assert self.queue.replay(None if is_all else [one]) == len(back)
        for each in back:
            self.live[each] = self.dead.pop(each)
            self.attempts[each] = 0

    @rule(which=st.sampled_from(["done", "dead", "pending"]))
    def purge(self, which: str) -> None:
        gone = self.queue.purge(which)  # type: ignore[arg-type]  # sampled from the literals
        if which == "pending":
            left = {one: self.live[one] for one in self.leased}
            assert gone == len(self.live) - len(left)
            self.live = left
            self.delayed.clear()
        elif which == "dead":
            assert gone == len(self.dead)
            self.dead.clear()
        else:
            assert gone == self.done
            self.done = 0

    @rule()
    def reopen(self) -> None:
        self.queue.close()
        self.open()
        self.leased.clear()
        self.delayed.clear()

    @rule()
    def crash(self) -> None:
        """The files as a kill -9 would leave them, in another directory."""
        copy = tempfile.mkdtemp()
        shutil.copytree(self.directory, copy, dirs_exist_ok=True)
        self.queue.close()
        shutil.rmtree(self.directory)
        self.directory, self.path = copy, Path(copy, "q.db")
        self.open()
        self.leased.clear()
        self.delayed.clear()
        self.last = max(self.last, (self.last // GAP) * GAP)

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "queue"):
            return
        assert self.queue.counts() == QueueCounts(
            pending=len(self.waiting()),
            delayed=len(self.delayed),
            leased=len(self.leased),
            done=self.done,
            dead=len(self.dead),
            bytes=sum(map(len, self.live.values())),
        )
        assert self.queue.mark("m") == self.mark
        assert {one.id: one.body for one in self.queue.dead_letters()} == self.dead


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=1_000 if SOAK else 25, stateful_step_count=60 if SOAK else 30, deadline=None
)
