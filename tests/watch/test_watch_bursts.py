"""WR04, WR06, WR09: what is one burst, what is none of anybody's business, and what a failing version costs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from tests.watch.conftest import CODE, Yard, health, says, settled, until


def reload_count(yard: Yard) -> int:
    return len(yard.kinds("reloaded"))


def test_wr04_what_is_no_change_of_the_plugin_triggers_no_reload(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    code = yard.code_of("cat")
    (directory / "__pycache__").mkdir()
    host = yard.watch()
    code.read_text("utf-8")
    code.chmod(0o600)
    os.utime(code)
    code.write_text(code.read_text("utf-8"), "utf-8")
    for name in (".cat.py.swp", "4913", "cat.py~", "#cat.py#", "cat.py.tmp", "tmpa1b2c3d4", ".cat.py.Qw3rTz"):
        (directory / name).write_text("x", "utf-8")
    (directory / ".#cat.py").symlink_to("nobody@nowhere.1")
    (directory / "__pycache__" / "cat.cpython-311.pyc").write_bytes(b"x")
    (directory / ".git").mkdir()
    (directory / ".git" / "index").write_text("x", "utf-8")
    settled(host)
    assert reload_count(yard) == 0
    # They lie there still, and count as little when somebody else's change makes us look.
    assert host.rescan().changed == ()
    code.write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "a real change")
    settled(host)
    assert reload_count(yard) == 1


def test_wr04_reading_the_files_wakes_nobody(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    host = yard.watch()
    before = health(host)
    for _ in range(50):
        (directory / "manifest.yaml").read_bytes()
        host.discover()
        host.rescan()
    settled(host)
    # Only the marker of `settled` came and went.
    assert health(host).changes == before.changes + 2


def test_wr04_a_plugin_that_writes_into_its_data_directory_is_not_reloaded(yard: Yard) -> None:
    code = (
        "from pluginkit import hookimpl\nclass Told:\n"
        "    def __init__(self, ctx): self.ctx = ctx\n"
        "    @hookimpl\n    def tell(self):\n"
        "        (self.ctx.data_dir / 'state.txt').write_text('x')\n        return 'done'\n"
    )
    yard.add("cat", code=code)
    host = yard.watch()
    for _ in range(20):
        assert host.hook.tell() == ["done"]
    settled(host)
    assert reload_count(yard) == 0


def test_wr04_a_plugin_that_writes_beside_its_code_is_reloaded_a_few_times_and_then_told_of(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    code = (
        "import pathlib, time\nfrom pluginkit import hookimpl\n"
        "pathlib.Path(__file__).with_name('state.txt').write_text(str(time.monotonic_ns()))\n"
        "class Told:\n    @hookimpl\n    def tell(self): return {says!r}\n"
    )
    yard.add("cat", code=code.replace("{says!r}", "'one'"))
    host = yard.watch()
    until(lambda: any("state.txt alone" in text for text in caplog.messages), "the warning")
    reloads = reload_count(yard)
    settled(host)
    settled(host)
    assert reload_count(yard) == reloads <= 6
    yard.code_of("cat").write_text(code.replace("{says!r}", "'two'"), "utf-8")
    until(says(host, "two"), "an edit of its code still counts")
    settled(host)
    assert reload_count(yard) == reloads + 1


def test_wr04_a_busy_log_beside_the_code_does_not_keep_the_code_from_being_reloaded(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    host = yard.watch("fw_max_wait: 300ms")
    log, done = directory / "busy.log", threading.Event()

    def write() -> None:
        while not done.wait(0.02):
            with log.open("a", encoding="utf-8") as file:
                file.write("line\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
        until(says(host, "two"), "the new code", deadline=30)
    finally:
        done.set()
        writer.join()


def test_wr04_a_burst_of_saves_is_one_reload(yard: Yard) -> None:
    yard.add("cat", "0")
    yard.add("dog", "0")
    host = yard.watch("fw_quiet: 400ms, fw_max_wait: 20s")
    for number in range(1, 21):
        for name in ("cat", "dog"):
            yard.code_of(name).write_text(CODE.format(says=str(number)), "utf-8")
    until(says(host, "20", "20"), "the last saves")
    settled(host)
    assert sorted(map(str, (plugin for _, plugin in yard.kinds("reloaded")))) == ["cat", "dog"]


def test_wr09_a_failing_version_is_reported_once_and_tried_again_when_it_changes(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    directory = yard.add("cat", "one")
    yard.add("dog", "woof")
    host = yard.watch()
    yard.code_of("cat").write_text("1 / 0\n", "utf-8")

    def reports() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.levelname == "ERROR" and "cat" in r.getMessage()]

    until(lambda: len(reports()) == 1, "the report")
    assert "division by zero" in reports()[0]
    assert "serves on" in reports()[0]
    for _ in range(2):
        # Others change, and somebody touches it: nothing new about it.
        os.utime(yard.code_of("cat"))
        yard.code_of("dog").write_text(CODE.format(says=f"woof {_}"), "utf-8")
        settled(host)
    assert len(reports()) == 1
    assert "one" in host.hook.tell()
    (directory / "notes.txt").write_text("x", "utf-8")
    until(lambda: len(reports()) == 2, "it is tried again with other files")
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(lambda: "two" in host.hook.tell(), "the mended code")


def test_wr09_a_plugin_that_was_broken_at_the_start_is_loaded_once_it_is_mended(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    manifest = (directory / "manifest.yaml").read_text("utf-8")
    (directory / "manifest.yaml").write_text("plugin: {", "utf-8")
    yard.add("dog", code="1 / 0\n")
    host = yard.watch()
    assert host.hook.tell() == []
    (directory / "manifest.yaml").write_text(manifest, "utf-8")
    until(says(host, "one"), "the mended manifest")
    yard.code_of("dog").write_text(CODE.format(says="woof"), "utf-8")
    until(says(host, "one", "woof"), "the mended code")


def test_wr09_a_change_that_arrives_during_a_reload_leads_to_another(yard: Yard) -> None:
    code = yard.code_of("cat")
    slow = (
        "import pathlib, time\nfrom pluginkit import hookimpl\n"
        "begun = pathlib.Path(__file__).parents[2] / 'begun'\n"
        "begun.write_text('x')\n"
        "while not begun.with_name('go').exists(): time.sleep(0.005)\n"
        "class Told:\n    @hookimpl\n    def tell(self): return 'slow'\n"
    )
    yard.add("cat", "one")
    host = yard.watch()
    code.write_text(slow, "utf-8")
    until((yard.directory / "begun").exists, "the slow import")
    code.write_text(CODE.format(says="last"), "utf-8")
    seen = health(host).changes
    until(lambda: health(host).changes >= seen, "the change is seen")
    (yard.directory / "go").touch()
    until(says(host, "last"), "the last content")
    until(lambda: reload_count(yard) == 2, "both are told")


def test_wr06_an_edit_of_the_same_size_in_the_same_second_is_picked_up_with_bytecode_on(
    child: Callable[..., subprocess.CompletedProcess[str]], yard: Yard
) -> None:
    yard.add("cat", "0")
    program = (
        "import os, sys, time, pathlib\n"
        "assert not sys.dont_write_bytecode\n"
        "from pluginkit import Host\n"
        "from tests.watch.conftest import Teller, CODE\n"
        "path = pathlib.Path('plugins/cat/cat.py')\n"
        "with Host(contracts={'teller': Teller}, plugins_dir='plugins', entry_point_group=None, watch=True) as host:\n"
        "    moment = time.time()\n"
        "    for number in range(1, 6):\n"
        "        path.write_text(CODE.format(says=str(number)))\n"
        "        os.utime(path, (int(moment), int(moment)))\n"
        "        end = time.monotonic() + 10\n"
        "        while host.hook.tell() != [str(number)] and time.monotonic() < end: time.sleep(0.01)\n"
        "        print(host.hook.tell())\n"
    )
    out = child(program, cwd=yard.directory).stdout
    assert out.splitlines() == [str([str(number)]) for number in range(1, 6)]


WRITER = """
import os, pathlib, random, sys, time
directory, rounds, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
for number in range(1, rounds + 1):
    for part in ("first", "second", "third"):
        path = directory / f"{part}.py"
        if chance.random() < 0.5:
            path.write_text(f"VERSION = {number}\\n")
        else:
            temporary = directory / f"{part}.py.tmp"
            temporary.write_text(f"VERSION = {number}\\n")
            temporary.replace(path)
    print(number, flush=True)
    time.sleep(chance.choice([0.001, 0.01, 0.05, 0.2, 0.5, 1.0]) * chance.random())
