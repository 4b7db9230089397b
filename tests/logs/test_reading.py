"""Reading logs back: filters, compressed parts, following over rotations."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs import Entry, FileSink
from pluginkit.logs.reading import LogFilter, follow_records, parse_since, read_bytes, read_records


def _write(path: Path, *messages: str, **fields: Any) -> None:
    sink = FileSink(path, max_bytes=400, compress=True, background=False)
    for message in messages:
        sink.write([Entry.made(fields.get("level", "info"), message, fields)])
    sink.close()


def test_filters_hold_over_all_files(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    _write(path, "a", "b", plugin="cat", job_id="7")
    _write(path, "c", "d", level="error", plugin="dog")
    _write(path, "e")

    def found(**wanted: Any) -> list[str]:
        return [record["@message"] for record in read_records(path, LogFilter(**wanted))]

    assert len(list(tmp_path.glob("*.gz"))) >= 1
    assert found() == ["a", "b", "c", "d", "e"]
    assert found(plugin="cat") == ["a", "b"]
    assert found(job="7") == ["a", "b"]
    assert found(level="warn") == ["c", "d"]
    assert found(kind="x") == []
    assert found(since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert found(since=datetime.now(UTC) - timedelta(hours=1)) == ["a", "b", "c", "d", "e"]


def test_lines_that_are_no_records_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text('text\n[1]\n{"@message": "x"}\n{"@messa', "utf-8")
    assert [record["@message"] for record in read_records(path)] == ["x"]
    assert list(read_records(path, LogFilter(since=datetime.now(UTC)))) == []


def test_a_damaged_gzip_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "app.000001.log.gz"
    whole = gzip.compress(b'{"@message": "x"}\n' * 50_000)
    path.write_bytes(whole[:-20])
    assert read_bytes(path).startswith(b'{"@message": "x"}\n')
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "gone.gz")


@pytest.mark.parametrize("text", ["", "yesterday", "10", "10 parsecs", "2026-13-01"])
def test_what_is_no_moment_is_an_error_that_shows_right_ones(text: str) -> None:
    with pytest.raises(ValueError, match="neither a time span such as 10m"):
        parse_since(text)


def test_moments_are_spans_and_iso_local_where_no_zone_is_given() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert parse_since("1d", now=now) == now - timedelta(days=1)
    assert parse_since("1h 30m", now=now) == now - timedelta(minutes=90)
    assert parse_since("2026-01-01T00:00+00:00") == now - timedelta(days=1)
    assert parse_since("2026-01-01").tzinfo is not None


def test_following_gives_what_comes_from_now_on_over_rotations(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    _write(path, "old")
    begun, enough = threading.Event(), threading.Event()
    found: list[str] = []

    def stopped(seconds: float) -> bool:
        begun.set()
        return enough.wait(0.001)

    def follow() -> None:
        for record in follow_records(path, LogFilter(plugin="cat"), stopped=stopped):
            found.append(record["@message"])  # one by one, as they come
            if record["@message"] == "9":
                enough.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert begun.wait(10)
    _write(path, "not wanted", plugin="dog")
    sink = FileSink(path, max_bytes=100_000, background=False)
    for number in range(10):
        sink.write([Entry.made("info", str(number), {"plugin": "cat"})])
    sink.close()
    follower.join(20)
    assert not follower.is_alive()
    assert found == [str(number) for number in range(10)]


def test_following_a_log_that_is_not_there_yet_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    turns = 0

    def stopped(seconds: float) -> bool:
        nonlocal turns
        turns += 1
        if turns == 2:
            _write(path, "first")
        return turns > 3

    assert [record["@message"] for record in follow_records(path, LogFilter(), stopped=stopped)] == ["first"]
