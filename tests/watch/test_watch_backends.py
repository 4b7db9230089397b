"""WR02, WR10, WR11: native events, polling, none at all; and what is left when the watcher has ended."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import StateError
from pluginkit.watch.observing import Observing
from pluginkit.watch.places import Place
from tests.watch.conftest import CODE, Yard, health, says, settled, until


def watch_threads() -> list[str]:
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name == "pluginkit-watch" or type(thread).__module__.startswith("watchdog")
    ]


def watched_at(reader: Any, path: Path) -> list[Any]:
    """The watches of inotify that were added for this path."""
    return [one for one in list(reader._watch_for_wd.values()) if one._initial_creation_path == bytes(path)]


@pytest.mark.parametrize("keys", ["fw_enabled: false", "fw_watch_plugins: false"])
def test_wr02_switched_off_in_the_configuration_nothing_is_watched_and_no_thread_is_started(
    yard: Yard, keys: str
) -> None:
    yard.add("cat", "one")
    host = yard.watch(keys)
    assert host.watching() is None
    assert watch_threads() == []
    assert host.hook.tell() == ["one"]


def test_wr02_an_embedded_host_that_was_not_asked_to_watch_imports_nothing_for_it(
    yard: Yard, child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    yard.add("cat", "one")
    program = (
        "import sys\nfrom pluginkit import Host\nfrom tests.watch.conftest import Teller\n"
        "with Host(contracts={'teller': Teller}, plugins_dir='plugins') as host:\n"
        "    print(host.hook.tell(), host.watching(), 'watchdog' in sys.modules, 'pluginkit.watch' in sys.modules)\n"
    )
    assert child(program, cwd=yard.directory).stdout == "['one'] None False False\n"


def test_wr11_a_directory_that_is_found_twice_does_not_end_the_reading_of_events(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    inotify = pytest.importorskip("watchdog.observers.inotify")
    directory = yard.add("cat", "one")
    host = yard.watch()
    watch = inotify.InotifyWatchGroup._add_callback

    def made_meanwhile(group: Any, path: bytes) -> None:
        watch(group, path)
        if path.endswith(b"/cat/new"):
            os.mkdir(path + b"/inner")  # seen by the watch that was just added, and by the walk that follows

    monkeypatch.setattr(inotify.InotifyWatchGroup, "_add_callback", made_meanwhile)
    (directory / "new").mkdir()
    until((directory / "new" / "inner").is_dir, "the new directory is watched")
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "events are read as before, although warnings are errors here")


@pytest.mark.skipif(sys.platform != "linux", reason="inotify's")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_wr11_a_reader_of_events_that_died_is_replaced(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pluginkit.watch.watcher.CHECK_EVERY", 0.05)
    directory = yard.add("cat", "one")
    inner, elsewhere = directory / "inner", yard.directory / "elsewhere"
    inner.mkdir()
    host = yard.watch()
    watcher = host._watcher
    assert watcher is not None
    reader = watcher._observing._observer._inotify_fd  # type: ignore[union-attr]  # it has been started
    # Two watches under one path, of which the newer goes first: watchdog 7.1 looks for the path twice.
    inner.rename(elsewhere)
    inner.mkdir()
    until(lambda: len(watched_at(reader, inner)) == 2, "both directories are watched")
    inner.rmdir()
    until(lambda: len(watched_at(reader, inner)) == 1, "the newer watch is gone")
    elsewhere.rmdir()
    until(lambda: not (reader.is_alive() and watched_at(reader, inner)), "the older watch is gone")
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "events are read again")
    until(lambda: watcher._observing.is_alive, "by a thread that lives")


def test_wr11_starting_and_stopping_a_hundred_times_leaves_no_thread_and_no_handle(yard: Yard) -> None:
    yard.add("cat", "one")
    host = yard.watch()
    watcher = host._watcher
    assert watcher is not None
    watcher.stop()
    handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(100):
        assert watcher.start()
        assert watcher.start()
        watcher.stop()
        watcher.stop()
        assert watch_threads() == []
    if handles:
        assert len(os.listdir("/proc/self/fd")) <= handles
    assert watcher.start()
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "it watches again")


def test_wr11_closing_the_host_ends_all_threads_of_the_watcher(yard: Yard) -> None:
    yard.add("cat", "one")
    host = yard.watch()
    assert watch_threads()
    host.close()
    assert watch_threads() == []
    assert not health(host).is_running


def test_wr11_a_plugin_may_close_the_host_while_the_watcher_loads_it(yard: Yard) -> None:
    yard.add("cat", "one")

    def close() -> None:
        yard.hosts[0].close()

    host = yard.watch(functions={"close": close})
    yard.code_of("cat").write_text(
        "from pluginkit import hookimpl\nclass Told:\n    def __init__(self, ctx): self.ctx = ctx\n"
        "    def on_start(self): self.ctx.functions.close()\n    @hookimpl\n    def tell(self): return 'x'\n",
        "utf-8",
    )
    until(lambda: host.is_closed and not watch_threads(), "host and watcher have ended")


def test_wr10_polling_sees_what_events_see(yard: Yard) -> None:
    yard.add("cat", "one")
    host = yard.watch("fw_polling: true")
    assert health(host).backend == "polling"
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "an edit")
    yard.add("dog", "woof")
    until(says(host, "two", "woof"), "a new plugin")
    shutil.rmtree(yard.plugins / "dog")
    until(says(host, "two"), "a removed plugin")


FEW_WATCHES = """
import logging, sys, time
from pathlib import Path
from typing import Any
from pluginkit import Host
from tests.watch.conftest import CODE, Teller
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stdout)
Path("/proc/sys/user/max_inotify_watches").write_text(sys.argv[1])
with Host(contracts={"teller": Teller}, plugins_dir="plugins", entry_point_group=None, watch=True) as host:
    print(host.watching().backend)
    Path("plugins/cat/sub/deep.py").write_text("VERSION = 2\\n")
    Path("plugins/cat/cat.py").write_text(CODE.format(says="two"))
    end = time.monotonic() + 20
    while host.hook.tell() != ["two"] and time.monotonic() < end: time.sleep(0.01)
    print(host.hook.tell(), host.watching().trouble)
