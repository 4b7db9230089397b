"""The asynchronous path: encode at the caller, keep in the queue, write in one other thread.

What must stay true:

- `write` returns after the queue's commit: from then on a kill loses nothing. What the queue
  refuses (full, closed, unusable) goes to the sinks at once, in the caller's thread; that is told once.
- The drain writes a record to every sink (a *lane* each) in the order of ids, and acknowledges it when no lane has it
  any more. A lane that fails keeps its records and tries again; the others go on.
- After `attempts` failures a record becomes a dead letter of that lane. With several lanes a copy
  that names the lane is put into the queue and buried, *before* the record is acknowledged, so that
  a replay reaches that lane only. Three dead in a row: the sink is down, and its whole lane is given up.
- Exactly once into files: each line carries `record_id`, `<token>-<id>`; the token belongs to the
  queue's file and is kept in it with how far all is acknowledged, in one commit with the
  acknowledgement. After a kill the drain reads from the files which of the records beyond
  that are in them already, and leaves those out.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from pluginkit.errors import describe_exception
from pluginkit.logs import fields as names
from pluginkit.logs.encoding import text_json
from pluginkit.logs.entry import DecodeError, Entry
from pluginkit.logs.files import FileSink
from pluginkit.logs.guard import Guard
from pluginkit.queue.protocol import Leased, RecordQueue

MARK = "pluginkit.logs"
_MOST_WAITING = 5_000
"""Records of one lane; beyond, nothing is leased until it is tried again."""
_NAP = 0.25

Tell = Callable[[str, Guard | None], None]


class Lane:
    """One sink behind the queue, and what it has still to write."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.pending: deque[tuple[int, Entry]] = deque()
        self.written_before: set[int] = set()
        self.failures = 0
        self.dead_in_a_row = 0


