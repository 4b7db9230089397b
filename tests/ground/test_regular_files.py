"""Whatever stands where a file should be: it is named, and nothing hangs."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from pluginkit.errors import Problem
from pluginkit.strict_yaml import YamlError, load_file


def problem_of(path: Path) -> Problem:
    with pytest.raises(YamlError) as caught:
        load_file(path)
    (problem,) = caught.value.problems
    assert problem.file == path
    return problem


def test_dm03_a_file_is_read_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("a: {b: [1]} # one")
    (tmp_path / "m.json").write_text('{"a": {"b": [1]}}')
    (tmp_path / "bad.json").write_text("a: 1")
    assert (
        load_file(tmp_path / "m.yaml").data == load_file(str(tmp_path / "m.json")).data == {"a": {"b": [1]}}
    )
    assert "not valid JSON" in problem_of(tmp_path / "bad.json").message


def test_dm11_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    os.mkfifo(path)
    judged = threading.Thread(target=problem_of, args=(path,), daemon=True)
    judged.start()
    judged.join(timeout=10)
    assert not judged.is_alive()
    assert problem_of(path).message == "is a FIFO (named pipe), not a regular file"


def test_dm11_what_is_no_regular_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    assert problem_of(tmp_path / "directory").message == "is a directory, not a regular file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert problem_of(tmp_path / "socket").message == "is a socket, not a regular file"
    (tmp_path / "device").symlink_to("/dev/zero")
    assert problem_of(tmp_path / "device").message == "is a character device, not a regular file"


def test_dm11_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("absent.yaml")
    assert (
        problem_of(tmp_path / "dangling").message
        == "is a symbolic link to 'absent.yaml', which does not exist"
    )
    (tmp_path / "circle").symlink_to("circle")
    assert problem_of(tmp_path / "circle").message == "is a symbolic link that leads round in a circle"
    assert problem_of(tmp_path / "absent").message == "does not exist"
    (tmp_path / "file").write_text("a: 1")
    assert problem_of(tmp_path / "file" / "below").message == "cannot be read: Not a directory"
    assert "embedded null" in problem_of(Path("nul\0byte")).message


def test_dm11_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert load_file(tmp_path / "link.yaml").data == {"a": 1}


def test_dm11_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        assert problem_of(path).message == "cannot be read: permission denied"
    finally:
        os.seteuid(user)


def test_dm11_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert problem_of(path).message == "is larger than 65536 bytes"
    path.write_text("# 16 bytes long\n")
    assert load_file(path, max_bytes=16).data is None
    with pytest.raises(YamlError, match="larger than 15 bytes"):
        load_file(path, max_bytes=15)


def test_dm11_a_file_that_hides_its_size_is_bounded_too() -> None:
    """The kernel says 0 bytes for what it makes up while it is read."""
    path = Path("/proc/self/smaps")
    if not path.exists() or len(path.read_bytes()) <= 4096:
        pytest.skip("no such file here")
    with pytest.raises(YamlError, match="larger than 4096 bytes"):
        load_file(path, max_bytes=4096)
