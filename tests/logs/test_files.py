"""LG05 to LG08: files that rotate by size, are kept by count and age, and compressed."""

from __future__ import annotations

import fcntl
import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs import Entry, FileSink, LogChain, PartlyWritten, parts
from pluginkit.logs.reading import last

Records = Callable[[Path], list[dict[str, Any]]]


def _entries(count: int, start: int = 0) -> list[Entry]:
    return [Entry.made("info", f"record {number:05}") for number in range(start, start + count)]


def _messages(path: Path) -> list[str]:
    return [record["@message"] for record in last(path)]


def _sink(path: Path, **options: Any) -> FileSink:
    return FileSink(path, background=False, **options)


def test_lg05_no_file_is_larger_than_asked_and_every_record_is_in_one(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    sink = _sink(path, max_bytes=2_000)
    for entry in _entries(30):
        sink.write([entry])
    sink.write(_entries(30, 30))
    sink.close()
    files = parts.all_files(path)
    assert len(files) > 3
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert _messages(path) == [f"record {number:05}" for number in range(60)]


def test_lg05_a_record_larger_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    sink = _sink(path, max_bytes=100)
    sink.write(_entries(3))
    sink.close()
    assert len(parts.all_files(path)) == 3
    assert len(_messages(path)) == 3


def test_lg06_lg07_count_and_age_hold_at_once_and_zero_is_no_limit(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    for number in range(1, 8):
        part = tmp_path / f"app.{number:06}.log"
        part.write_text("{}\n")
        age = 10 if number <= 5 else 0
        os.utime(part, (time.time() - age * 86_400,) * 2)

    def kept() -> list[int]:
        return [part.number for part in parts.rotated_parts(path)]

    parts.tidy(path, compress=False, max_backups=0, max_age_days=0)
    assert kept() == [1, 2, 3, 4, 5, 6, 7]
    parts.tidy(path, compress=False, max_backups=6, max_age_days=0)
    assert kept() == [2, 3, 4, 5, 6, 7]
    parts.tidy(path, compress=False, max_backups=6, max_age_days=9)
    assert kept() == [6, 7]
    parts.tidy(path, compress=False, max_backups=1, max_age_days=9)
    assert kept() == [7]


def test_lg07_compressing_does_not_make_a_file_younger(tmp_path: Path) -> None:
    part = tmp_path / "app.000001.log"
    part.write_text("{}\n")
    os.utime(part, (1_000_000, 1_000_000))
    parts.tidy(tmp_path / "app.log", compress=True, max_backups=0, max_age_days=0)
    assert (tmp_path / "app.000001.log.gz").stat().st_mtime == 1_000_000
    assert not part.exists()


def test_lg08_rotated_files_are_gzip_and_the_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "app.log"
    sink = FileSink(path, max_bytes=500, compress=True)
    for entry in _entries(20):
        sink.write([entry])
    sink.close()
    sink = FileSink(path, max_bytes=500, compress=True)
    sink.write(_entries(1, 20))
    sink.close()
    rotated = parts.rotated_parts(path)
    assert all(part.is_compressed for part in rotated)
    assert b"record 00000" in gzip.decompress(rotated[0].path.read_bytes())
    assert _messages(path) == [f"record {number:05}" for number in range(21)]


def test_what_a_kill_left_is_mended_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    sink = _sink(path)
    sink.write(_entries(3))
    sink.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"@timestamp":"2026-')  # torn
    (tmp_path / "app.000001.log").write_bytes(whole)  # renamed to .gz, not yet removed
    (tmp_path / "app.000001.log.gz").write_bytes(gzip.compress(whole))
    (tmp_path / "app.000002.log").write_bytes(whole)  # not yet compressed
    (tmp_path / ".app.000002.log.gz.tmp").write_bytes(b"half")
    assert len(_messages(path)) == 9, "a reader sees no record twice meanwhile"
    sink = _sink(path, compress=True)
    sink.write(_entries(1, 9))
    sink.close()
    assert sorted(os.listdir(tmp_path)) == ["app.000001.log.gz", "app.000002.log.gz", "app.log"]
    assert len(_messages(path)) == 10
    assert path.read_bytes().startswith(whole + b'{"@timestamp":"')


def test_a_file_that_is_one_torn_line_is_emptied_and_long_torn_lines_are_found(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"x" * 200_000)
    sink = _sink(path)
    sink.write(_entries(1))
    sink.close()
    assert _messages(path) == ["record 00000"]


def test_a_torn_line_of_a_file_that_another_process_writes_to_is_ended_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"@message": "x"}\n{"@mess')
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        sink = _sink(path)
        sink.write(_entries(1))
        sink.close()
    assert path.read_bytes().splitlines()[:2] == [b'{"@message": "x"}', b'{"@mess']
    assert _messages(path)[-1] == "record 00000"


def test_a_file_that_is_rotated_while_it_is_opened_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.log"
    flock = fcntl.flock
    moved: list[Path] = []

    def slow(file: Any, how: int) -> None:
        if how == fcntl.LOCK_SH and not moved:
            moved.append(path.rename(tmp_path / "app.000001.log"))
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    sink = _sink(path)
    sink.write(_entries(1))
    sink.close()
    assert path.read_bytes().count(b"record 00000") == 1


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pluginkit.logs.files._LOOK_AGAIN", 0.0)
    path = tmp_path / "app.log"
    sink = _sink(path)
    sink.write(_entries(1))
    path.rename(tmp_path / "elsewhere")
    sink.write(_entries(1, 1))
    sink.write(_entries(1, 2))
    sink.close()
    assert _messages(path) == ["record 00001", "record 00002"]


def test_two_hosts_on_one_file_rotate_it_without_losing_or_tearing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    code = """
import sys
from pluginkit.logs import Entry, FileSink
sink = FileSink(sys.argv[1], max_bytes=3_000, compress=True)
for number in range(300):
    sink.write([Entry.made("info", f"{sys.argv[2]} {number}")])
sink.close()
"""
    children = [subprocess.Popen([sys.executable, "-c", code, path, name]) for name in "ab"]
    assert [child.wait(60) for child in children] == [0, 0]
    found = _messages(path)
    assert sorted(found) == sorted(f"{name} {number}" for name in "ab" for number in range(300))


def test_a_file_that_somebody_writes_to_is_not_compressed_yet(tmp_path: Path) -> None:
    part = tmp_path / "app.000001.log"
    part.write_text("{}\n")
    with open(part, "rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_SH)
        parts.tidy(tmp_path / "app.log", compress=True, max_backups=0, max_age_days=0)
        assert part.exists()
    parts.tidy(tmp_path / "app.log", compress=True, max_backups=0, max_age_days=0)
    assert not part.exists()


def test_mq06_a_full_disk_leaves_no_half_line_and_says_how_many_records_are_written(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    code = f"""
import resource, signal
from pluginkit.logs import Entry, FileSink, PartlyWritten
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = FileSink({str(path)!r}, background=False)
sink.write([Entry.made("info", "before")])
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
try:
    sink.write([Entry.made("info", "x" * 5_000)])
except PartlyWritten as error:
    assert error.count == 0, error
    assert isinstance(error.__cause__, OSError)
else:
    raise SystemExit("it was written")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sink.write([Entry.made("info", "after")])
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert _messages(path) == ["before", "after"]


def test_mq06_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PartlyWritten) as caught:
        _sink(tmp_path / "file" / "app.log").write(_entries(1))
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_was_forked_while_four_threads_log_can_log(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    chain.add_file(tmp_path / "app.log", max_bytes=20_000)
    stop = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not stop.is_set() or count < 5:
            chain.logger.info(f"{number} {count}")
            count += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    statuses = []
    for child in range(5):
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            for number in range(3):
                chain.logger.info(f"child {child} {number}")
            os._exit(0)
        statuses.append(os.waitpid(pid, 0)[1])
    stop.set()
    for thread in threads:
        thread.join()
    chain.close()
    assert statuses == [0] * 5
    found = [record["@message"] for record in records(tmp_path / "app.log")]
    children = [text for text in found if text.startswith("child")]
    assert sorted(children) == sorted(f"child {child} {number}" for child in range(5) for number in range(3))
    for number in range(4):
        counts = [int(text.split()[1]) for text in found if text.startswith(f"{number} ")]
        assert counts == list(range(len(counts)))
