"""`rescan`: what has changed by content since it was last tried (DM02, DM10), and doing what follows from it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pluginkit import PluginState

SAYS = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): return "{word}"
"""


def edit(zoo: Any, name: str, source: str) -> None:
    (zoo.plugins / name / f"{name}.py").write_text(source)


def groups(report: Any) -> dict[str, tuple[str, ...]]:
    names = ("new", "changed", "reconfigured", "gone")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def test_dm10_rescan_tells_new_changed_unchanged_and_gone_and_does_nothing(zoo: Any) -> None:
    for name in ("cat", "cow", "dog"):
        zoo.add(name, SAYS.format(word=name), entrypoint=f"{name}:Cat")
    host = zoo.started()
    assert groups(host.rescan()) == {}
    assert host.rescan().unchanged == ("cat", "cow", "dog")
    edit(zoo, "cat", SAYS.format(word="CAT"))
    shutil.rmtree(zoo.plugins / "dog")
    zoo.add("pig", SAYS.format(word="pig"), entrypoint="pig:Cat")
    report = host.rescan()
    assert groups(report) == {"new": ("pig",), "changed": ("cat",), "gone": ("dog",)}
    assert (report.ok, report.loaded, report.reloads) == (True, (), ())
    assert host.hook.speak(is_loud=True) == ["cat", "cow", "dog"]
    assert "new: pig; changed: cat; gone: dog (1 unchanged)" in str(report)


