"""A file is the old one or the new one, also when the writer is killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pluginkit.atomic import write_atomic

OLD, NEW = b"old", b"new" * 1000


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_lh17_a_new_file_is_written_with_the_usual_mode(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    umask = os.umask(0o027)
    try:
        write_atomic(path, NEW)
    finally:
        os.umask(umask)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names_in(tmp_path) == ["state.json"]


def test_lh17_a_replaced_file_keeps_its_mode_unless_one_is_given(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(OLD)
    path.chmod(0o604)
    write_atomic(path, NEW)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (NEW, 0o604)
    write_atomic(path, OLD, mode=0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (OLD, 0o600)


def test_lh17_a_symbolic_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(OLD)
    path = tmp_path / "state.json"
    path.symlink_to(target)
    write_atomic(path, NEW)
    assert not path.is_symlink()
    assert (path.read_bytes(), target.read_bytes()) == (NEW, OLD)


def test_lh17_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "is-a-directory").mkdir()
    (tmp_path / "is-a-directory" / "file").write_bytes(OLD)
    with pytest.raises(OSError, match="is-a-directory"):
        write_atomic(tmp_path / "is-a-directory", NEW)
    assert names_in(tmp_path) == ["is-a-directory"]
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "absent" / "state.json", NEW)


def test_lh17_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """The limit on a file's size stands in for a disk without room: the write fails half-way."""
    (tmp_path / "state.json").write_bytes(OLD)
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from pluginkit.atomic import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n"
        "    write_atomic(Path(sys.argv[1]), b'x' * 1000)\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    done = run_python("-c", script, str(tmp_path / "state.json"))
    assert (done.stdout.strip(), done.returncode) == ("File too large", 0)
    assert (tmp_path / "state.json").read_bytes() == OLD
    assert names_in(tmp_path) == ["state.json"]


def test_lh17_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, b"0" * 5000)
    script = (
        "import itertools, sys\n"
        "from pathlib import Path\n"
        "from pluginkit.atomic import write_atomic\n"
        "for n in itertools.count():\n"
        "    write_atomic(Path(sys.argv[1]), b'%d' % (n % 10) * 5000)\n"
        "    print(n, flush=True)\n"
    )
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, env=environment()) as writer:  # fmt: skip
            assert writer.stdout is not None
            for _ in range(20):
                writer.stdout.readline()
            writer.kill()
            writer.wait()
        content = path.read_bytes()
        assert (len(content), len(set(content))) == (5000, 1)


def test_lh17_readers_beside_many_writers_see_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, b"0" * 5000)
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            content = path.read_bytes()
            seen.append((len(content), len(set(content))))

    def write(digit: int) -> None:
        for _ in range(50):
            write_atomic(path, b"%d" % digit * 5000)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(digit,)) for digit in range(4)]
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert set(seen) == {(5000, 1)}
    assert names_in(tmp_path) == ["state.json"]


def test_lh17_a_directory_that_cannot_be_listed_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rename cannot be flushed then, which is no reason to report a failure."""
    directory = tmp_path / "write-only"
    directory.mkdir()
    monkeypatch.chdir(directory)
    directory.chmod(0o300)
    user = os.geteuid()
    if user == 0:
        os.chown(directory, 65534, -1)
        os.seteuid(65534)  # root may list everything
    try:
        write_atomic(Path("state.json"), NEW)
    finally:
        os.seteuid(user)
    directory.chmod(0o700)
    assert (directory / "state.json").read_bytes() == NEW
    monkeypatch.undo()


def test_lh17_a_long_name_has_room_for_its_temporary(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    write_atomic(path, NEW)
    assert path.read_bytes() == NEW


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment()
    )
