"""What a generation leaves in registries of the process is found and undone, and nothing else is."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from pluginkit.loading import Generation, exit_calls
from pluginkit.loading.traces import Traces

Make = Callable[..., Generation]


def load(generation: Generation, name: str = "") -> None:
    with generation.traces.watching():
        generation.import_module(name)


def registries() -> dict[str, Any]:
    return {
        "path": list(sys.path),
        "meta_path": list(sys.meta_path),
        "path_hooks": list(sys.path_hooks),
        "filters": list(warnings.filters),
        "environ": dict(os.environ),
        "hooks": (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook),
        "handlers": list(logging.getLogger("pk.trace").handlers),
    }


EVERYTHING = """
import logging, os, sys, threading, warnings
class Finder:
    def find_spec(self, name, path=None, target=None): return None
class Handler(logging.Handler): ...
sys.path.insert(0, "/a/path")
sys.meta_path.append(Finder())
sys.path_hooks.append(lambda path: 1 / 0)
warnings.filterwarnings("ignore", message="pk trace")
os.environ["PK_TRACE"] = "set"
sys.excepthook = lambda *error: None
sys.displayhook = lambda value: None
sys.unraisablehook = lambda error: None
threading.excepthook = lambda error: None
logging.getLogger("pk.trace").addHandler(Handler())
"""


def test_everything_is_given_back(make: Make) -> None:
    before = registries()
    generation = make("cat", {"__init__.py": EVERYTHING})
    load(generation)
    during = registries()
    assert all(during[name] != before[name] for name in before)
    assert "environment: PK_TRACE" in map(str, generation.traces)
    generation.close()
    assert registries() == {**before, "meta_path": registries()["meta_path"]}
    assert not any(type(finder).__name__ == "Finder" for finder in sys.meta_path)


def test_what_comes_outside_of_the_plugins_own_time_is_not_touched(make: Make) -> None:
    generation = make("cat", {"__init__.py": ""})
    load(generation)
    os.environ["PK_TRACE"] = "host"
    try:
        generation.close()
        assert os.environ["PK_TRACE"] == "host"
    finally:
        del os.environ["PK_TRACE"]


def test_what_was_changed_since_is_not_touched(make: Make) -> None:
    generation = make("cat", {"__init__.py": "import os\nos.environ['PK_TRACE'] = 'plugin'"})
    load(generation)
    os.environ["PK_TRACE"] = "host"
    generation.close()
    assert os.environ.pop("PK_TRACE") == "host"


def test_a_change_of_the_environment_is_put_back_as_it_was(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PK_TRACE", "host")
    generation = make("cat", {"__init__.py": "import os\nos.environ['PK_TRACE'] = 'plugin'"})
    load(generation)
    assert os.environ["PK_TRACE"] == "plugin"
    generation.close()
    assert os.environ["PK_TRACE"] == "host"


def test_what_fails_to_be_undone_is_logged_and_the_rest_is_undone(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    generation = make(
        "cat", {"__init__.py": "import os, sys\nos.environ['PK_TRACE'] = 'x'\nsys.path.append('/pk')"}
    )
    load(generation)
    path = sys.path
    sys.path = tuple(path)  # type: ignore[assignment]  # somebody breaks it
    try:
        generation.close()
    finally:
        sys.path = path
        path.remove("/pk")
    assert "cat: sys.path: '/pk' stays behind" in caplog.text
    assert "PK_TRACE" not in os.environ


# atexit


def test_exit_calls_are_noted_by_thread_and_taken_back_one_by_one() -> None:
    calls: list[str] = []
    original = atexit.register
    exit_calls.install()
    try:
        mine: list[exit_calls.ExitCall] = []
        with exit_calls.noted(mine):
            assert atexit.register(calls.append, "mine") == calls.append
            atexit.register(calls.append, "mine too")
            thread = threading.Thread(target=atexit.register, args=(calls.append, "other"))
            thread.start()
            thread.join(30)
        assert len(mine) == 2
        mine[0].undo()
        mine[0]()
        mine[1]()
        assert calls == ["mine too"]
        atexit.unregister(calls.append)
    finally:
        exit_calls.uninstall()
    assert atexit.register is original


def test_who_has_replaced_atexit_register_since_keeps_his() -> None:
    original = atexit.register
    exit_calls.install()
    ours = atexit.register
    theirs = functools.partial(ours)
    try:
        atexit.register = theirs  # type: ignore[assignment]  # as some libraries do
        exit_calls.uninstall()
        assert atexit.register is theirs
        exit_calls.install()
        assert atexit.register is theirs
        theirs(str)
        atexit.unregister(str)
    finally:
        atexit.register = original


# The host's own modules


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("pk_registry")
    source = """