def test_dm10_content_counts_and_not_times(zoo: Any) -> None:
    path = zoo.add("cat", SAYS.format(word="old"))
    (path / "notes.txt").write_text("one")
    host = zoo.started()
    for file in ("cat.py", "notes.txt", "manifest.yaml"):
        os.utime(path / file, (1, 1))
    assert groups(host.rescan()) == {}
    before = (path / "cat.py").stat()
    edit(zoo, "cat", SAYS.format(word="new"))
    os.utime(path / "cat.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert groups(host.rescan()) == {"changed": ("cat",)}
    edit(zoo, "cat", SAYS.format(word="old"))
    assert groups(host.rescan()) == {}
    (path / "notes.txt").write_text("two")
    assert groups(host.rescan()) == {"changed": ("cat",)}


def test_applied_it_loads_reloads_and_unloads(zoo: Any) -> None:
    for name in ("cat", "cow", "dog"):
        zoo.add(name, SAYS.format(word=name), entrypoint=f"{name}:Cat")
    host = zoo.started()
    edit(zoo, "cat", SAYS.format(word="CAT"))
    shutil.rmtree(zoo.plugins / "dog")
    zoo.add("pig", SAYS.format(word="pig"), entrypoint="pig:Cat")
    report = host.rescan(apply=True)
    assert report.ok, report
    assert (report.loaded, [one.plugin for one in report.reloads]) == (("pig",), ["cat"])
    assert [one.plugin for one in report.unloads] == ["dog"]
    assert host.hook.speak(is_loud=True) == ["CAT", "cow", "pig"]
    assert "dog" not in host.refresh()
    assert groups(host.rescan(apply=True)) == {}


def test_wr09_what_has_failed_is_tried_again_when_it_changes_and_not_before(
    journal: Callable[[], list[str]], zoo: Any
) -> None:
    broken = "import builtins\nbuiltins.pk_journal.append('tried')\n1 / 0\n"
    zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    edit(zoo, "cat", broken)
    report = host.rescan(apply=True)
    assert not report.ok
    assert report.reloads[0].failure.step == "import"
    for _ in range(3):
        assert groups(host.rescan(apply=True)) == {}
    assert journal() == ["tried"]
    assert host.hook.speak(is_loud=True) == ["old"]
    zoo.add("dog", broken, entrypoint="dog:Cat")
    report = host.rescan(apply=True)
    assert [failure.plugin for failure in report.failed] == ["dog"]
    assert groups(host.rescan(apply=True)) == {}
    assert journal() == ["tried", "tried"]
    for name in ("cat", "dog"):
        edit(zoo, name, SAYS.format(word=f"mended {name}"))
    report = host.rescan(apply=True)
    assert report.ok, report
    assert host.hook.speak(is_loud=True) == ["mended cat", "mended dog"]


def test_a_broken_manifest_is_a_change_and_the_old_version_serves_on(zoo: Any) -> None:
    path = zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    manifest = (path / "manifest.yaml").read_text()
    (path / "manifest.yaml").write_text("plugin: {name: cat")
    report = host.rescan(apply=True)
    assert groups(report) == {"changed": ("cat",)}
    assert not report.ok
    assert host.plugins["cat"].state is PluginState.RUNNING
    assert groups(host.rescan(apply=True)) == {}
    (path / "manifest.yaml").write_text(manifest)
    assert groups(host.rescan(apply=True)) == {"changed": ("cat",)}
    assert host.hook.speak(is_loud=True) == ["old"]


def test_dependents_move_with_a_changed_plugin_once(zoo: Any) -> None:
    zoo.add("base", "V = 1\n" + SAYS.format(word="base"), entrypoint="base:Cat")
    uses = "from base.base import V\n" + SAYS.format(word="{}").replace('"{}"', "str(V)")
    zoo.add("user", uses, entrypoint="user:Cat", requires={"plugins": ["base"]})
    host = zoo.started()
    edit(zoo, "base", "V = 2\n" + SAYS.format(word="base"))
    edit(zoo, "user", uses + "# edited\n")
    report = host.rescan(apply=True)
    assert report.ok
    assert [one.together for one in report.reloads] == [("base", "user")]
    assert host.hook.speak(is_loud=True) == ["base", "2"]


def test_what_another_plugin_needs_is_not_gone_without_it(zoo: Any) -> None:
    zoo.add("base", SAYS.format(word="base"), entrypoint="base:Cat")
    zoo.add("user", SAYS.format(word="user"), entrypoint="user:Cat", requires={"plugins": ["base"]})
    host = zoo.started()
    shutil.rmtree(zoo.plugins / "base")
    report = host.rescan(apply=True)
    assert report.gone == ("base",)
    assert host.hook.speak(is_loud=True) == []
    assert host.plugins["user"].reason.code == "requirement-missing"


HOST = """
import sys
from pathlib import Path
from pluginkit import Host, hookspec
class Animal:
    @hookspec
    def speak(self, is_loud: bool) -> str: "Says."
host = Host(contracts={"animal": Animal}, plugins_dir="plugins", entry_point_group=None, signals=True)
host.load(); host.start()
host.events.subscribe(lambda event: print(event.kind, event.plugin, host.hook.speak(is_loud=True), flush=True),
                      kinds=["reloaded", "stopped"])
print("ready", flush=True)
sys.stdin.read()
"""


def test_lc13_sighup_rescans_and_sigterm_closes_if_the_program_asked_for_signals(
    zoo: Any, child_env: dict[str, str], tmp_path: Path
) -> None:
    zoo.add("cat", SAYS.format(word="old"))
    process = subprocess.Popen(
        [sys.executable, "-c", HOST],
        cwd=tmp_path,
        env=child_env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        edit(zoo, "cat", SAYS.format(word="new"))
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "reloaded cat ['new']\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopped cat []\n"
        assert process.wait(60) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


def test_old_generations_are_collected_after_a_quiet_time_without_anybody_asking(zoo: Any) -> None:
    import weakref

    zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    old = weakref.ref(host.plugins["cat"].instance)
    edit(zoo, "cat", SAYS.format(word="new"))
    assert host.reload("cat").ok
    deadline = time.monotonic() + 30
    while old() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert old() is None


def test_what_is_kept_of_an_old_generation_is_named_in_the_log_and_forgotten_with_it(
    zoo: Any, caplog: Any
) -> None:
    zoo.add("cat", SAYS.format(word="0"))
    host = zoo.started()
    kept = host.plugins["cat"].instance
    for word in range(1, 10):
        edit(zoo, "cat", SAYS.format(word=word))
        assert host.reload("cat").ok
    assert "is out of use, but somebody still refers to: cat.cat" in caplog.text
    (held,) = host.lingering()
    assert (held.plugin, held.alive()) == ("cat", ("cat.cat",))
    del kept
    import gc

    gc.collect()
    assert host.lingering() == ()


def test_dm10_what_was_unfit_when_all_were_loaded_is_loaded_once_it_is_mended(zoo: Any) -> None:
    zoo.speaker("cat")
    directory = zoo.speaker("dog")
    manifest = directory / "manifest.yaml"
    good = manifest.read_text("utf-8")
    manifest.write_text("plugin: {", "utf-8")
    host = zoo.host()
    host.load()
    assert host.plugins["dog"].state is PluginState.FAILED
    manifest.write_text(good, "utf-8")
    assert host.rescan(apply=True).loaded == ("dog",)
