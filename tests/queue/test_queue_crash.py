"""kill -9 at any moment: what put returned for is delivered, what ack returned for is not again (MQ03)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit.queue import PersistentQueue
from tests.queue.conftest import MakeQueue, bodies, until

KILLS = 50

# Three threads put and one drains; each notes in a file of its own, by one write, what has returned.
WORKER = """\
import os, sys, threading
from pluginkit.queue import PersistentQueue
path, out, run, durability = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
queue = PersistentQueue(path, durability=durability, remove_on_complete=run % 2 == 0)

def journal(name):
    return os.open(os.path.join(out, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def put(name):
    notes, number = journal(f"put-{name}"), 0
    while True:
        if number % 10 == 9:
            texts = [f"{run:03}-{name}-{number + i:07}" for i in range(5)]
            got = queue.put_many(texts)
            os.write(notes, "".join(f"{i} {t}\\n" for i, t in zip(got, texts)).encode())
            number += 5
        else:
            text = f"{run:03}-{name}-{number:07}"
            os.write(notes, f"{queue.put(text)} {text}\\n".encode())
            number += 1

def drain():
    taken, acked = journal("taken"), journal("acked")
    while True:
        leased = queue.lease(37, timeout=1.0)
        if not leased:
            continue
        os.write(taken, "".join(f"{r.id} {r.body.decode()}\\n" for r in leased).encode())
        if leased[0].id % 3:
            queue.ack(leased[-1].id)
        else:
            queue.ack([r.id for r in leased])
        os.write(acked, "".join(f"{r.id}\\n" for r in leased).encode())
        os.write(1, b".")

threads = [threading.Thread(target=put, args=(name,)) for name in "abc"]
threads.append(threading.Thread(target=drain))
for thread in threads:
    thread.start()
"""


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []


@pytest.mark.soak
@pytest.mark.parametrize("durability", ["process", "power"])
def test_mq03_kill_9_loses_nothing_and_repeats_nothing_that_was_acknowledged(
    path: Path,
    tmp_path: Path,
    make_queue: MakeQueue,
    child_env: dict[str, str],
    soak_length: Callable[[int], int],
    durability: str,
) -> None:
    chance = random.Random(11)
    for run in range(soak_length(KILLS)):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), str(tmp_path), str(run), durability],
            env=child_env,
            stdout=subprocess.PIPE,
        )
        assert worker.stdout is not None
        assert worker.stdout.read(1) == b"."
        time.sleep(chance.uniform(0, 0.12))  # the moment of the kill is the point of this test
        worker.kill()
        worker.wait()
        worker.stdout.close()
    queue = make_queue(durability=durability)
    assert queue.damages == ()
    left: list[tuple[int, str]] = []
    while records := queue.lease(1_000):
        left += [(record.id, record.body.decode()) for record in records]
    assert left == sorted(left)
    puts = {line for name in "abc" for line in _lines(tmp_path / f"put-{name}")}
    taken = _lines(tmp_path / "taken")
    acked = {int(line) for line in _lines(tmp_path / "acked")}
    delivered = [(int(line.split()[0]), line.split()[1]) for line in taken] + left
    assert puts <= {f"{number} {text}" for number, text in delivered}
    assert len({number for number, _ in delivered}) == len(set(delivered)), "an id stands for one record"
    assert not acked & {number for number, _ in left}
    # In whatever order threads came, each one's records keep theirs: first deliveries grow.
    first = list(dict.fromkeys(delivered))
    for name in "abc":
        mine = [text for _, text in first if f"-{name}-" in text]
        assert mine == sorted(mine)


def test_mq03_ids_grow_over_a_crash_and_are_never_given_twice(
    path: Path, make_queue: MakeQueue, child_env: dict[str, str]
) -> None:
    text = (
        "import os, sys; from pluginkit.queue import PersistentQueue as Q; q = Q(sys.argv[1])\n"
        "q.put('a'); q.lease(); q.ack(1); os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", text, str(path)], env=child_env, check=False)
    queue = make_queue()
    assert queue.counts().pending == 1
    given = queue.put("b")
    assert given > 1_000_000
    queue.purge("pending")
    queue.close()
    assert make_queue().put("c") == given + 1


def test_mq03_a_clock_that_is_set_changes_neither_order_nor_delays(
    queue: PersistentQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, jump in enumerate((0.0, -1e6, 1e6, -5e5)):
        monkeypatch.setattr(time, "time", lambda jump=jump: 1.7e9 + jump)
        queue.put(str(number))
    assert bodies(queue.lease()) == ["0", "1", "2", "3"]
    queue.nack([1], delay=60)
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert queue.lease() == []


def test_nothing_keeps_the_interpreter_from_ending(
    path: Path, child: Callable[..., subprocess.CompletedProcess[str]], make_queue: MakeQueue
) -> None:
    """Neither a queue that nobody closed nor a daemon thread that waits in it; and the file is left in order."""
    text = (
        "import sys, threading; from pluginkit.queue import PersistentQueue as Q; q = Q(sys.argv[1])\n"
        "threading.Thread(target=lambda: q.lease(timeout=None), daemon=True).start()\n"
        "q.put('a')\n"
    )
    child("-W", "error", "-c", text, str(path))
    queue = make_queue()
    assert not queue._store.was_killed
    assert queue.peek()[0].body == b"a"


def test_ctrl_c_in_a_thread_that_puts_loses_nothing(
    path: Path, child_env: dict[str, str], make_queue: MakeQueue
) -> None:
    """Many interrupts at any place of put: what it returned for is there, and the queue goes on."""
    text = """\
import os, signal, sys, threading, time
from pluginkit.queue import PersistentQueue
queue = PersistentQueue(sys.argv[1])
done = threading.Event()
def put():
    number = 0
    while not done.is_set():
        print("ok", queue.put(f"t{number}"))
        number += 1
thread = threading.Thread(target=put)
thread.start()
caught = number = 0
def hit():
    while not done.is_set():
        time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
armed = False
def interrupt(*_):
    # Once for each turn: a second one, in the `except` below, would end this thread and leave the other.
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)
threading.Thread(target=hit, daemon=True).start()
while caught < 150:
    try:
        armed = True
        while True:
            got = queue.put(f"m{number}")
            number += 1
            os.write(1, f"ok {got}\\n".encode())
    except KeyboardInterrupt:
        caught += 1
        number += 1
signal.signal(signal.SIGINT, signal.SIG_IGN)
done.set()
thread.join()
queue.close()
print("end")
"""
    done = subprocess.run(
        [sys.executable, "-u", "-c", text, str(path)],
        env=child_env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split()
    assert "end" in lines
    acknowledged = [int(word) for word in lines if word.isdigit()]
    queue = make_queue()
    there = {record.id for record in queue.lease(10_000_000)}
    assert set(acknowledged) - {0} <= there
    assert not queue._store.was_killed


def test_sigterm_ends_a_waiting_drain_as_usual(path: Path, child_env: dict[str, str]) -> None:
    text = (
        "import sys; from pluginkit.queue import PersistentQueue as Q; q = Q(sys.argv[1])\n"
        "print('ready', flush=True); q.lease(timeout=600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", text, str(path)], env=child_env, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker.stdout:
        worker.stdout.readline()
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(20) == -signal.SIGTERM


def test_a_backlog_is_counted_and_delivered_after_a_restart(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.put_many(map(str, range(20_000)))
    queue.close()
    queue = make_queue()
    assert queue.counts().pending == 20_000
    got: list[str] = []
    while records := queue.lease():
        got += bodies(records)
        queue.ack(records[-1].id)
    assert got == list(map(str, range(20_000)))
    until(lambda: queue.counts().bytes == 0)