from functools import singledispatch
LIST, TABLE, SET, LONG = [], {}, set(), [0] * 20_000
def function(): return "original"
@singledispatch
def show(value): return "any"
class App:
    routes = {}
"""
    exec(source, module.__dict__)
    module.App.__module__ = "pk_registry"
    monkeypatch.setitem(sys.modules, "pk_registry", module)
    return module


REGISTERS = """
import pk_registry
from functools import partial
class Mine:
    def method(self): ...
def function(): return "mine"
pk_registry.LIST += [function, Mine, Mine(), Mine().method, partial(function)]
pk_registry.TABLE["f"] = function
pk_registry.TABLE[Mine] = 1
pk_registry.SET.add(Mine)
pk_registry.App.routes["/"] = function
pk_registry.show.register(Mine, function)
pk_registry.function = function
pk_registry.LIST.append("a plain value")
"""


def test_objects_of_the_plugin_are_taken_out_of_the_hosts_registries(make: Make, registry: Any) -> None:
    registry.TABLE["f"] = "before"
    original = registry.function
    generation = make("cat", {"__init__.py": REGISTERS})
    load(generation)
    assert len(registry.LIST) == 6
    generation.close()
    assert registry.LIST == ["a plain value"]
    assert registry.TABLE == {"f": "before"}
    assert set() == registry.SET
    assert registry.App.routes == {}
    assert list(registry.show.registry) == [object]
    assert registry.function is original


def test_what_others_put_there_meanwhile_stays(make: Make, registry: Any) -> None:
    source = "import pk_registry\npk_registry.act()\ndef mine(): ...\npk_registry.LIST.append(mine)\n"
    registry.act = lambda: registry.LIST.append(print)
    generation = make("cat", {"__init__.py": source})
    load(generation)
    generation.close()
    assert [print] == registry.LIST


def test_the_next_version_keeps_what_it_may_have_counted_on(make: Make) -> None:
    source = "import os, sys\nos.environ.setdefault('PK_TRACE', 'x')\nif '/pk' not in sys.path: sys.path.append('/pk')\n"
    old = make("cat", {"__init__.py": source})
    load(old)
    new = make("cat", {"__init__.py": source}, previous=old, commit=False)
    load(new)
    new.commit()
    old.close()
    assert os.environ["PK_TRACE"] == "x"
    assert sys.path[-1] == "/pk"
    new.close()
    assert "PK_TRACE" not in os.environ
    assert "/pk" not in sys.path


def test_a_failed_version_leaves_what_the_serving_one_has(make: Make) -> None:
    source = "import os, sys\nos.environ['PK_TRACE'] = '{}'\nsys.excepthook = lambda *error: None\n"
    old = make("cat", {"__init__.py": source.format("old")})
    load(old)
    hook = sys.excepthook
    new = make("cat", {"__init__.py": source.format("new")}, previous=old, commit=False)
    load(new)
    assert sys.excepthook is not hook
    new.close()
    assert os.environ["PK_TRACE"] == "old"
    assert sys.excepthook is hook


def test_traces_are_undone_once(make: Make) -> None:
    generation = make("cat", {"__init__.py": "import sys\nsys.path.append('/pk')"})
    load(generation)
    generation.close()
    sys.path.append("/pk")
    try:
        generation.traces.undo()
        assert isinstance(generation.traces, Traces)
        assert sys.path[-1] == "/pk"
    finally:
        sys.path.remove("/pk")
