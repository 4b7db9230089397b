"""SE08, SE09: a `PluginManager` does what its specifications declare, in every way to call."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from pluginkit import (
    ContractDefinitionError,
    HookimplMarker,
    HookspecMarker,
    InvalidArgument,
    InvalidValue,
    PluginManager,
    Text,
)

hookspec, hookimpl = HookspecMarker("zoo"), HookimplMarker("zoo")
Name = Annotated[str, Text(max_characters=5)]
Clean = Annotated[str, Text(max_characters=5, sanitise=True)]


class Specs:
    @hookspec
    def greet(self, name: Name, results: int = 0) -> Name:
        """All greetings."""

    @hookspec(firstresult=True)
    def clean(self, name: Clean) -> Clean:
        """The first greeting, cleaned."""

    @hookspec(historic=True)
    def born(self, name: Clean) -> Name:
        """For those that come later, too."""

    @hookspec
    def plain(self, valid_name: str) -> str:
        """Not checked."""


class Cat:
    def __init__(self, answer: Any = "Meow") -> None:
        self.answer = answer
        self.heard: list[str] = []

    @hookimpl
    def greet(self, name: str) -> Any:
        self.heard.append(name)
        return self.answer

    @hookimpl
    def clean(self, name: str) -> Any:
        self.heard.append(name)
        return self.answer

    @hookimpl
    def born(self, name: str) -> Any:
        self.heard.append(name)
        return self.answer

    @hookimpl
    def plain(self, valid_name: str) -> Any:
        return self.answer


class Spoiler:
    @hookimpl(wrapper=True)
    def greet(self) -> Any:
        return [*(yield), "\0"]

    @hookimpl(wrapper=True)
    def clean(self) -> Any:
        return f"\x1b{(yield)}"


class Old:
    @hookimpl(hookwrapper=True)
    def greet(self) -> Any:
        outcome = yield
        outcome.force_result(["\0"])


class Saver:
    """Makes good what others did wrong, as pluggy's wrappers may."""

    @hookimpl(wrapper=True, tryfirst=True)
    def greet(self) -> Any:
        try:
            return (yield)
        except InvalidValue:
            return ["saved"]


@pytest.fixture(params=["direct", "monitored", "subset", "extra"])
def call_of(request: pytest.FixtureRequest) -> Any:
    """`call_of(manager)`: the ways to call its hooks, which have to give the same."""

    def ways(manager: PluginManager) -> Any:
        def call(hook: str, **kwargs: Any) -> Any:
            if request.param == "subset":
                return manager.subset_hook_caller(hook, [manager.get_plugin("nobody")])(**kwargs)
            if request.param == "extra":
                return getattr(manager.hook, hook).call_extra([], kwargs)
            return getattr(manager.hook, hook)(**kwargs)

        if request.param == "monitored":
            manager.add_hookcall_monitoring(lambda *_: None, lambda *_: None)
        return call

    return ways


def manager_with(**plugins: Any) -> PluginManager:
    manager = PluginManager("zoo")
    manager.add_hookspecs(Specs)
    for name, plugin in {"nobody": Cat(None), **plugins}.items():
        manager.register(plugin, name=name)
    return manager


def test_se08_a_bad_argument_is_the_callers(call_of: Any) -> None:
    cat = Cat()
    manager = manager_with(cat=cat, saver=Saver())
    call = call_of(manager)
    for more in ({}, {"results": 1}, {"other": 1}):
        with pytest.raises(InvalidArgument, match="hook 'greet', argument 'name': NUL"):
            call("greet", name="T\0m", **more)
    assert cat.heard == []
    assert call("greet", name="Tom") == ["Meow"]
    assert call("greet", name="Tom", results=1) == ["Meow"]


def test_se08_a_bad_result_flies_as_an_exception_of_the_plugin_would(call_of: Any) -> None:
    manager = manager_with(cat=Cat("Me\0w"))
    call = call_of(manager)
    with pytest.raises(InvalidValue, match="hook 'greet', result: NUL"):
        call("greet", name="Tom")
    manager.register(Saver())
    assert call("greet", name="Tom") == ["saved"]