"""


def _may_limit_watches() -> bool:
    """Whether this user may have a namespace of its own, in which the number of watches is limited."""
    if shutil.which("unshare") is None or not os.path.exists("/proc/sys/user/max_inotify_watches"):
        return False
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        "echo 100 > /proc/sys/user/max_inotify_watches",
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_limit_watches(), reason="needs a user namespace to limit inotify watches in")
@pytest.mark.parametrize("limit", [1, 4])
def test_wr11_without_inotify_watches_the_host_polls_with_one_warning(
    yard: Yard, child_env: dict[str, str], limit: int
) -> None:
    directory = yard.add("cat", "one")
    # With four there is one for the plugins directory, and none for what lies deep in it.
    for name in ("sub", "more", "most"):
        (directory / name).mkdir()
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", FEW_WATCHES, str(limit)],
        cwd=yard.directory,
        env=child_env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    warning, backend, answer = done.stdout.splitlines()
    assert warning.startswith("WARNING watching: ")
    assert "files are polled every 1 s instead" in warning
    assert "sysctl fs.inotify.max_user_watches" in warning
    assert backend == "polling"
    assert answer.startswith("['two'] ")


NO_DESCRIPTORS = """
import logging, os, resource, sys, threading
from pluginkit import Host
from tests.watch.conftest import Teller
import watchdog.observers, watchdog.observers.polling, pluginkit.watch.watcher
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stdout)
host = Host(contracts={"teller": Teller}, plugins_dir="plugins", entry_point_group=None, watch=True)
host.load()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
taken = max(map(int, os.listdir("/proc/self/fd")))
resource.setrlimit(resource.RLIMIT_NOFILE, (taken, hard))
host.start()
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(host.hook.tell(), host.watching().is_running, host.watching().trouble is not None)
host.close()
print([thread.name for thread in threading.enumerate()])
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc to know the descriptors in use")
def test_wr11_a_watcher_that_cannot_start_is_an_error_in_the_log_and_the_host_runs(
    yard: Yard, child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    yard.add("cat", "one")
    lines = child(NO_DESCRIPTORS, cwd=yard.directory).stdout.splitlines()
    assert any(line.startswith("ERROR watching cannot be started") for line in lines), lines
    assert lines[-2:] == ["['one'] False True", "['MainThread']"]


def test_wr11_a_place_that_cannot_be_watched_is_told_by_the_one_who_polls(tmp_path: Path) -> None:
    seen: list[object] = []
    observing = Observing(seen.append, polling=True)
    observing.start([Place(str(tmp_path), recursive=True), Place(str(tmp_path / "gone"))])
    assert [place.path for place in observing.places] == [str(tmp_path)]
    assert not observing.follow([Place(str(tmp_path), recursive=True)])
    observing.stop(timeout=5)
    observing.stop(timeout=5)
    assert not observing.follow([])


def test_wr11_the_plugins_directory_may_come_go_and_be_replaced(yard: Yard) -> None:
    yard.plugins.rmdir()
    host = yard.watch(plugins_dir=yard.plugins)
    yard.plugins.mkdir()
    yard.add("cat", "one")
    until(says(host, "one"), "a directory that was not there at the start")
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "an edit in it")
    yard.plugins.rename(yard.directory / "old")
    yard.plugins.mkdir()
    yard.add("cat", "three")
    until(says(host, "three"), "a directory in the place of the old one")
    yard.code_of("cat").write_text(CODE.format(says="four"), "utf-8")
    until(says(host, "four"), "an edit in the new one")
    shutil.rmtree(yard.plugins)
    until(says(host), "it is gone")
    yard.plugins.mkdir()
    yard.add("cat", "five")
    until(says(host, "five"), "and back again")


