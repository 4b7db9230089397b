"""One consistent picture of a plugin's files (SE02, DM10)."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from pluginkit import snapshot
from pluginkit.loading.layout import layout
from pluginkit.snapshot import SnapshotError


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    return directory


def test_code_is_read_and_data_is_named(tmp_path: Path) -> None:
    taken = snapshot.take(
        write(tmp_path / "cat", {"cat.py": "X = 1", "sub/__init__.py": "", "sub/data.txt": "d"})
    )
    assert {name: source.data for name, source in taken.code.items()} == {
        "cat.py": b"X = 1",
        "sub/__init__.py": b"",
    }
    assert taken.data == {"sub/data.txt"}
    assert taken.is_package


def test_a_single_file_is_a_snapshot_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"shrug.py": "X = 1", "other.py": "Y = 1"})
    taken = snapshot.take(tmp_path / "shrug.py")
    assert list(taken.code) == ["shrug.py"]
    assert taken.directory == tmp_path
    assert list(layout(taken)) == [""]


@pytest.mark.parametrize("name", ["cat.py", "data.txt", "deep/er/data.bin", "new.txt"])
def test_dm10_the_digest_changes_with_every_file(tmp_path: Path, name: str) -> None:
    root = write(tmp_path / "cat", {"cat.py": "X = 1", "data.txt": "d", "deep/er/data.bin": "b"})
    before = snapshot.take(root).digest
    assert snapshot.take(root).digest == before
    (root / name).write_text("X = 2")
    assert snapshot.take(root).digest != before


def test_the_digest_ignores_caches_and_times(tmp_path: Path) -> None:
    root = write(tmp_path / "cat", {"cat.py": "X = 1"})
    before = snapshot.take(root).digest
    write(root, {"__pycache__/cat.cpython-311.pyc": "cached", ".git/HEAD": "ref"})
    os.utime(root / "cat.py", (1, 1))
    assert snapshot.take(root).digest == before


def test_dm09_a_symlink_inside_a_plugin_is_refused_and_the_plugin_itself_may_be_one(tmp_path: Path) -> None:
    root = write(tmp_path / "real", {"cat.py": "X = 1"})
    (tmp_path / "link").symlink_to(root)
    assert snapshot.take(tmp_path / "link").root == root
    (root / "out.py").symlink_to("/etc/hostname")
    with pytest.raises(SnapshotError, match=r"out\.py: a symbolic link inside a plugin is not followed"):
        snapshot.take(root)


def test_a_missing_or_unreadable_tree_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="nowhere: cannot be read: No such file"):
        snapshot.take(tmp_path / "nowhere")


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    root = write(tmp_path / "cat", {"cat.py": ""})
    os.mkfifo(root / "pipe.py")
    assert list(snapshot.take(root).code) == ["cat.py"]


def test_a_tree_that_keeps_changing_is_given_up_after_the_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "cat", {"a.py": "V = 1", "b.py": "V = 1"})
    read, count = snapshot._read, itertools.count(1)

    def read_and_be_overtaken(path: str) -> snapshot.SourceFile:
        write(root, {"b.py": "#" * next(count)})
        return read(path)

    monkeypatch.setattr(snapshot, "_read", read_and_be_overtaken)
    with pytest.raises(SnapshotError, match=r"kept changing for 0\.1 s; is somebody still writing them"):
        snapshot.take(root, timeout=0.1)
    assert next(count) > 4


def test_a_change_while_reading_leads_to_another_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "cat", {"a.py": "V = 1", "b.py": "V = 1"})
    read, passes = snapshot._read, []

    def read_and_be_overtaken(path: str) -> snapshot.SourceFile:
        content = read(path)
        passes.append(path)
        if len(passes) == 1:
            write(root, {"a.py": "V = 22", "b.py": "V = 22"})
        return content

    monkeypatch.setattr(snapshot, "_read", read_and_be_overtaken)
    assert {source.data for source in snapshot.take(root).code.values()} == {b"V = 22"}
    assert len(passes) == 4


def test_a_fresh_change_is_waited_for_until_it_has_been_quiet(tmp_path: Path) -> None:
    root = write(tmp_path / "cat", {"cat.py": "V = 1"})
    written = (root / "cat.py").stat().st_ctime
    snapshot.take(root, quiet=0.2)
    assert time.time() - written >= 0.2


def test_a_clock_that_was_set_back_does_not_hold_a_snapshot_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "cat", {"cat.py": "V = 1"})
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert snapshot.take(root, quiet=0.05, timeout=5).code


def test_names_that_are_no_identifiers_are_no_modules(tmp_path: Path) -> None:
    root = write(
        tmp_path / "cat", {"cat.py": "", "not-a-module.py": "", "bin/run.py": "", "some-dir/x.py": ""}
    )
    assert set(layout(snapshot.take(root))) == {"", "cat", "bin", "bin.run"}
