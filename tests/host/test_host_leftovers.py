"""What a plugin leaves behind is named: threads, timers, files, and who refers to it (LC04, LC05)."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

import pytest

PLUGIN = """
import threading
from pluginkit import hookimpl
class Cat:
    {body}
    @hookimpl
    def speak(self, is_loud): return "x"
    def later(self): ...
"""


def loaded(zoo: Any, body: str) -> Any:
    zoo.add("cat", PLUGIN.format(body=body))
    return zoo.started()


def test_lc05_a_timer_that_is_still_to_fire_is_named(zoo: Any) -> None:
    host = loaded(zoo, "def on_start(self): self.t = threading.Timer(3600, self.later); self.t.start()")
    timer = host.plugins["cat"].instance.t
    report = host.unload("cat")
    assert [(one.kind, one.name) for one in report.running] == [("timer", timer.name)]
    assert "Cat.later" in report.running[0].where
    timer.cancel()
    timer.join(30)


def test_lc04_files_and_sockets_that_are_open_are_named_and_closed_ones_are_not(zoo: Any) -> None:
    body = (
        "def on_start(self):\n"
        "        import io, os, socket, sys\n"
        "        self.kept = {'log': [open(__file__)], 'closed': open(__file__), 'own': io.StringIO()}\n"
        "        self.kept['closed'].close()\n"
        "        self.out, self.pair = sys.stdout, socket.socketpair()\n"
        "        self.pair[0].close()"
    )
    host = loaded(zoo, body)
    kept, pair = host.plugins["cat"].instance.kept, host.plugins["cat"].instance.pair
    report = host.unload("cat")
    kinds = sorted(one.kind for one in report.running)
    assert kinds == ["file", "socket"], report
    assert f"left behind: file '{zoo.plugins / 'cat' / 'cat.py'}'" in str(report)
    kept["log"][0].close()
    pair[1].close()


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("pk_keeper")
    monkeypatch.setitem(sys.modules, "pk_keeper", module)
    return module


def test_lc04_who_refers_to_a_plugin_is_named(zoo: Any, keeper: Any) -> None:
    host = loaded(zoo, "")
    keeper.CACHE = {"animals": [host.plugins["cat"].instance]}
    report = host.unload("cat")
    assert report.alive == ("cat.cat",)
    assert report.holders == ("pk_keeper.CACHE",)
    assert "held by pk_keeper.CACHE" in str(report)
    keeper.CACHE.clear()
    host.load("cat")
    assert host.unload("cat").holders == ()


def test_lc04_a_reload_says_it_too_and_what_lingers_is_told_until_it_is_gone(zoo: Any, keeper: Any) -> None:
    host = loaded(zoo, "")
    keeper.held = host.plugins["cat"].get("Cat").later
    (zoo.plugins / "cat" / "cat.py").write_text(PLUGIN.format(body="new = 1"))
    report = host.reload("cat")
    assert report.alive == ("cat.cat",)
    assert report.holders == ("pk_keeper.held",)
    del keeper.held
    assert (report.alive, report.holders) == ((), ())


def test_lc05_a_call_that_does_not_end_lingers_by_name(zoo: Any) -> None:
    body = "entered, go = threading.Event(), threading.Event()\n    def wait(self): self.entered.set(); self.go.wait(30)"
    zoo.add("cat", PLUGIN.format(body=body).replace('return "x"', 'self.wait(); return "x"'))
    host = zoo.started()
    instance = host.plugins["cat"].instance
    entered, go = instance.entered, instance.go
    del instance
    caller = threading.Thread(target=host.hook.speak, kwargs={"is_loud": True}, name="caller")
    caller.start()
    assert entered.wait(30)
    host.unload("cat", timeout=0.05)
    (lingering,) = host.lingering()
    assert [(one.kind, one.name) for one in lingering.running] == [("thread", "caller")]
    go.set()
    caller.join(30)
    for thread in threading.enumerate():
        if thread.name == "pluginkit-retire-cat":
            thread.join(30)
    host.load("cat")
    host.unload("cat")
    assert host.lingering() == ()