class AsyncPath:
    """A queue with the sinks behind it; to the chain it is one more place that takes records."""

    def __init__(
        self, queue: RecordQueue, guards: Iterable[Guard], tell: Tell, *, batch: int = 500, attempts: int = 5
    ) -> None:
        self.queue = queue
        self.direct = 0
        self.dead = 0
        self.lanes = [Lane(guard) for guard in guards]
        self._tell = tell
        self._batch = batch
        self._attempts = attempts
        self._put_error = ""
        self._drain_error = ""
        self._last_put = 0
        self._done_upto = 0
        self._done = threading.Condition()
        self._open: dict[int, int] = {}
        self._to_bury: dict[int, str] = {}
        self._finished: list[int] = []
        self._highest = 0
        self._is_stopping = False
        # What is leased still is delivered again by the next drain.
        self._is_abandoned = False
        self._owner = os.getpid()
        self._token = ""
        self._thread = threading.Thread(target=self._run, name="pluginkit-log-drain", daemon=True)
        self._thread.start()

    # The caller's side

    def write(self, entry: Entry) -> None:
        """Keep a record in the queue; without a queue, write it here and now."""
        try:
            number = self.queue.put(entry.json().encode())
        except Exception as error:
            self._write_directly(entry, describe_exception(error))
            return
        self._last_put = max(self._last_put, number)
        if self._put_error:
            self._put_error = ""
            self._tell(f"the log queue takes records again; {self.direct} were logged without it", None)

    def _write_directly(self, entry: Entry, why: str) -> None:
        self.direct += 1
        for lane in self.lanes:
            lane.guard.write(entry)
        if not self._put_error and not (self._is_stopping or self._owner != os.getpid()):
            self._put_error = why
            self._tell(f"the log queue refuses records: {why}; they are logged without it", None)

    # The drain's side

    def _run(self) -> None:
        while not self._is_abandoned:
            try:
                if not self._token:
                    self._begin()
                if self._turn() == 0 and self._is_stopping:
                    return
                self._drain_error = ""
            except Exception as error:
                if self._is_stopping:
                    return
                if not self._drain_error:
                    self._drain_error = describe_exception(error)
                    self._tell(
                        f"the log queue cannot be drained: {self._drain_error}; it is tried again", None
                    )
                time.sleep(_NAP)

    def _begin(self) -> None:
        """Learn from the queue and from the files how far the last drain came."""
        kept = self.queue.mark(MARK)
        token, upto, since = kept.decode().split(" ") if kept is not None else (os.urandom(6).hex(), "0", "")
        if kept is None:
            since = repr(time.time())
            self.queue.ack([], marks={MARK: f"{token} 0 {since}".encode()})
        else:
            for lane in self.lanes:
                if isinstance(lane.guard.sink, FileSink):
                    # A second of slack: file systems keep coarser times than the clock.
                    lane.written_before = lane.guard.sink.written_ids(token, int(upto), float(since) - 1.0)
        self._highest, self._since, self._token = int(upto), since, token

    def _turn(self) -> int:
        """Lease, write, acknowledge once; how much there was to do."""
        is_waiting = any(lane.pending for lane in self.lanes)
        room = min((_MOST_WAITING - len(lane.pending) for lane in self.lanes), default=_MOST_WAITING)
        leased: list[Leased] = []
        if room > 0:
            pause = 0.0 if self._is_stopping else min(_NAP, self._pause()) if is_waiting else _NAP
            leased = self.queue.lease(min(room, self._batch), timeout=pause)
        else:
            time.sleep(min(_NAP, self._pause()))
        for one in leased:
            self._accept(one)
        for lane in self.lanes:
            self._push(lane)
        self._acknowledge()
        if not leased and self._is_stopping and any(lane.pending for lane in self.lanes):
            time.sleep(min(0.05, self._pause()))
        return len(leased) + len(self._open)

    def _pause(self) -> float:
        """Seconds until some lane that has something is tried again."""
        return min((lane.guard.seconds_until_attempt for lane in self.lanes if lane.pending), default=_NAP)

    def _accept(self, leased: Leased) -> None:
        number, body, _ = leased
        self._highest = max(self._highest, number)
        if number in self._to_bury:
            self.queue.bury([number], error=self._to_bury.pop(number))
            return
        try:
            entry = Entry.from_json(body)
        except DecodeError as error:
            self.queue.bury([number], error=f"not a log record: {error}")
            self.dead += 1
            self._tell(f"record {number} of the log queue cannot be read and is set aside: {error}", None)
            return
        only = dict(entry.fields).pop(names.SINK, None)
        lanes = [lane for lane in self.lanes if only in {None, lane.guard.name}]
        if only is None:
            _identify(entry, f"{self._token}-{number}", body)
        else:
            entry.fields = {name: value for name, value in entry.fields.items() if name != names.SINK}
        owing = 0
        for lane in lanes:
            if number in lane.written_before:
                lane.written_before.discard(number)
            elif entry.number >= lane.guard.number:
                lane.pending.append((number, entry))
                owing += 1
        if owing:
            self._open[number] = owing
        else:
            self._finished.append(number)

    def _push(self, lane: Lane) -> None:
        while lane.pending and not (self._is_abandoned or lane.guard.seconds_until_attempt):
            batch = [entry for _, entry in _first(lane.pending, self._batch)]
            taken, error = lane.guard.attempt(batch)
            for _ in range(taken):
                self._settle(lane.pending.popleft()[0])
            if taken:
                lane.failures = lane.dead_in_a_row = 0
            if error is None:
                continue
            lane.failures += 1
            if lane.failures >= self._attempts or (lane.dead_in_a_row and not taken):
                self._give_up(lane, error)

    def _give_up(self, lane: Lane, error: str) -> None:
        """Make the first record of a lane a dead letter; the third in a row takes all others along."""
        lane.failures = 0
        lane.dead_in_a_row += 1
        count = len(lane.pending) if lane.dead_in_a_row >= 3 else 1
        why = f"sink {lane.guard.name}: {error}"
        for number, entry in _first(lane.pending, count):
            if len(self.lanes) > 1:
                text = f'{entry.json()[:-1]},"{names.SINK}":{text_json(lane.guard.name)}}}'
                self._to_bury[self.queue.put(text.encode())] = why
                self._settle(number)
            else:
                self._open.pop(number, None)
                self.queue.bury([number], error=why)
            lane.pending.popleft()
            self.dead += 1
        self._tell(
            f"log sink {lane.guard.name} refused {count} records; they are dead letters: {error}", lane.guard
        )

    def _settle(self, number: int) -> None:
        owing = self._open.get(number, 1) - 1
        if owing:
            self._open[number] = owing
        else:
            self._open.pop(number, None)
            self._finished.append(number)

    def _acknowledge(self) -> None:
        if not self._finished:
            return
        upto = min(self._open) - 1 if self._open else self._highest
        ids: int | list[int] = self._finished if self._open else self._highest
        self.queue.ack(ids, marks={MARK: f"{self._token} {upto} {self._since}".encode()})
        self._finished = []
        with self._done:
            self._done_upto = upto
            self._done.notify_all()

    # Its end

    def complete(self, timeout: float) -> bool:
        """Wait until all that was put before this call is written, for at most `timeout` seconds."""
        target = self._last_put
        with self._done:
            return self._done.wait_for(lambda: self._done_upto >= target, timeout)

    def close(self, timeout: float) -> bool:
        """Drain for at most `timeout` seconds, then leave the rest in the queue for the next start."""
        if self._owner != os.getpid():
            return True
        is_complete = self.complete(timeout) if self._thread.is_alive() else True
        self._is_stopping = True
        self._is_abandoned = not is_complete
        self._thread.join(max(_NAP * 2, 0.1) if is_complete else _NAP)
        return is_complete

    def after_fork(self) -> None:
        """The child has no drain: its records go into the queue if that takes them, else directly."""
        self._done = threading.Condition()

    def stats(self) -> Mapping[str, int]:
        """Counts of the queue, what was logged without it, and what was given up here."""
        counts: dict[str, int] = {}
        with suppress(Exception):  # a queue that is closed has nothing to say
            counts = self.queue.counts().as_json()
        return {**counts, "direct": self.direct, "given_up": self.dead}


def _first(pending: deque[tuple[int, Entry]], count: int) -> list[tuple[int, Entry]]:
    return [pending[index] for index in range(min(count, len(pending)))]


def _identify(entry: Entry, record_id: str, body: bytes) -> None:
    """Give the record its id; the text it came as is kept, so that it need not be made again."""
    entry.fields = {**entry.fields, names.RECORD_ID: record_id}
    text = body.decode("utf-8", "backslashreplace").rstrip()
    entry._json = f'{text[:-1]}{"" if text == "{}" else ","}"{names.RECORD_ID}":"{record_id}"}}'
