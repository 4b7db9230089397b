"""The drain: the thread that writes a queue's records to the sinks behind it.

What must stay true:

- The drain writes a record to every sink (a *lane* each) in the order of ids, and acknowledges it when no lane has it
  any more. A lane that fails keeps its records and tries again; the others go on.
- After `attempts` failures a record becomes a dead letter of that lane. With several lanes a copy
  that names the lane is put into the queue and buried, *before* the record is acknowledged, so that
  a replay reaches that lane only. Three dead in a row: the sink is down, and its whole lane is given up.
- Exactly once into files: each line carries `record_id`, `<token>-<id>`; the token belongs to the
  queue's file and is kept in it with how far all is acknowledged, in one commit with the
  acknowledgement. After a kill the drain reads from the files which of the records beyond
  that are in them already, and leaves those out.
- What the queue raises in between loses no record: nothing leaves `_arrived`, a lane or `_finished` before
  the queue knows.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

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
_MOST_BYTES = 16_000_000
"""Of records that were leased and not acknowledged yet; about so much memory they may take."""
_TURN = 0.2
"""Seconds after which a slow lane lets the others have a turn, once its batch is written."""
_SMALL_BATCH = 10
"""Records that a sink other than a file is given at once: it may be slow."""
_NAP = 0.1
_LINGER = 0.03
"""Seconds for which records gather once some have come. A drain that wakes for each of them takes the
interpreter's lock from the caller at every commit, which costs the caller more than all else."""

Tell = Callable[[str, Guard | None], None]


class Lane:
    """One sink behind the queue, and what it has still to write."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.pending: deque[tuple[int, Entry]] = deque()
        self.written_before: set[int] = set()
        self.failures = 0
        self.dead_in_a_row = 0


class Drain:
    """Writes what comes into a queue to some lanes, from its making until `stop`."""

    def __init__(
        self, queue: RecordQueue, lanes: list[Lane], tell: Tell, *, batch: int, attempts: int
    ) -> None:
        self.queue = queue
        self.lanes = lanes
        self.dead = 0
        self._tell = tell
        self._batch = batch
        self._attempts = attempts
        self._error = ""
        self._done_upto = 0
        self._done = threading.Condition()
        self._arrived: deque[Leased] = deque()
        self._open: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._usual_size = 500
        self._to_bury: dict[int, str] = {}
        self._finished: list[int] = []
        self._highest = 0
        self._is_busy = False
        self._is_stopping = False
        self._hurry = threading.Event()
        # What is leased still is delivered again by the next drain.
        self._is_abandoned = False
        self._token = ""
        self._thread = threading.Thread(target=self._run, name="pluginkit-log-drain", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_abandoned:
            try:
                if not self._token:
                    self._begin()
                if self._turn() == 0 and self._is_stopping:
                    return
                self._error = ""
            except Exception as error:
                if self._is_stopping:
                    return
                if not self._error:
                    self._error = describe_exception(error)
                    self._tell(f"the log queue cannot be drained: {self._error}; it is tried again", None)
                time.sleep(_NAP)

    def _begin(self) -> None:
        """Learn from the queue and from the files how far the last drain came."""
        kept = self.queue.mark(MARK)
        token, upto = kept.decode().split(" ") if kept is not None else (os.urandom(6).hex(), "0")
        if kept is None:
            self.queue.ack([], marks={MARK: f"{token} 0".encode()})
        else:
            for lane in self.lanes:
                if isinstance(lane.guard.sink, FileSink):
                    lane.written_before = lane.guard.sink.written_ids(token, int(upto))
        self._highest, self._token = int(upto), token

    def _turn(self) -> int:
        """Lease, write, acknowledge once; how much there was to do."""
        is_waiting = any(lane.pending for lane in self.lanes)
        room = min((_MOST_WAITING - len(lane.pending) for lane in self.lanes), default=_MOST_WAITING)
        room = min(room, (_MOST_BYTES - self._bytes) // self._usual_size)
        leased: list[Leased] = []
        if room > 0:
            if self._is_busy and not is_waiting:
                self._hurry.wait(_LINGER)
            pause = 0.0 if self._is_stopping else min(_NAP, self._pause()) if is_waiting else _NAP
            leased = self.queue.lease(min(room, self._batch), timeout=pause)
        else:
            time.sleep(min(_NAP, self._pause()))
        # A full batch leaves more behind.
        self._is_busy = 0 < len(leased) < self._batch
        if leased:
            self._usual_size = max(500, sum(len(one.body) for one in leased) // len(leased))
        self._arrived.extend(leased)
        while self._arrived:
            # It leaves when it is in its lanes: what the queue raises meanwhile loses no record.
            self._accept(self._arrived[0])
            self._arrived.popleft()
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
            self._sizes[number] = len(body)
            self._bytes += len(body)
        else:
            self._finished.append(number)

    def _push(self, lane: Lane) -> None:
        """Have a lane write what it has, for as long as a turn may take: the others wait for that."""
        end = time.monotonic() + _TURN
        size = self._batch if isinstance(lane.guard.sink, FileSink) else _SMALL_BATCH
        while lane.pending and not (self._is_abandoned or lane.guard.seconds_until_attempt):
            batch = [entry for _, entry in _first(lane.pending, size)]
            taken, error = lane.guard.attempt(batch)
            for _ in range(taken):
                self._settle(lane.pending.popleft()[0])
            if taken:
                lane.failures = lane.dead_in_a_row = 0
            if error is None:
                if time.monotonic() > end:
                    return
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
                self.queue.bury([number], error=why)
                self._close(number)
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
            self._close(number)
            self._finished.append(number)

    def _close(self, number: int) -> None:
        self._open.pop(number, None)
        self._bytes -= self._sizes.pop(number, 0)

    def _acknowledge(self) -> None:
        upto = min(self._open) - 1 if self._open else self._highest
        if self._finished:
            ids: int | list[int] = self._finished if self._open else self._highest
            self.queue.ack(ids, marks={MARK: f"{self._token} {upto}".encode()})
            self._finished = []
        elif upto == self._done_upto:
            return
        with self._done:
            self._done_upto = upto
            self._done.notify_all()

    # Its end

    def wait_for(self, number: int, timeout: float) -> bool:
        """Wait until all records up to an id are written, for at most `timeout` seconds."""
        self._hurry.set()
        try:
            with self._done:
                return self._done.wait_for(lambda: self._done_upto >= number, timeout)
        finally:
            if not self._is_stopping:
                self._hurry.clear()

    def stop(self, number: int, timeout: float) -> bool:
        """Drain up to an id for at most `timeout` seconds, then end; what is not written stays in the queue."""
        is_complete = self.wait_for(number, timeout) if self._thread.is_alive() else True
        self._is_stopping = True
        self._hurry.set()
        self._is_abandoned = not is_complete
        self._thread.join(max(_NAP * 2, 0.1) if is_complete else _NAP)
        return is_complete


def _first(pending: deque[tuple[int, Entry]], count: int) -> list[tuple[int, Entry]]:
    return [pending[index] for index in range(min(count, len(pending)))]


def _identify(entry: Entry, record_id: str, body: bytes) -> None:
    """Give the record its id; the text it came as is kept, so that it need not be made again."""
    entry.fields = {**entry.fields, names.RECORD_ID: record_id}
    text = body.decode("utf-8", "backslashreplace").rstrip()
    entry._json = f'{text[:-1]}{"" if text == "{}" else ","}"{names.RECORD_ID}":"{record_id}"}}'
