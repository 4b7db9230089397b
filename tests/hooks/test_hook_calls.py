"""What a call of a hook gives, and what it refuses."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest

from pluginkit.errors import ContractDefinitionError, UnknownName, UsageError
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import HookimplMarker, HookspecMarker, hookimpl, hookspec


class Animal:
    @hookspec
    def speak(self, is_loud: bool, times: int = 1) -> str:
        """What the animal says."""

    @hookspec(firstresult=True)
    def name_of(self, nickname: str) -> str:
        """The full name."""

    @hookspec
    def nothing(self) -> str:
        """A hook without arguments."""


class Cat:
    @hookimpl
    def speak(self, is_loud: bool, times: int) -> str:
        return ("MEOW!" if is_loud else "Meow") * times

    @hookimpl
    def name_of(self, nickname: str) -> str | None:
        return "Thomas" if nickname == "Tom" else None


class Dog:
    @hookimpl
    def speak(self) -> str:
        return "Woof"

    @hookimpl
    def name_of(self, nickname: str) -> str:
        return nickname + "!"


class Fish:
    @hookimpl
    def speak(self, is_loud: bool) -> None:
        return None


def test_lh05_a_call_gives_all_results_that_are_not_none(zoo: Any) -> None:
    made = zoo(Animal, cat=Cat, dog=Dog, fish=Fish)
    assert made.hook.speak(is_loud=True) == ["MEOW!", "Woof"]


def test_lh05_a_default_of_the_spec_is_passed_and_may_be_given(zoo: Any) -> None:
    made = zoo(Animal, cat=Cat)
    assert made.hook.speak(is_loud=False) == ["Meow"]
    assert made.hook.speak(is_loud=False, times=2) == ["MeowMeow"]


def test_lh05_an_implementations_own_default_yields_to_what_is_passed(zoo: Any) -> None:
    class Parrot:
        @hookimpl
        def speak(self, is_loud: bool, times: int = 9, unknown: str = "own") -> tuple[int, str]:
            return times, unknown

    assert zoo(Animal, parrot=Parrot).hook.speak(is_loud=True, times=2) == [(2, "own")]


def test_lh05_no_implementation_gives_an_empty_list_or_none(zoo: Any) -> None:
    made = zoo(Animal)
    assert made.hook.speak(is_loud=True) == []
    assert made.hook.name_of(nickname="Tom") is None
    assert made.hook.nothing() == []


def test_lh05_firstresult_ends_at_the_first_answer(zoo: Any) -> None:
    asked = []

    class Last:
        @hookimpl(trylast=True)
        def name_of(self, nickname: str) -> str:
            asked.append(nickname)
            return "nobody"

    made = zoo(Animal, cat=Cat, dog=Dog, last=Last)
    assert made.hook.name_of(nickname="Tom") == "Thomas"
    assert made.hook.name_of(nickname="Rex") == "Rex!"
    assert asked == []


def test_lh05_falsy_answers_are_answers(zoo: Any) -> None:
    class Zero:
        @hookimpl
        def speak(self) -> int:
            return 0

        @hookimpl
        def name_of(self) -> str:
            return ""

    made = zoo(Animal, a=Zero, cat=Cat)
    assert made.hook.speak(is_loud=True) == [0, "MEOW!"]
    assert made.hook.name_of(nickname="Tom") == ""


def test_lh05_specname_lets_one_plugin_implement_a_hook_twice(zoo: Any) -> None:
    class Echo:
        @hookimpl
        def speak(self) -> str:
            return "first"

        @hookimpl(specname="speak")
        def zzz_again(self, is_loud: bool) -> str:
            return f"second {is_loud}"

    made = zoo(Animal, echo=Echo)
    assert made.hook.speak(is_loud=True) == ["first", "second True"]
    made.remove("echo")
    assert made.hook.speak(is_loud=True) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"is_lout": True}, "unexpected keyword argument 'is_lout'"),
        ({}, "missing 1 required keyword-only argument: 'is_loud'"),
        ({"is_loud": True, "more": 1}, "unexpected keyword argument 'more'"),
    ],
)
def test_lh03_a_contracts_hook_takes_exactly_its_arguments(zoo: Any, arguments: Any, message: str) -> None:
    made = zoo(Animal, cat=Cat)
    for call in (made.hook.speak, made.hook.speak.using(errors="raise"), made.hook.speak.attributed):
        with pytest.raises(TypeError, match=message) as caught:
            call(**arguments)
        assert "hook.speak()" in str(caught.value)


def test_lh03_hooks_are_called_by_keyword(zoo: Any) -> None:
    with pytest.raises(TypeError, match=r"hook\.speak\(\) takes 0 positional arguments"):
        zoo(Animal).hook.speak(True)


def test_lh05_a_handle_stays_the_same_object_and_live(zoo: Any) -> None:
    made = zoo(Animal)
    handle, configured = made.hook.speak, made.hook.speak.using(errors="raise")
    made.add(cat=Cat)
    assert made.hook.speak is handle
    assert handle(is_loud=False) == configured(is_loud=False) == ["Meow"]
    made.add(dog=Dog)
    assert handle(is_loud=False) == configured(is_loud=False) == ["Meow", "Woof"]
    made.remove("cat", "dog")
    assert handle(is_loud=False) == configured(is_loud=False) == []


def test_lh05_a_hook_describes_itself(zoo: Any) -> None:
    hook = zoo(Animal, cat=Cat).hook.speak
    assert hook.name == "speak"
    assert hook.__doc__ == "What the animal says."
    assert str(inspect.signature(hook)) == "(*, is_loud: 'bool', times: 'int' = 1)"
    assert str(hook.spec.signature) == "(*, is_loud: 'bool', times: 'int' = 1) -> 'str'"
    assert hook.spec.annotations == {"is_loud": "bool", "times": "int", "return": "str"}
    assert (hook.spec.doc, hook.spec.owner, hook.spec.required) == ("What the animal says.", "zoo", True)
    assert [one.plugin for one in hook.implementations()] == ["cat"]
    assert "hook.speak" in repr(hook)
    assert repr(hook.using(timeout=2.0)) == "<hook 'speak' using errors=None, timeout=2.0>"


def test_lh05_an_unknown_hook_names_the_nearest(zoo: Any) -> None:
    made = zoo(Animal)
    with pytest.raises(AttributeError, match="no hook named 'speek'; did you mean 'speak'"):
        made.hook.speek(is_loud=True)
    assert list(made.hook) == ["name_of", "nothing", "speak"]
    assert "speak" in made.hook
    assert len(made.hook) == 3
    assert repr(made.hook) == "<HookRelay: name_of, nothing, speak>"


def test_lh05_only_calls_one_plugin_and_gives_its_answer(zoo: Any) -> None:
    made = zoo(Animal, cat=Cat, dog=Dog)
    only_dog = made.hook.speak.only("dog")
    assert only_dog(is_loud=True) == "Woof"
    with pytest.raises(UnknownName, match="no plugin with hook 'speak' named 'cta'; did you mean 'cat'"):
        made.hook.speak.only("cta")(is_loud=True)
    made.remove("dog")
    with pytest.raises(UnknownName, match="named 'dog'"):
        only_dog(is_loud=True)


def test_lh05_using_refuses_what_is_no_option(zoo: Any) -> None:
    hook = zoo(Animal).hook.speak
    with pytest.raises(UsageError, match="errors='ignore' is no policy"):
        hook.using(errors="ignore")
    with pytest.raises(UsageError, match="has to be more than 0"):
        hook.using(timeout=0)


def test_lh05_arguments_may_have_any_name(zoo: Any) -> None:
    class Awkward:
        @hookspec
        def speak(self, results: int, error: int, failed: int, body: int, implementations: int = 5) -> None:
            """Names that the generated text uses itself."""

    class Plugin:
        @hookimpl
        def speak(self, error: int, results: int, body: int, implementations: int, failed: int = 0) -> Any:
            return results, error, failed, body, implementations

    made = zoo(Awkward, failed=Plugin, results=Plugin)
    expected = [(1, 2, 3, 4, 5)] * 2
    assert made.hook.speak(results=1, error=2, failed=3, body=4) == expected
    assert made.hook.speak.using(errors="group")(results=1, error=2, failed=3, body=4) == expected


def test_lh05_plugins_may_have_any_name(zoo: Any) -> None:
    names = ["my-plugin", "my.plugin", "7up", "class", "Ünïcode", "in_x", "a" * 60, "x"]

    class Wrapping:
        @hookimpl(wrapper=True)
        def speak(self) -> Any:
            return (yield)

    made = zoo(Animal, **dict.fromkeys(names, Dog))
    made.add(wrap=Wrapping())
    assert made.hook.speak(is_loud=True) == ["Woof"] * len(names)


def test_lh05_marks_of_any_project_and_of_pluginkit_are_read() -> None:
    spec, impl = HookspecMarker("llm"), HookimplMarker("llm")

    class Specs:
        @spec
        def register(self, model: str) -> str:
            """A hook of another project."""

    class Plugin:
        @impl
        def register(self, model: str) -> str:
            return model

        @hookimpl
        def speak(self) -> str:
            return "hello"

    table = HookTable("llm")
    table.add_hookspecs(Specs)
    table.add_contract(Animal, name="animal")
    table.commit(table.stage(add=[Provider("one", Plugin())]))
    assert table.hook.register(model="m") == ["m"]
    assert table.hook.speak(is_loud=True) == ["hello"]


def test_lh05_pluggys_own_markers_work() -> None:
    pluggy = pytest.importorskip("pluggy")
    spec, impl = pluggy.HookspecMarker("zoo"), pluggy.HookimplMarker("zoo")
    module = ModuleType("specs")
    module.speak = spec(lambda is_loud: None)  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    plugin = ModuleType("plugin")
    plugin.speak = impl(lambda is_loud: is_loud)  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    table = HookTable("zoo")
    table.add_hookspecs(module)
    table.commit(table.stage(add=[Provider("plugin", plugin)]))
    assert table.hook.speak(is_loud=True) == [True]


def test_lh05_lenient_hooks_warn_about_missing_arguments_and_tolerate_others() -> None:
    class Specs:
        @hookspec
        def speak(self, is_loud: bool, mood: str = "good") -> str:
            """Lenient, as all that comes from add_hookspecs."""

    class Plugin:
        @hookimpl
        def speak(self, mood: str, extra: str = "none") -> tuple[str, str]:
            return mood, extra

    table = HookTable()
    table.add_hookspecs(Specs)
    table.commit(table.stage(add=[Provider("plugin", Plugin())]))
    assert table.hook.speak(is_loud=True) == [("good", "none")]
    assert table.hook.speak(is_loud=True, extra="more", other=1) == [("good", "more")]
    with pytest.warns(UserWarning, match="'is_loud'.* cannot be found in this hook call") as warned:
        assert table.hook.speak() == [("good", "none")]
    assert warned[0].filename == __file__
    with pytest.warns(UserWarning, match="'is_loud'") as warned:
        assert table.hook.speak.using(errors="raise")(extra="x") == [("good", "x")]
    assert warned[0].filename == __file__
    with pytest.raises(TypeError, match="keyword arguments only"):
        table.hook.speak(True)


def test_lh05_a_lenient_call_without_a_needed_argument_is_the_callers_error() -> None:
    class Specs:
        @hookspec
        def speak(self, is_loud: bool) -> str:
            """Lenient."""

    table = HookTable()
    table.add_hookspecs(Specs())
    table.commit(table.stage(add=[Provider("dog", Dog(), lenient=True)]))
    table.commit(table.stage(add=[Provider("cat", CatOfPluggy())]))
    with (
        pytest.warns(UserWarning, match="'is_loud'"),
        pytest.raises(UsageError, match="without 'is_loud', which plugin 'cat' needs"),
    ):
        table.hook.speak()


class CatOfPluggy:
    @hookimpl
    def speak(self, is_loud: bool) -> bool:
        return is_loud


def test_lh19_the_typed_view_is_the_relay_of_a_known_contract(zoo: Any) -> None:
    made = zoo(Animal, cat=Cat)
    assert made.table.view(Animal).speak(is_loud=True) == ["MEOW!"]
    with pytest.raises(UsageError, match="Cat is no contract of this host"):
        made.table.view(Cat)


@pytest.mark.parametrize("parameters", ["*args", "**kwargs", "a, /", "*, a"])
def test_lh03_a_contracts_hook_has_plain_parameters_only(parameters: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def speak(self, {parameters}): ...", namespace)
    contract = type("Odd", (), {"speak": hookspec(namespace["speak"])})
    with pytest.raises(ContractDefinitionError, match=r"hook 'speak' of 'odd'.*write plain parameters"):
        HookTable().add_contract(contract, name="odd")