def test_se09_arguments_and_results_are_cleaned(call_of: Any) -> None:
    cat = Cat("\x07Meow, meow")
    call = call_of(manager_with(cat=cat))
    assert call("clean", name="Tom\0 and Tim") == "Meow,"
    assert cat.heard == ["Tom a"]


@pytest.mark.parametrize("wrapper", [Spoiler, Old])
def test_se08_what_a_wrapper_gives_is_checked(call_of: Any, wrapper: Any) -> None:
    manager = manager_with(cat=Cat())
    manager.register(wrapper())
    call = call_of(manager)
    with pytest.raises(InvalidValue, match="hook 'greet', result: NUL"):
        call("greet", name="Tom")
    manager.register(Saver())
    assert call("greet", name="Tom") == ["saved"]


def test_se09_what_a_wrapper_gives_is_cleaned(call_of: Any) -> None:
    manager = manager_with(cat=Cat())
    manager.register(Spoiler())
    assert call_of(manager)("clean", name="Tom") == "Meow"


def test_se08_wrappers_may_change_results_as_long_as_they_are_good(call_of: Any) -> None:
    class Loud:
        @hookimpl(wrapper=True)
        def greet(self) -> Any:
            return [text.upper() for text in (yield)]

    manager = manager_with(cat=Cat(), loud=Loud())
    assert call_of(manager)("greet", name="Tom") == ["MEOW"]


@pytest.mark.parametrize("is_monitored", [False, True])
def test_se08_historic_calls_are_checked_now_and_later(is_monitored: bool) -> None:
    manager = manager_with()
    if is_monitored:
        manager.add_hookcall_monitoring(lambda *_: None, lambda *_: None)
    given: list[str] = []
    manager.hook.born.call_historic(given.append, {"name": "T\0om and Tim"})
    with pytest.raises(InvalidArgument, match="it has to be str, not int"):
        manager.hook.born.call_historic(given.append, {"name": 3})
    cat = Cat()
    manager.register(cat)
    assert (given, cat.heard) == (["Meow"], ["Tom a"])
    with pytest.raises(InvalidValue, match="hook 'born', result: NUL"):
        manager.register(Cat("\0"))


def test_se08_plugins_come_and_go_behind_a_checked_hook() -> None:
    manager = manager_with()
    for answer in ("one", "two", "three"):
        manager.register(Cat(answer), name="valid_name")
        assert manager.hook.greet(name="Tom") == [answer]
        with pytest.raises(InvalidArgument):
            manager.hook.greet(name="\0")
        manager.unregister(name="valid_name")


def test_se08_an_undeclared_hook_has_the_very_text_that_it_had() -> None:
    manager = PluginManager("zoo")
    manager.add_hookspecs(Specs)
    manager.register(Cat(), name="cat")
    hook: Any = manager.hook
    assert hook.plain.source() == (
        "def plain(valid_name):\n"
        "    results = []\n"
        "    result = cat(valid_name)\n"
        "    if result is not None:\n"
        "        results.append(result)\n"
        "    return results\n"
    )
    assert hook.greet.source() == (
        "def greet(name, results_2):\n"
        "    name = valid_name(name)\n"
        "    results = []\n"
        "    result = valid_result(cat(name))\n"
        "    if result is not None:\n"
        "        results.append(result)\n"
        "    return results\n"
    )


def test_se08_a_rule_that_cannot_be_read_leaves_the_hook_as_it_was() -> None:
    class Wrong:
        @hookspec
        def greet(self, name: dict[str, Name]) -> None:
            """Greets."""

    manager = PluginManager("zoo")
    manager.register(Cat(), name="cat")
    with pytest.raises(ContractDefinitionError, match="hook 'greet' of project 'zoo', parameter 'name': "):
        manager.add_hookspecs(Wrong)
    assert manager.hook.greet(name="T\0m") == ["Meow"]
    assert not manager.hook.greet.has_spec()


def test_se08_a_late_specification_that_an_implementation_does_not_fit_checks_all_the_same() -> None:
    class Narrow:
        @hookspec
        def greet(self, other: Name) -> Name:
            """Greets."""

    manager = PluginManager("zoo")
    manager.register(Cat(), name="cat")
    with pytest.raises(Exception, match="Argument"):
        manager.add_hookspecs(Narrow)
    with pytest.raises(InvalidArgument, match="argument 'other'"):
        manager.hook.greet(other="\0")
