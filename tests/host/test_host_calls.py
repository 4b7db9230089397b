"""A host finds, loads and calls plugins (LH02, LH03, LH05, LH18, DM11, LC02, LC14)."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluginkit import HookimplMarker, HookspecMarker, Host, PluginState, hookimpl, hookspec
from pluginkit.errors import LoadError, StateError, UnknownName, UnknownSymbol


def test_the_ten_lines_of_the_readme(zoo: Any) -> None:
    zoo.speaker("cat", "Meow")
    zoo.speaker("dog", "Woof")
    with zoo.host() as host:
        assert host.hook.speak(is_loud=True) == ["MEOW!", "MEOW!"]
        assert host.hook.speak(is_loud=False) == ["Meow", "Woof"]
        assert host.plugins["cat"].call("speak", is_loud=False) == "Meow"
    assert host.is_closed


def test_lh02_exported_symbols_can_be_looked_up(zoo: Any) -> None:
    zoo.add("cat", files={"extra/deep.py": "ANSWER = 42"})
    with zoo.host() as host:
        cat = host.plugins["cat"]
        assert cat.get("Cat").__name__ == "Cat"
        assert cat.get("Cat.speak").__name__ == "speak"
        assert cat.get("extra.deep:ANSWER") == 42
        with pytest.raises(
            UnknownSymbol, match=r"plugin 'cat': has no symbol named 'Kat'; did you mean 'Cat'"
        ):
            cat.get("Kat")
        with pytest.raises(UnknownSymbol, match="plugin 'cat'"):
            cat.get("nowhere:X")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("class Cat: ...", "speak"),
        (
            "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, loud): ...",
            "is_loud",
        ),
        (
            "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self): ...\n    @hookimpl\n    def spaek(self): ...",
            "speak",
        ),
        ("class Cat:\n    def speak(self, is_loud): ...", "without @hookimpl"),
    ],
)
def test_lh03_a_breach_of_contract_fails_the_load_with_the_difference(
    zoo: Any, source: str, sentence: str
) -> None:
    zoo.add("bad", source)
    zoo.add("good")
    with zoo.host() as host:
        bad = host.plugins["bad"]
        assert bad.state is PluginState.FAILED
        assert bad.reason is not None
        assert bad.reason.code == "contract-unmet"
        assert sentence in str(bad.reason.text)
        assert host.hook.speak(is_loud=False) == ["Meow"]
        with pytest.raises(LoadError, match="does not fulfil the contract 'animal'"):
            host.load("bad")


def test_lh03_a_hook_that_the_manifest_promises_must_be_there(zoo: Any) -> None:
    zoo.add("cat", hooks=["speak", "legs"])
    with zoo.host() as host:
        assert "legs" in str(host.plugins["cat"].reason)


def test_lh03_pluggy_modules_of_hookspecs_are_lenient(zoo: Any) -> None:
    spec, impl = HookspecMarker("app"), HookimplMarker("app")
    assert impl is not None

    class Specs:
        @spec
        def on_event(self, name: str, detail: str) -> str: ...

    source = (
        "from pluginkit import HookimplMarker\nimpl = HookimplMarker('app')\n"
        "@impl\ndef on_event(name): return name\n@impl\ndef on_evnt(name): return 'never'\n"
    )
    zoo.add("shrug", source, type="pluggy")
    host = zoo.host(contracts={}, hookspecs=[Specs], project="app")
    report = host.load()
    assert report.ok
    assert any("on_evnt" in warning and "on_event" in warning for warning in report.warnings)
    assert host.hook.on_event(name="x", detail="y") == ["x"]


def test_lh05_first_result_optional_hooks_and_wrappers(zoo: Any) -> None:
    class Contract:
        @hookspec(firstresult=True)
        def pick(self, n: int) -> int: ...

    plugin = (
        "from pluginkit import hookimpl\n@hookimpl\ndef pick(n): return {value} if n > {limit} else None\n"
    )
    zoo.add("a", plugin.format(value=1, limit=5), type="picker")
    zoo.add("b", plugin.format(value=2, limit=0), type="picker")
    wrapper = "from pluginkit import hookimpl\n@hookimpl(wrapper=True)\ndef pick(n):\n    result = yield\n    return (result or 0) * 10\n"
    zoo.add("w", wrapper, type="picker")
    with zoo.host(contracts={"picker": Contract}) as host:
        assert [host.hook.pick(n=n) for n in (9, 3, 0)] == [10, 20, 0]


def test_lh18_order_of_calls_is_host_then_priority_then_name(zoo: Any) -> None:
    zoo.speaker("b")
    zoo.speaker("a")
    zoo.speaker("late", plugin={"priority": 10})
    zoo.speaker("early", plugin={"priority": 90})
    zoo.add("first", CAT_TRYFIRST, entrypoint="first:Cat", plugin={"priority": 0})

    class Own:
        @hookimpl
        def speak(self, is_loud: bool) -> str:
            return "host"

    with zoo.host() as host:
        host.register(Own(), type="animal")
        assert host.hook.speak(is_loud=False) == ["first", "host", "early", "a", "b", "late"]
        host.unload("a")
        host.load("a")
        assert host.hook.speak(is_loud=False) == ["first", "host", "early", "a", "b", "late"]


CAT_TRYFIRST = """
from pluginkit import hookimpl

