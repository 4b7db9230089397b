"""`PluginManager` where its dispatch is ours; pluggy's own suite is run in tests/conformance."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Any

import pluggy
import pytest

import pluginkit
from pluginkit.hooks import PluginManager
from pluginkit.markers import HookimplMarker, HookspecMarker

hookspec, hookimpl = HookspecMarker("zoo"), HookimplMarker("zoo")


class Specs:
    @hookspec
    def speak(self, is_loud: bool, mood: str = "good") -> str:
        """What the animal says."""

    @hookspec(firstresult=True)
    def pick(self, result: int, error: int) -> int:
        """Arguments that generated text has names like."""

    @hookspec(historic=True)
    def seen(self, what: str) -> None:
        """Remembered."""


class Cat:
    @hookimpl
    def speak(self, is_loud: bool, mood: str) -> tuple[str, str]:
        return ("MEOW" if is_loud else "meow", mood)

    @hookimpl
    def pick(self, error: int, result: int) -> tuple[int, int]:
        return result, error


class Dog:
    @hookimpl
    def speak(self) -> str:
        return "woof"


@pytest.fixture
def manager() -> Any:
    made = PluginManager("zoo")
    made.add_hookspecs(Specs)
    return made


def test_lh05_it_is_a_plugin_manager_of_pluggys() -> None:
    assert pluginkit.PluginManager is PluginManager
    assert issubclass(PluginManager, pluggy.PluginManager)


def test_lh18_the_last_registered_is_called_first(manager: Any) -> None:
    manager.register(Cat(), "cat")
    manager.register(Dog(), "dog")
    assert manager.hook.speak(is_loud=True) == ["woof", ("MEOW", "good")]


def test_lh05_exceptions_fly_without_a_note(manager: Any) -> None:
    class Bad:
        @hookimpl
        def speak(self) -> str:
            raise SystemExit(3)

    manager.register(Bad())
    with pytest.raises(SystemExit) as caught:
        manager.hook.speak(is_loud=True)
    assert not hasattr(caught.value, "__notes__")


def test_lh05_arguments_named_like_those_of_the_text(manager: Any) -> None:
    manager.register(Cat())
    for _ in range(2):
        assert manager.hook.pick(result=1, error=2) == (1, 2)
    assert "def pick(result_2, error_2)" in manager.hook.pick.source()


def test_lh05_source_shows_what_a_call_runs(manager: Any) -> None:
    manager.register(Dog(), "dog")
    assert manager.hook.speak.source() == (
        "def speak(is_loud, mood):\n"
        "    results = []\n"
        "    result = dog()\n"
        "    if result is not None:\n"
        "        results.append(result)\n"
        "    return results\n"
    )


def test_lh05_a_hook_stays_the_same_object_and_live(manager: Any) -> None:
    handle = manager.hook.speak
    for _ in range(3):
        cat = Cat()
        manager.register(cat, "cat")
        assert handle(is_loud=True) == [("MEOW", "good")]
        manager.unregister(cat)
        assert handle(is_loud=True) == []
    assert manager.hook.speak is handle


def test_lh05_extra_arguments_reach_who_wants_them(manager: Any) -> None:
    class Curious:
        @hookimpl
        def speak(self, is_loud: bool, wish: str = "none") -> str:
            return wish

    manager.register(Curious())
    assert manager.hook.speak(is_loud=True) == ["none"]
    assert manager.hook.speak(is_loud=True, wish="fish", other=1) == ["fish"]


def test_lh05_ellipsis_is_an_argument_like_any_other(manager: Any) -> None:
    manager.register(Cat())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert manager.hook.speak(is_loud=..., mood=...) == [("MEOW", ...)]


def test_lh05_an_unregistered_plugin_is_collectable_at_once(manager: Any) -> None:
    class Plugin(Cat):
        @hookimpl(wrapper=True)
        def seen_by_all(self) -> Any:
            return (yield)

        @hookimpl(specname="speak", hookwrapper=True)
        def around(self) -> Any:
            yield

    gc.disable()
    try:
        plugin = Plugin()
        manager.register(plugin, "plugin")
        subset = manager.subset_hook_caller("speak", [manager.get_plugin("plugin")])
        subset(is_loud=True)
        subset(is_loud=True, extra=1)
        manager.hook.speak(is_loud=True)
        manager.hook.speak(is_loud=True, extra=1)
        manager.hook.speak.call_extra([lambda: 1], {"is_loud": True})
        manager.hook.seen_by_all()
        gone = weakref.ref(plugin)
        del subset
        manager.unregister(plugin)
        del plugin
        assert gone() is None
    finally:
        gc.enable()


def test_lh05_a_subset_keeps_no_plugin_alive_that_left(manager: Any) -> None:
    dog, cat = Dog(), Cat()
    manager.register(dog, "dog")
    manager.register(cat, "cat")
    subset = manager.subset_hook_caller("speak", [dog])
    assert subset(is_loud=True) == [("MEOW", "good")]
    assert subset(is_loud=True, mood="bad") == [("MEOW", "bad")]
    gone = weakref.ref(cat)
    manager.unregister(cat)
    del cat
    assert gone() is None
    assert subset(is_loud=True) == []


def test_lh05_entry_point_plugins_are_forgotten_when_they_are_unregistered(
    manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.metadata

    class EntryPoint:
        name, group, value = "cat", "zoo.plugins", "cat:Cat"

        def load(self) -> Any:
            return Cat()

    class Distribution:
        entry_points = (EntryPoint(),)

    monkeypatch.setattr(importlib.metadata, "distributions", lambda: [Distribution()])
    assert manager.load_setuptools_entrypoints("zoo.plugins") == 1
    assert len(manager.list_plugin_distinfo()) == 1
    manager.hook.speak(is_loud=True)
    gone = weakref.ref(manager.get_plugin("cat"))
    manager.unregister(name="cat")
    assert manager.list_plugin_distinfo() == []
    assert gone() is None
    assert manager.load_setuptools_entrypoints("zoo.plugins") == 1


def test_lh05_a_dropped_manager_is_collectable() -> None:
    class Plugin(Dog):
        manager: Any

    plugin = Plugin()
    plugin.manager = PluginManager("zoo")
    plugin.manager.add_hookspecs(Specs)
    plugin.manager.register(plugin)
    plugin.manager.hook.speak(is_loud=True)
    gone = weakref.ref(plugin)
    del plugin
    gc.collect()
    assert gone() is None


def test_lh05_subset_callers_have_all_that_callers_have(manager: Any) -> None:
    dog = Dog()
    manager.register(dog)
    manager.register(Cat())
    subset = manager.subset_hook_caller("speak", [dog, Dog()])
    assert subset.name == "speak"
    assert subset.has_spec()
    assert not subset.is_historic()
    assert subset.spec is manager.hook.speak.spec
    assert subset.call_extra([lambda is_loud: "extra"], {"is_loud": True, "mood": "m"}) == [
        "extra",
        ("MEOW", "m"),
    ]
    with pytest.warns(UserWarning, match="'is_loud'") as warned, pytest.raises(pluggy.HookCallError):
        subset()
    assert warned[0].filename == __file__
    assert manager.subset_hook_caller("speak", [Dog()]) is manager.hook.speak


def test_lh05_monitors_see_every_kind_of_call(manager: Any) -> None:
    dog = Dog()
    manager.register(dog)
    manager.register(Cat())
    seen: list[Any] = []
    subset = manager.subset_hook_caller("speak", [dog])
    undo = manager.add_hookcall_monitoring(
        lambda name, impls, kwargs: seen.append((name, len(impls), dict(kwargs))),
        lambda outcome, name, impls, kwargs: seen.append(outcome.get_result()),
    )
    arguments = {"is_loud": True, "mood": "good"}
    manager.hook.speak(is_loud=True)
    subset(is_loud=True)
    manager.hook.speak.call_extra([lambda: 1], {"is_loud": True})
    manager.hook.seen.call_historic(kwargs={"what": "x"})
    assert seen == [
        ("speak", 2, arguments),
        [("MEOW", "good"), "woof"],
        ("speak", 1, arguments),
        [("MEOW", "good")],
        ("speak", 3, arguments),
        [1, ("MEOW", "good"), "woof"],
        ("seen", 0, {"what": "x"}),
        [],
    ]
    undo()
    seen.clear()
    manager.hook.speak(is_loud=True)
    assert seen == []


def test_lh05_a_subclass_may_take_the_calls_over() -> None:
    class Counting(PluginManager):
        calls = 0

        def _hookexec(self, *args: Any) -> Any:
            self.calls += 1
            return super()._hookexec(*args)

    manager = Counting("zoo")
    manager.add_hookspecs(Specs)
    manager.register(Cat())
    for _ in range(2):
        assert manager.hook.speak(is_loud=True) == [("MEOW", "good")]
    assert manager.calls == 2


def test_lh05_hooks_without_a_spec_take_anything() -> None:
    manager: Any = PluginManager("zoo")
    manager.register(Cat())
    assert manager.hook.speak(is_loud=True, mood="any", more=1) == [("MEOW", "any")]
    with pytest.raises(pluggy.HookCallError, match="hook call must provide argument 'mood'"):
        manager.hook.speak(is_loud=True)
    with pytest.raises(TypeError, match=r"__call__\(\) takes 1 positional argument but 2 were given"):
        manager.hook.speak(True)
    assert manager.hook.speak.source().startswith("def speak(arguments):\n")


def test_lh05_a_spec_that_comes_late_changes_the_hook_and_not_the_handle() -> None:
    manager = PluginManager("zoo")
    manager.register(Cat())
    handle = manager.hook.speak
    assert handle(is_loud=True, mood="m") == [("MEOW", "m")]
    manager.add_hookspecs(Specs)
    assert handle(is_loud=True) == [("MEOW", "good")]
    assert handle.__doc__ == "What the animal says."
    with pytest.warns(UserWarning, match="'is_loud'"), pytest.raises(pluggy.HookCallError):
        handle()


def test_lh05_a_spec_that_comes_late_and_does_not_fit_still_calls_what_can_be_called() -> None:
    class Strange:
        @hookimpl
        def speak(self, zebra: int) -> int:
            return zebra

    manager = PluginManager("zoo")
    manager.register(Strange())
    with pytest.raises(pluggy.PluginValidationError, match="zebra"):
        manager.add_hookspecs(Specs)
    assert manager.hook.speak(is_loud=True, zebra=7) == [7]
    with pytest.raises(pluggy.HookCallError, match="'zebra'"):
        manager.hook.speak(is_loud=True)


def test_lh05_historic_hooks_refuse_a_plain_call(manager: Any) -> None:
    for call in (
        lambda: manager.hook.seen(what="x"),
        manager.hook.seen,
        lambda: manager.hook.seen.call_extra([], {"what": "x"}),
    ):
        with pytest.raises(AssertionError, match="use call_historic instead"):
            call()
    with pytest.raises(AssertionError, match="is not historic"):
        manager.hook.speak.call_historic(kwargs={"is_loud": True})


def test_lh05_history_can_be_forgotten_as_pytest_does_it(manager: Any) -> None:
    class Watcher:
        def __init__(self) -> None:
            self.calls: list[str] = []

        @hookimpl
        def seen(self, what: str) -> None:
            self.calls.append(what)

    manager.hook.seen.call_historic(kwargs={"what": "before"})
    manager.hook.seen._call_history = []
    manager.hook.seen.call_historic(kwargs={"what": "after"})
    watcher = Watcher()
    manager.register(watcher)
    assert watcher.calls == ["after"]


def test_lh05_registering_within_a_call_affects_later_calls_only(manager: Any) -> None:
    class Registering:
        @hookimpl
        def speak(self) -> str:
            if not manager.has_plugin("late"):
                manager.register(Dog(), "late")
            return "first"

    manager.register(Registering())
    assert manager.hook.speak(is_loud=True) == ["first"]
    assert manager.hook.speak(is_loud=True) == ["woof", "first"]


def test_lh05_an_attribute_that_cannot_be_bound_is_no_implementation(manager: Any) -> None:
    class Claiming(PluginManager):
        def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
            return {} if name == "number" else super().parse_hookimpl_opts(plugin, name)

    class Plugin:
        number = 42

    with pytest.raises(AssertionError, match="is not a hookable attribute"):
        Claiming("zoo").register(Plugin())