def test_wr01_health_says_what_is_watched_and_what_came_last(yard: Yard) -> None:
    directory = yard.add("cat", "one")
    host = yard.watch()
    before = time.time()
    (directory / "data.txt").write_text("x", "utf-8")
    until(lambda: health(host).last_file == str(directory / "data.txt"), "the change")
    found = health(host)
    assert found.is_running
    assert str(yard.plugins) in found.directories
    assert found.last_change is not None
    assert before - 1 < found.last_change <= time.time()
    assert (found.trouble, found.waiting_for, found.restart_needed) == (None, None, ())


def test_wr03_with_a_hundred_plugins_one_change_reloads_one_and_idling_costs_nothing(yard: Yard) -> None:
    files = {f"data{number}.txt": "x" for number in range(98)}
    for number in range(100):
        yard.add(f"p{number}", f"p{number}", files=files)
    host = yard.watch()
    settled(host)
    used = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.monotonic()
    threading.Event().wait(3.0)  # the time that is measured, not a wait for something
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (now.ru_utime + now.ru_stime) - (used.ru_utime + used.ru_stime)
    assert cpu / (time.monotonic() - begun) < 0.01
    yard.code_of("p7").write_text(CODE.format(says="seven"), "utf-8")
    until(lambda: "seven" in host.hook.tell(), "the one that changed")
    settled(host)
    assert yard.kinds("reloaded") == [("reloaded", "p7")]


def test_wr11_a_forked_child_does_not_watch_and_may_close_its_copy(yard: Yard) -> None:
    yard.add("cat", "one")
    host = yard.watch()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            watcher = host._watcher
            if watcher is not None:
                watcher.stop(timeout=1.0)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "the parent watches on")


def test_wr11_what_goes_wrong_in_a_look_is_logged_and_the_next_one_comes(
    yard: Yard, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.add("cat", "one")
    host = yard.watch()
    rescan, errors = host.rescan, list[Exception]([StateError("busy")])

    def failing(**arguments: Any) -> object:
        if errors:
            raise errors.pop()
        return rescan(**arguments)

    monkeypatch.setattr(host, "rescan", failing)
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "it is tried again when the host was busy")
    assert "looking at changed plugins" not in caplog.messages
    errors.append(RuntimeError("a bug of ours"))
    yard.code_of("cat").write_text(CODE.format(says="three"), "utf-8")
    until(lambda: "looking at changed plugins" in caplog.messages, "it is logged")
    yard.code_of("cat").write_text(CODE.format(says="four"), "utf-8")
    until(says(host, "four"), "the next change")


def test_lh14_a_callback_may_unload_what_the_watcher_has_just_reloaded(yard: Yard) -> None:
    yard.add("cat", "one")
    host = yard.watch()
    host.events.subscribe(lambda event: host.unload("cat"), kinds=["reloaded"])
    yard.code_of("cat").write_text(CODE.format(says="two"), "utf-8")
    until(says(host), "it was unloaded")