class Cat:
    @hookimpl(tryfirst=True)
    def speak(self, is_loud):
        return "first"
"""


def test_an_unknown_hook_or_plugin_gives_the_nearest_name(zoo: Any) -> None:
    zoo.add("cat")
    with zoo.host() as host:
        with pytest.raises(AttributeError, match="speak"):
            _ = host.hook.spaek
        with pytest.raises(UnknownName, match="no plugin named 'cta'; did you mean 'cat'"):
            _ = host.plugins["cta"]
        with pytest.raises(
            UnknownSymbol, match="plugin 'cat': has no hook named 'spaek'; did you mean 'speak'"
        ):
            host.plugins["cat"].call("spaek")


def test_names_of_plugins_are_compared_as_pep_503_says(zoo: Any) -> None:
    zoo.speaker("my-cat")
    with zoo.host() as host:
        assert host.plugins["My_Cat"] is host.plugins["my.cat"] is host.plugins["my-cat"]
        assert "MY-CAT" in host.plugins
        assert "other" not in host.plugins
        assert list(host.plugins) == ["my-cat"]
        assert host.plugins.get("nobody") is None


def test_lc02_loading_all_reports_everything_and_swallows_nothing(zoo: Any) -> None:
    zoo.add("good")
    zoo.add("broken", "raise RuntimeError('no luck')")
    zoo.add("off")
    host = zoo.host()
    host.disable("off")
    report = host.load()
    assert report.loaded == ("good",)
    assert [failure.plugin for failure in report.failed] == ["broken"]
    assert [(skip.plugin, skip.state) for skip in report.skipped] == [("off", PluginState.DISABLED)]
    failure = report.failed[0]
    assert failure.step == "import"
    assert failure.file == str(zoo.plugins / "broken" / "broken.py")
    assert failure.line == 1
    assert "RuntimeError: no luck" in str(failure)
    assert "raise RuntimeError('no luck')" in failure.traceback
    assert "1 loaded, 1 failed, 1 skipped" in str(report)
    with pytest.raises(Exception, match="no luck"):
        report.raise_for_failures()


def test_a_manifest_that_is_broken_is_part_of_the_report(zoo: Any) -> None:
    (zoo.plugins / "empty").mkdir()
    report = zoo.host().load()
    assert [(failure.plugin, failure.reason.code) for failure in report.failed] == [("empty", "no-manifest")]


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "import sys; sys.exit(0)",
        "class Own(BaseException): ...\nraise Own('mine')",
        "raise GeneratorExit",
        "def broken(:",
        "import no_such_module_anywhere",
        "from . import nothing_here",
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    ],
)
def test_lh07_whatever_is_raised_at_import_stays_with_the_plugin(zoo: Any, source: str) -> None:
    zoo.add("bad", source)
    zoo.add("good")
    before = set(sys.modules)
    with zoo.host() as host:
        assert host.plugins["bad"].state is PluginState.FAILED
        assert host.plugins["bad"].reason.code == "import-failed"
        assert host.hook.speak(is_loud=False) == ["Meow"]
        assert not [name for name in set(sys.modules) - before if name.startswith("bad")]


def test_lh07_ctrl_c_during_an_import_reaches_the_host(zoo: Any) -> None:
    zoo.add("bad", "raise KeyboardInterrupt")
    host = zoo.host()
    with pytest.raises(KeyboardInterrupt):
        host.load()
    assert host.plugins["bad"].state is PluginState.DISCOVERED


def test_a_missing_library_says_what_to_do(zoo: Any) -> None:
    zoo.add("bad", "import no_such_library_of_anybody")
    zoo.speaker("dog")
    zoo.add("wants-dog", "import dog_that_is_not_there, dog")
    with zoo.host() as host:
        assert "no_such_library_of_anybody" in str(host.plugins["bad"].reason)


def test_an_entry_point_that_is_not_there_names_the_nearest(zoo: Any) -> None:
    zoo.add("cat", "class Kat: ...", entrypoint="cat:Cat")
    with zoo.host() as host:
        reason = host.plugins["cat"].reason
        assert reason is not None
        assert "Cat" in reason.text
        assert reason.code == "create-failed"


def test_a_constructor_gets_the_context_when_it_asks_for_it(zoo: Any) -> None:
    body = "\n    @hookimpl\n    def speak(self, is_loud): return self.who\n"
    head = "from pluginkit import hookimpl, PluginContext\nclass Cat:\n"
    zoo.add("by-name", head + "    def __init__(self, ctx): self.who = ctx.name" + body)
    zoo.add(
        "by-type", head + "    def __init__(self, context: PluginContext): self.who = context.name" + body
    )
    zoo.add("by-text", head + "    def __init__(self, c: 'PluginContext'): self.who = c.name" + body)
    zoo.add("none", head + "    def __init__(self): self.who = 'none'" + body)
    with zoo.host() as host:
        assert host.hook.speak(is_loud=False) == ["by-name", "by-text", "by-type", "none"]


def test_lc14_two_hosts_with_plugins_of_one_name_know_nothing_of_each_other(zoo: Any, tmp_path: Path) -> None:
    zoo.speaker("cat", "first")
    (tmp_path / "other").mkdir()
    other = type(zoo)(tmp_path / "other")
    other.speaker("cat", "second")
    with zoo.host() as one, other.host() as two:
        assert one.hook.speak(is_loud=False) == ["first"]
        assert two.hook.speak(is_loud=False) == ["second"]
        one.unload("cat")
        assert one.hook.speak(is_loud=False) == []
        assert two.hook.speak(is_loud=False) == ["second"]


def test_single_files_and_directories_stand_side_by_side(zoo: Any) -> None:
    (zoo.plugins / "shrug.py").write_text(
        '"""Shrugs."""\nfrom pluginkit import hookimpl\n__version__ = "2.1.0"\n@hookimpl\ndef speak(is_loud): return "¯\\\\_"\n'
    )
    zoo.add("cat")
    with zoo.host() as host:
        assert host.hook.speak(is_loud=False) == ["Meow", "¯\\_"]
        assert (host.plugins["shrug"].version, host.plugins["shrug"].type) == ("2.1.0", "pluggy")


def test_dm16_readers_in_many_threads_always_see_a_whole_mapping(zoo: Any) -> None:
    for name in ("a", "b", "c"):
        zoo.speaker(name)
    host = zoo.started()
    stop, errors = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                names = list(host.plugins)
                assert names == ["a", "b", "c"], names
                assert {host.plugins[name].name for name in names} == {"a", "b", "c"}
                host.hook.speak(is_loud=True)
            except BaseException as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        host.unload("b")
        host.load("b")
    stop.set()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_a_closed_host_says_so(zoo: Any) -> None:
    host = zoo.started()
    host.close()
    host.close()
    for use in (host.load, host.start, lambda: host.unload("x"), lambda: host.register(object())):
        with pytest.raises(StateError, match="this host is closed"):
            use()


def test_dm12_globs_and_a_function_decide_what_loads(zoo: Any) -> None:
    for name in ("cat", "cat-big", "dog", "pig"):
        zoo.speaker(name)
    host = zoo.host(include=["cat*", "dog"], exclude=["*-big"], select=lambda found: found.name != "dog")
    report = host.load()
    assert report.loaded == ("cat",)
    assert {skip.plugin: skip.state for skip in report.skipped} == dict.fromkeys(
        ["cat-big", "dog", "pig"], PluginState.DISABLED
    )
    assert all(skip.reason is not None and skip.reason.text for skip in report.skipped)


def test_a_host_without_anything_is_a_host(tmp_path: Path) -> None:
    with Host(entry_point_group=None, state_dir=tmp_path) as host:
        assert dict(host.plugins) == {}
        assert host.hook.execute(ctx=None) == []


def test_a_module_can_be_a_contract_owner_for_pluggy(zoo: Any) -> None:
    module = ModuleType("specs")
    exec("from pluginkit import hookspec\n@hookspec\ndef hello(name): 'greets'", module.__dict__)
    with zoo.host(contracts={}, hookspecs=[module]) as host:
        assert host.hook.hello(name="x") == []