"""

PARTS = """
from pluginkit import hookimpl
from . import first, second, third

VERSIONS = {first.VERSION, second.VERSION, third.VERSION}

class Told:
    @hookimpl
    def tell(self):
        return "+".join(map(str, sorted(VERSIONS)))
"""


@pytest.mark.soak
def test_wr05_after_any_saves_the_last_content_serves_and_no_torn_tree_ever_did(
    yard: Yard, soak_length: Callable[[int], int]
) -> None:
    rounds, seed = soak_length(200), random.randrange(1 << 30)
    directory = yard.add("cat", code=PARTS)
    for part in ("first", "second", "third"):
        (directory / f"{part}.py").write_text("VERSION = 0\n", "utf-8")
    host = yard.watch()
    command = [sys.executable, "-c", WRITER, str(directory), str(rounds), str(seed)]
    seen: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        while writer.poll() is None:
            (said,) = host.hook.tell()
            if not seen or seen[-1] != said:
                seen.append(said)
            time.sleep(0.001)
    until(says(host, str(rounds)), f"the last of {rounds} saves, seed {seed}")
    settled(host)
    torn = [said for said in [*seen, *host.hook.tell()] if "+" in said]
    assert not torn, f"seed {seed}"
    assert [int(said) for said in seen] == sorted(int(said) for said in seen)
    # Never more reloads than there were pauses that can have been seen as an end.
    assert reload_count(yard) <= rounds
    assert health(host).looks <= 3 * rounds + 10
