"""LG01 to LG04, LG09: one logger, many sinks, and none that harms another."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import StateError, UnknownName
from pluginkit.logs import Entry, FileSink, LogChain, guard
from pluginkit.logs.levels import level_named, level_of

Records = Callable[[Path], list[dict[str, Any]]]


class Flaky:
    """Fails while `is_down`."""

    def __init__(self) -> None:
        self.is_down = True
        self.seen: list[str] = []

    def __call__(self, entry: Entry) -> None:
        if self.is_down:
            raise ConnectionError("down")
        self.seen.append(entry.message)


def test_lg01_one_call_reaches_every_sink_and_sinks_come_and_go_at_run_time(chain: LogChain) -> None:
    first: list[str] = []
    second: list[str] = []
    chain.add_sink(lambda entry: first.append(entry.message))
    chain.logger.info("one")
    key = chain.add_sink(lambda entry: second.append(entry.message))
    chain.logger.info("two")
    chain.remove(key)
    chain.logger.info("three")
    assert (first, second) == (["one", "two", "three"], ["two"])
    with pytest.raises(UnknownName, match="log sink"):
        chain.remove(key)


def test_lg01_sinks_change_while_threads_log_and_no_record_is_lost(chain: LogChain) -> None:
    seen: list[str] = []
    chain.add_sink(lambda entry: seen.append(entry.message))
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            chain.remove(chain.add_sink(lambda entry: None))

    changing = threading.Thread(target=change)
    writers = [
        threading.Thread(target=lambda n=n: [chain.logger.info(f"{n}-{i}") for i in range(200)])
        for n in range(3)
    ]
    for thread in (changing, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    changing.join()
    assert sorted(seen) == sorted(f"{n}-{i}" for n in range(3) for i in range(200))


def test_lg01_a_failing_sink_is_told_once_to_its_neighbours_retried_and_loses_no_order(
    chain: LogChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(guard, "_LONGEST_PAUSE", 0.0)
    flaky, neighbour = Flaky(), []
    chain.add_sink(flaky, name="far away")
    chain.add_sink(lambda entry: neighbour.append(entry.message))
    for number in range(4):
        chain.logger.info(f"n{number}")
    assert chain.stats().sinks[0].waiting == 4
    flaky.is_down = False
    chain.logger.info("n4")
    assert flaky.seen == [f"n{number}" for number in range(5)]
    assert [text for text in neighbour if text.startswith("n")] == flaky.seen
    told = [text for text in neighbour if not text.startswith("n")]
    assert told == [
        "log sink far away fails: ConnectionError: down; its records wait and are tried again",
        "log sink far away works again",
    ]


def test_lg01_a_record_that_a_sink_always_refuses_is_counted_and_those_behind_it_go_on(
    chain: LogChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(guard, "_LONGEST_PAUSE", 0.0)
    seen: list[str] = []

    def picky(entry: Entry) -> None:
        if entry.message == "bad":
            raise ValueError("bad")
        seen.append(entry.message)

    chain.add_sink(picky)
    chain.logger.info("bad")
    for number in range(12):
        chain.logger.info(f"{number}")
    assert seen == [f"{number}" for number in range(12)]
    assert chain.stats().sinks[0].lost == 1


def test_lg01_what_waits_for_a_failing_sink_is_bounded_and_counted(
    chain: LogChain, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "_MAX_WAITING", 10)
    chain.add_sink(Flaky())
    for number in range(25):
        chain.logger.info(f"{number}")
    (stats,) = chain.stats().sinks
    assert (stats.waiting, stats.lost) == (10, 15)
    chain.close()
    (stats,) = chain.stats().sinks
    assert stats.lost == 25
    assert "lost 25 records" in capfd.readouterr().err


def test_lg02_the_console_writes_colour_text_or_json(chain: LogChain) -> None:
    coloured, plain, as_json = io.StringIO(), io.StringIO(), io.StringIO()
    chain.add_console(coloured, colour=True)
    chain.add_console(plain)
    chain.add_console(as_json, json=True)
    chain.logger.bind(cats=3).warning("fed")
    assert "\x1b[33mwarn" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue()
    assert "warn  fed cats=3 (test_chain.py:" in plain.getvalue()
    record = json.loads(as_json.getvalue())
    assert (record["@level"], record["@message"], record["cats"]) == ("warn", "fed", 3)


def test_lg02_a_stream_that_knows_few_characters_gets_escapes(chain: LogChain) -> None:
    raw = io.BytesIO()
    chain.add_console(io.TextIOWrapper(raw, "ascii", write_through=True), colour=False)
    chain.logger.info("mjöwe")
    assert b"mj\\xf6we" in raw.getvalue()


def test_lg03_file_and_line_are_named_or_not(chain: LogChain, tmp_path: Path, records: Records) -> None:
    out = io.StringIO()
    chain.add_console(out, location=False)
    chain.add_file(tmp_path / "with.log")
    chain.add_file(tmp_path / "without.log", location=False)
    chain.logger.info("here")
    line = sys._getframe().f_lineno - 1
    assert "test_chain" not in out.getvalue()
    assert records(tmp_path / "with.log")[0]["@caller"] == f"test_chain.py:{line}"
    assert "@caller" not in records(tmp_path / "without.log")[0]


def test_lg04_an_unknown_level_is_info_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert [level_named("chatty-2"), level_named("CHATTY-2"), level_named("Fatal")] == [
        "info",
        "info",
        "error",
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "unknown log level 'chatty-2': info is used; known: trace, debug, info, warn, error"
    ]
    assert [level_of(number) for number in (1, 5, 12, 25, 33, 99)] == [
        "trace", "trace", "debug", "info", "warn", "error",
    ]  # fmt: skip


def test_lg04_levels_are_set_by_plugin_logger_and_module_while_records_come(chain: LogChain) -> None:
    seen: list[str] = []
    chain.add_sink(lambda entry: seen.append(entry.message))
    chain.logger.trace("too fine")
    chain.set_level("cat", "trace")
    chain.logger.bind(plugin="cat").trace("plugin's")
    chain.logger.patch(lambda record: record.__setitem__("name", "cat.sub")).trace("module's")
    chain.logger.patch(lambda record: record.__setitem__("name", "catalogue")).trace("another's")
    chain.set_level("", "error")
    chain.logger.warning("all are errors")
    chain.set_level("cat", None)
    chain.logger.bind(plugin="cat").info("as all")
    chain.logger.error("an error")
    assert seen == ["plugin's", "module's", "an error"]
    assert chain.levels() == {"": "error"}


def test_lg04_changing_levels_neither_loses_nor_doubles_records(chain: LogChain) -> None:
    seen: list[str] = []
    chain.add_sink(lambda entry: seen.append(entry.message))
    done = threading.Event()

    def write() -> None:
        for number in range(500):
            chain.logger.info(f"{number}")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        chain.set_level("x", "trace")
        chain.set_level("x", None)
    writer.join()
    assert seen == [f"{number}" for number in range(500)]


def test_lg09_time_thread_function_and_traceback_are_those_of_the_caller(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    chain.add_file(tmp_path / "app.log")

    def work() -> None:
        try:
            os.environ["MISSING"]
        except KeyError:
            chain.logger.exception("no {}", "luck")

    thread = threading.Thread(target=work, name="worker-7")
    thread.start()
    thread.join()
    (record,) = records(tmp_path / "app.log")
    assert record["@message"] == "no luck"
    assert (record["@level"], record["@thread"], record["@function"]) == ("error", "worker-7", "work")
    assert record["@process"] == os.getpid()
    assert record["@exception"].endswith("KeyError: 'MISSING'\n")
    assert record["@module"] == __name__


def test_logging_inside_a_sink_deadlocks_nothing_and_its_record_reaches_the_others(chain: LogChain) -> None:
    seen: list[str] = []

    def talkative(entry: Entry) -> None:
        chain.logger.info(f"about {entry.message}")

    chain.add_sink(talkative)
    chain.add_sink(lambda entry: seen.append(entry.message))
    chain.logger.info("it")
    assert seen[:2] == ["about it", "it"] or "it" in seen
    assert "about it" in seen
    assert chain.stats().sinks[0].lost == 1, "a sink that logs ends"


def test_two_sinks_that_log_from_two_threads_do_not_wait_for_each_other(chain: LogChain) -> None:
    together, is_inside = threading.Barrier(2), threading.Event()
    seen: list[str] = []

    def meet(entry: Entry, who: str) -> None:
        if entry.message == who:
            is_inside.set()
            together.wait(10)
            chain.logger.info(f"inside {entry.message}")

    chain.add_sink(lambda entry: meet(entry, "first"), name="a")
    chain.add_sink(lambda entry: meet(entry, "second"), name="b")
    chain.add_sink(lambda entry: seen.append(entry.message))
    threads = [threading.Thread(target=chain.logger.info, args=(text,)) for text in ("second", "first")]
    threads[0].start()
    assert is_inside.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert sorted(seen) == ["first", "inside first", "inside second", "second"]


def test_a_signal_handler_and_a_del_that_log_inside_a_sink_lose_nothing(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: chain.logger.info("from the handler"))
    try:

        class Loud:
            def __del__(self) -> None:
                chain.logger.info("from del")

        class Interrupted(FileSink):
            def write(self, entries: Any) -> None:
                if entries[0].message == "interrupted":
                    signal.raise_signal(signal.SIGUSR1)
                    Loud()
                    gc.collect()
                super().write(entries)

        chain.add_sink(Interrupted(tmp_path / "app.log"))
        chain.logger.info("interrupted")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [one["@message"] for one in records(tmp_path / "app.log")] == [
        "interrupted", "from the handler", "from del",
    ]  # fmt: skip


def test_a_standard_handler_is_a_sink_and_gets_the_original_record(chain: LogChain) -> None:
    seen: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    chain.add_sink(Keep(logging.INFO))
    chain.logger.debug("too fine")
    chain.logger.bind(cats=3, msg="mine").error("100 % of {}", "cats")
    (record,) = seen
    assert record.getMessage() == "100 % of cats"
    assert (record.levelname, record.__dict__["cats"], record.filename) == ("ERROR", 3, "test_chain.py")
    assert abs(record.created - time.time()) < 60


def test_what_is_no_sink_is_refused(chain: LogChain) -> None:
    with pytest.raises(TypeError, match="a log sink is a function"):
        chain.add_sink(3)  # type: ignore[arg-type]  # that is the point


def test_closing_gives_loguru_back_its_own_handler_and_is_final(capfd: pytest.CaptureFixture[str]) -> None:
    code = """
