"""A reload is a transaction: built beside, checked, swapped, drained; or nothing happened (LC06 to LC08, LC11)."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import PluginState, StateError

SAYS = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): return "{word}"
"""


def edit(zoo: Any, name: str, source: str, file: str | None = None) -> Path:
    path: Path = zoo.plugins / name / (file or f"{name}.py")
    path.write_text(source)
    return path


def test_lc08_a_reload_serves_the_new_code_under_a_new_generation_and_held_hooks_reach_it(zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    speak, plugin, old = host.hook.speak, host.plugins["cat"], host.plugins["cat"].generation
    gone = weakref.ref(plugin.instance)
    edit(zoo, "cat", SAYS.format(word="new"))
    report = host.reload("cat")
    assert report.ok, report
    assert (report.old_generation, report.new_generation) == (old, plugin.generation)
    assert plugin.generation > old
    assert speak(is_loud=True) == ["new"]
    assert host.plugins["cat"] is plugin
    assert (report.alive, report.running, report.problems) == ((), (), ())
    assert gone() is None
    assert f"generation {old} → {plugin.generation} in " in str(report)


def test_wr06_an_edit_of_the_same_size_within_the_same_second_is_seen(zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="0"))
    host = zoo.started()
    for digit in "123456789":
        edit(zoo, "cat", SAYS.format(word=digit))
        assert host.reload("cat").ok
        assert host.hook.speak(is_loud=True) == [digit]


def test_wr07_deleted_names_hooks_and_submodules_are_gone_and_new_ones_are_there(zoo: Any) -> None:
    both = SAYS.format(word="x") + "    @hookimpl\n    def legs(self): return 4\nGLOBAL = 1\n"
    zoo.add("cat", both, files={"old.py": "V = 1", "same.py": "V = 1"})
    host = zoo.started()
    assert host.hook.legs() == [4]
    edit(zoo, "cat", SAYS.format(word="x") + "from . import fresh, same\n")
    edit(zoo, "cat", "V = 2", "fresh.py")
    edit(zoo, "cat", "V = 2", "same.py")
    (zoo.plugins / "cat" / "old.py").unlink()
    assert host.reload("cat").ok
    assert host.hook.legs() == []
    assert host.plugins["cat"].get("fresh.V") == host.plugins["cat"].get("same.V") == 2
    for missing in ("GLOBAL", "old:V"):
        with pytest.raises(LookupError):
            host.plugins["cat"].get(missing)
    assert "cat.old" not in sys.modules


def test_i8_unchanged_files_are_not_run_again_unless_forced(
    zoo: Any, journal: Callable[[], list[str]]
) -> None:
    zoo.add("cat", "import builtins\nbuiltins.pk_journal.append('run')\n" + SAYS.format(word="x"))
    host = zoo.started()
    report = host.reload("cat")
    assert (report.ok, report.is_unchanged, journal()) == (True, True, ["run"])
    assert report.new_generation == report.old_generation
    assert host.reload("cat", force=True).ok
    assert journal() == ["run", "run"]
    (zoo.plugins / "cat" / "data.txt").write_text("new data counts")
    assert not host.reload("cat").is_unchanged


