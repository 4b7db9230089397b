"""Log files are read back whole, filtered, and as they grow and rotate."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs.reading import Wanted, follow, last

EVERYTHING = Wanted()


def line(number: int, **fields: Any) -> bytes:
    record = {"@timestamp": f"2026-11-27T10:00:{number:02}+00:00", "@level": "info", "n": number, **fields}
    return json.dumps(record).encode() + b"\n"


def numbers(records: Any) -> list[int]:
    return [record["n"] for record in records]


def rotate(log: Path, number: int, *, compress: bool = False) -> None:
    part = log.with_name(f"app.{number:06}.log")
    log.rename(part)
    if compress:
        part.with_name(f"{part.name}.gz").write_bytes(gzip.compress(part.read_bytes()))
        os.utime(part.with_name(f"{part.name}.gz"), ns=(part.stat().st_mtime_ns, part.stat().st_mtime_ns))
        part.unlink()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of six records in three parts, the oldest compressed."""
    path = tmp_path / "app.log"
    for number in (1, 3):
        path.write_bytes(line(number) + line(number + 1))
        os.utime(path, (number, number))
        rotate(path, number, compress=number == 1)
    path.write_bytes(line(5) + line(6))
    return path


@pytest.mark.parametrize(
    ("count", "found"),
    [(None, [1, 2, 3, 4, 5, 6]), (0, []), (1, [6]), (3, [4, 5, 6]), (99, [1, 2, 3, 4, 5, 6])],
)
def test_the_newest_records_come_from_all_parts_oldest_first(
    log: Path, count: int | None, found: list[int]
) -> None:
    assert numbers(last(log, EVERYTHING, count)) == found


def test_a_line_that_is_no_record_is_shown_as_it_is_and_one_not_ended_yet_waits(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"Traceback\xff\n[1]\n\n" + line(1) + b'{"n": 2')
    assert last(path, EVERYTHING) == [
        {"@message": "Traceback\ufffd"},
        {"@message": "[1]"},
        json.loads(line(1)),
    ]


def test_a_part_that_was_torn_gives_what_is_whole(log: Path) -> None:
    part = log.with_name("app.000001.log.gz")
    part.write_bytes(part.read_bytes()[:-12])
    assert numbers(record for record in last(log, EVERYTHING) if "n" in record)[-4:] == [3, 4, 5, 6]


def test_without_a_log_reading_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        last(tmp_path / "app.log", EVERYTHING)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(level="warn"), [3, 4]),
        (Wanted(plugins={"cat"}), [2, 3]),
        (Wanted(plugins={"cat", "dog"}), [2, 3, 4]),
        (Wanted(jobs={"j1"}), [3]),
        (Wanted(kinds={"loaded"}), [4]),
        (Wanted(level="warn", plugins={"cat"}), [3]),
        (Wanted(since=1795773603.0), [3, 4]),
    ],
)
def test_only_the_records_that_are_wanted(tmp_path: Path, wanted: Wanted, found: list[int]) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(
        b"no record\n"
        + line(1)
        + line(2, plugin="cat")
        + line(3, plugin="cat", job_id="j1", **{"@level": "WARNING"})
        + line(4, plugin="dog", kind="loaded", **{"@level": "error"})
    )
    assert numbers(last(path, wanted)) == found


class Pauses:
    """What happens in each pause of who follows; the end comes with the last."""

    def __init__(self, *happen: Callable[[], object]) -> None:
        self._happen: Iterator[Callable[[], object]] = iter(happen)

    def __call__(self) -> bool:
        event = next(self._happen, None)
        if event is not None:
            event()
        return event is None


def append(log: Path, *lines: bytes) -> Callable[[], object]:
    def write() -> None:
        with log.open("ab") as file:
            file.write(b"".join(lines))

    return write


def test_who_follows_gets_what_comes_and_a_line_only_when_it_is_whole(log: Path) -> None:
    half, other_half = line(8)[:9], line(8)[9:]
    seen: list[int] = []
    pauses = Pauses(
        append(log, line(7), half),
        lambda: seen.append(-1),
        append(log, other_half, line(9)),
        lambda: seen.append(-1),
    )
    seen.extend(record["n"] for record in follow(log, EVERYTHING, 2, pauses))
    assert seen == [5, 6, 7, -1, 8, 9, -1]


@pytest.mark.parametrize("compress", [False, True])
def test_who_follows_loses_nothing_by_rotation(log: Path, compress: bool) -> None:
    def rotated() -> None:
        append(log, line(7))()
        rotate(log, 7, compress=compress)
        log.write_bytes(line(8))

    assert numbers(follow(log, EVERYTHING, 0, Pauses(rotated, append(log, line(9)), rotated))) == [
        7,
        8,
        9,
        7,
        8,
    ]


def test_who_follows_goes_on_after_the_file_was_cut(log: Path) -> None:
    assert numbers(follow(log, EVERYTHING, 0, Pauses(lambda: log.write_bytes(line(7))))) == [7]


def test_who_follows_waits_for_a_log_that_is_not_there_yet_or_just_now(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    pauses = Pauses(
        lambda: None,
        lambda: log.write_bytes(line(1)),
        lambda: log.rename(tmp_path / "app.1.log"),
        lambda: None,
        lambda: log.write_bytes(line(2)),
    )
    assert numbers(follow(log, EVERYTHING, None, pauses)) == [1, 2]
    assert list(follow(tmp_path / "none.log", EVERYTHING, None, Pauses())) == []


def test_while_another_thread_writes_and_rotates_each_record_is_read_once(tmp_path: Path) -> None:
    log, total = tmp_path / "app.log", 400
    log.write_bytes(b"")
    progress = threading.Condition()
    found: list[int] = []
    done = threading.Event()

    def write() -> None:
        for number in range(total):
            append(log, line(number % 60, total=number))()
            if number % 100 == 99:
                with progress:  # the reader has come to this file: two rotations in one pause hide a part
                    assert progress.wait_for(lambda: found and found[-1] > number - 100, 20)  # noqa: B023  # it is called before the next turn
                rotate(log, number, compress=number % 200 == 99)
                log.write_bytes(b"")
        done.set()

    def pause() -> bool:
        is_last = done.is_set()
        done.wait(0.001)
        return is_last

    thread = threading.Thread(target=write)
    thread.start()
    for record in follow(log, EVERYTHING, None, pause):
        with progress:
            found.append(record["total"])
            progress.notify_all()
    thread.join(20)
    assert found == list(range(total))