import sys
from loguru import logger
from pluginkit.logs import LogChain
chain = LogChain("zoo")
chain.add_console(sys.stdout)
logger.info("by the chain")
chain.close()
chain.close()
logger.info("by loguru")
"""
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "by the chain" in done.stdout
    assert "by the chain" not in done.stderr
    assert "by loguru" in done.stderr
    chain = LogChain("zoo")
    chain.close()
    with pytest.raises(StateError, match="closed"):
        chain.add_console()


def test_a_context_that_fails_is_named_in_the_record_and_stops_nothing(chain: LogChain) -> None:
    seen: list[Entry] = []
    chain.add_sink(seen.append)
    undo = chain.add_context(lambda: {"request": 7})
    undo_broken = chain.add_context(lambda: {"x": os.environ["MISSING"]})
    chain.logger.info("one")
    undo()
    undo_broken()
    chain.log("warn", "two", cats=3)
    assert dict(seen[0].fields) == {"request": 7, "context_error": "KeyError: 'MISSING'"}
    assert dict(seen[1].fields) == {"cats": 3}
    assert seen[1].caller.startswith("test_chain.py:")


def test_a_sink_that_is_busy_at_the_end_does_not_hold_the_end_up(
    chain: LogChain, capfd: pytest.CaptureFixture[str]
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(entry: Entry) -> None:
        inside.set()
        leave.wait(20)

    chain.add_sink(slow, name="slow")
    thread = threading.Thread(target=chain.logger.info, args=("x",))
    thread.start()
    assert inside.wait(5)
    chain.close(0.05)
    leave.set()
    thread.join()
    assert "log sink slow is busy" in capfd.readouterr().err


def test_a_sink_that_cannot_be_closed_is_told(chain: LogChain, capfd: pytest.CaptureFixture[str]) -> None:
    class Stuck:
        def write(self, entries: Any) -> None: ...

        def close(self) -> None:
            raise OSError("stuck")

    chain.add_sink(Stuck())
    chain.logger.info("x")
    chain.close()
    assert "log sink Stuck could not be closed: OSError: stuck" in capfd.readouterr().err


def test_a_keyboard_interrupt_inside_a_sink_reaches_the_program(chain: LogChain) -> None:
    def interrupted(entry: Entry) -> None:
        raise KeyboardInterrupt

    chain.add_sink(interrupted)
    with pytest.raises(KeyboardInterrupt):
        chain.logger.info("x")
    assert not guard.is_inside_a_sink()