BROKEN = {
    "import": ("1 / 0\n", "import"),
    "syntax": ("def broken(:\n", "import"),
    "exit": ("import sys; sys.exit()\n", "import"),
    "contract": ("class Cat: ...\n", "contract"),
    "on_load": (SAYS.format(word="bad") + "    def on_load(self): raise ValueError('no')\n", "on_load"),
    "on_start": (SAYS.format(word="bad") + "    def on_start(self): raise SystemExit\n", "on_start"),
    "health": (SAYS.format(word="bad") + "    def health(self): return False\n", "health"),
    "import_state": (SAYS.format(word="bad") + "    def import_state(self, data): 1 / 0\n", "import_state"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_lc07_whatever_fails_the_old_version_serves_on_and_nothing_is_left(zoo: Any, kind: str) -> None:
    zoo.add("cat", SAYS.format(word="old") + "    def export_state(self): return 1\n")
    host = zoo.started()
    before = {name for name in sys.modules if name.startswith("cat")}
    source, step = BROKEN[kind]
    edit(zoo, "cat", source)
    report = host.reload("cat")
    assert not report.ok
    assert report.failure is not None
    assert report.failure.step == step
    assert report.new_generation == report.old_generation
    assert "serves on" in str(report)
    assert host.hook.speak(is_loud=True) == ["old"]
    assert host.plugins["cat"].state is PluginState.RUNNING
    assert {name for name in sys.modules if name.startswith("cat")} == before
    edit(zoo, "cat", SAYS.format(word="mended"))
    assert host.reload("cat").ok
    assert host.hook.speak(is_loud=True) == ["mended"]


def test_a_manifest_that_became_wrong_fails_the_reload(zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    (zoo.plugins / "cat" / "manifest.yaml").write_text("plugin: {name: cat}\n")
    report = host.reload("cat")
    assert report.failure is not None
    assert report.failure.step == "assess"
    assert host.hook.speak(is_loud=True) == ["old"]


def test_check_says_what_would_happen_and_changes_nothing(zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="old"))
    host = zoo.started()
    edit(zoo, "cat", SAYS.format(word="new"))
    report = host.reload("cat", check=True)
    assert (report.ok, report.is_check, report.new_generation) == (True, True, report.old_generation)
    assert host.hook.speak(is_loud=True) == ["old"]
    edit(zoo, "cat", "1 / 0")
    assert not host.reload("cat", check=True).ok


def test_lc15_dependents_move_in_the_same_transaction(zoo: Any) -> None:
    zoo.add("food", "NAME = 'hay'\n" + SAYS.format(word="food"), entrypoint="food:Cat")
    source = "from food.food import NAME\n" + SAYS.format(word="{}").replace('"{}"', "NAME")
    zoo.add("horse", source, entrypoint="horse:Cat", requires={"plugins": ["food"]})
    host = zoo.started()
    assert host.hook.speak(is_loud=True) == ["food", "hay"]
    edit(zoo, "food", "NAME = 'oats'\n" + SAYS.format(word="food"))
    report = host.reload("food")
    assert report.together == ("food", "horse")
    assert host.hook.speak(is_loud=True) == ["food", "oats"]
    edit(zoo, "food", "NOTHING = 1\n" + SAYS.format(word="food"))
    report = host.reload("food")
    assert report.failure is not None
    assert report.failure.plugin == "horse"
    assert host.hook.speak(is_loud=True) == ["food", "oats"]


def test_lc11_state_is_handed_over(zoo: Any) -> None:
    source = (
        SAYS
        + """
    def __init__(self): self.count = 0
    def export_state(self): return {{"count": self.count}}
    def import_state(self, data): self.count = data["count"]
"""
    )
    zoo.add("cat", source.format(word="old"))
    host = zoo.started()
    host.plugins["cat"].instance.count = 5
    edit(zoo, "cat", source.format(word="new"))
    assert host.reload("cat").ok
    assert host.plugins["cat"].instance.count == 5


SLOW = """
import threading
from pluginkit import hookimpl
entered, go = threading.Event(), threading.Event()
class Cat:
    @hookimpl
    def speak(self, is_loud):
        if is_loud:
            entered.set()
            go.wait(30)
        from .word import WORD
        return WORD
    def on_stop(self): closed.append("{word}")
closed = []
"""


def test_lc06_a_call_in_flight_ends_on_the_version_it_began_with(zoo: Any) -> None:
    zoo.add("cat", SLOW.format(word="old"), files={"word.py": "WORD = 'old'"})
    host = zoo.started()
    get = host.plugins["cat"].get
    entered, go, closed = get("entered"), get("go"), get("closed")
    results: list[object] = []
    caller = threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=True)), name="caller")
    caller.start()
    assert entered.wait(30)
    edit(zoo, "cat", SLOW.format(word="new"))
    edit(zoo, "cat", "WORD = 'new'", "word.py")
    report = host.reload("cat", timeout=0.05)
    assert report.ok
    assert [leftover.name for leftover in report.running] == ["caller"]
    assert host.hook.speak(is_loud=False) == ["new"]
    assert closed == []
    go.set()
    caller.join(30)
    assert results == [["old"]]
    for thread in threading.enumerate():
        if thread.name == "pluginkit-retire-cat":
            thread.join(30)
    assert closed == ["old"]


def test_lc06_unload_waits_for_a_call_in_flight(zoo: Any) -> None:
    zoo.add("cat", SLOW.format(word="x"), files={"word.py": "WORD = 'x'"})
    host = zoo.started()
    entered, go = host.plugins["cat"].get("entered"), host.plugins["cat"].get("go")
    results: list[object] = []
    caller = threading.Thread(target=lambda: results.append(host.hook.speak(is_loud=True)))
    caller.start()
    assert entered.wait(30)
    threading.Timer(0.1, go.set).start()
    report = host.unload("cat", timeout=30)
    caller.join(30)
    assert results == [["x"]]
    assert report.running == ()


def test_a_plugin_may_reload_itself_from_a_hook(zoo: Any) -> None:
    source = SAYS.replace('return "{word}"', 'self.reload(); return "{word}"') + (
        "    def __init__(self, ctx): self.reload = ctx.functions.reload\n"
    )
    zoo.add("cat", source.format(word="old"))
    reports: list[Any] = []
    hosts: list[Any] = []
    host = zoo.started(functions={"reload": lambda: reports.append(hosts[0].reload("cat", timeout=5))})
    hosts.append(host)
    edit(zoo, "cat", source.format(word="new"))
    assert host.hook.speak(is_loud=True) == ["old"]
    assert reports[0].ok
    assert reports[0].seconds < 4
    assert host.hook.speak(is_loud=True) == ["new"]
    for thread in threading.enumerate():
        if thread.name == "pluginkit-retire-cat":
            thread.join(30)


def test_lh22_a_reload_lifts_a_quarantine(zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="x").replace('return "x"', "raise RuntimeError"))
    host = zoo.started(quarantine=(1, 60.0))
    host.hook.speak(is_loud=True)
    assert host.plugins["cat"].state is PluginState.QUARANTINED
    edit(zoo, "cat", SAYS.format(word="well"))
    assert host.reload("cat").ok
    assert host.plugins["cat"].state is PluginState.RUNNING
    assert host.hook.speak(is_loud=True) == ["well"]


def test_what_is_not_loaded_cannot_be_reloaded(zoo: Any) -> None:
    zoo.speaker("cat")
    host = zoo.host()
    with pytest.raises(StateError, match="plugin 'cat' is discovered, not loaded; load it instead"):
        host.reload("cat")


def test_lh18_a_reload_does_not_reorder(zoo: Any) -> None:
    for name in ("a", "b", "c"):
        zoo.add(name, SAYS.format(word=name), entrypoint=f"{name}:Cat")
    host = zoo.started()
    for name in ("a", "c", "b"):
        assert host.reload(name, force=True).ok
    assert host.hook.speak(is_loud=True) == ["a", "b", "c"]
