"""Transactions of a hook table: all that can fail fails before anything changes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from pluginkit.errors import ContractDefinitionError, ContractError, DuplicateName, StateError
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import HookimplMarker, HookspecMarker, hookimpl, hookspec


class Contract:
    @hookspec
    def speak(self, is_loud: bool) -> str:
        """All answers."""

    @hookspec
    def sleep(self, hours: int) -> str:
        """All answers."""


class Cat:
    @hookimpl
    def speak(self, is_loud: bool) -> str:
        return "Meow"

    @hookimpl
    def sleep(self) -> str:
        return "zzz"


def test_lh05_stage_alone_changes_nothing(zoo: Any) -> None:
    made = zoo(Contract)
    staged = made.table.stage(add=[Provider("cat", Cat())])
    assert made.hook.speak(is_loud=True) == []
    assert made.table.providers() == ()
    made.table.commit(staged)
    assert made.hook.speak(is_loud=True) == ["Meow"]


def test_lh05_providers_are_listed_in_order_of_arrival(zoo: Any) -> None:
    made = zoo(Contract, b=Cat, a=Cat)
    made.add(c=Cat)
    made.remove("a")
    assert [provider.name for provider in made.table.providers()] == ["b", "c"]
    assert str(made.table.providers()[0]) == "plugin 'b' 1.0.0"


def test_lh03_an_unknown_hook_fails_with_the_nearest_name(zoo: Any) -> None:
    class Typo:
        @hookimpl
        def speek(self) -> str:
            return "…"

    with pytest.raises(
        ContractError, match="plugin 'typo': no hook named 'speek'; did you mean 'speak'"
    ) as caught:
        zoo(Contract, typo=Typo)
    assert caught.value.reason.code == "unknown-hook"


def test_lh05_for_a_lenient_provider_an_unknown_hook_is_a_warning(zoo: Any) -> None:
    class Typo:
        @hookimpl
        def speek(self) -> str:
            return "…"

        @hookimpl
        def speak(self) -> str:
            return "known"

    made = zoo(Contract)
    staged = made.table.stage(add=[Provider("typo", Typo(), lenient=True)])
    assert staged.warnings == ("plugin 'typo': no hook named 'speek'; did you mean 'speak'?",)
    made.table.commit(staged)
    assert made.hook.speak(is_loud=True) == ["known"]


def test_lh05_an_optional_hook_need_not_exist(zoo: Any) -> None:
    class Optional:
        @hookimpl(optionalhook=True)
        def elsewhere(self, anything: int) -> str:
            return "…"

    made = zoo(Contract)
    assert made.table.stage(add=[Provider("optional", Optional())]).warnings == ()


def test_lh03_a_wrong_argument_names_plugin_hook_and_difference(zoo: Any) -> None:
    class Typo:
        @hookimpl
        def speak(self, is_lout: bool) -> str:
            return "…"

    with pytest.raises(ContractError) as caught:
        zoo(Contract, typo=Typo)
    assert str(caught.value) == (
        "plugin 'typo': hook 'speak': it takes 'is_lout', but the host passes is_loud; did you mean 'is_loud'? "
        "(it is written speak(is_lout: 'bool') -> 'str')"
    )


def test_lh03_a_wrong_argument_with_nothing_near_is_named_alone(zoo: Any) -> None:
    class Wrong:
        @hookimpl
        def sleep(self, zebra: int) -> str:
            return "…"

    with pytest.raises(ContractError, match=r"it takes 'zebra', but the host passes hours \(it is written"):
        zoo(Contract, wrong=Wrong)


def test_lh05_one_bad_provider_stops_the_whole_transaction(zoo: Any) -> None:
    class Typo:
        @hookimpl
        def speak(self, is_lout: bool) -> str:
            return "…"

    made = zoo(Contract)
    with pytest.raises(ContractError):
        made.table.stage(add=[Provider("cat", Cat()), Provider("typo", Typo())])
    assert made.table.providers() == ()
    assert made.hook.speak(is_loud=True) == []


def test_lh13_a_name_can_be_there_once(zoo: Any) -> None:
    made = zoo(Contract, cat=Cat)
    with pytest.raises(DuplicateName, match="a plugin named 'cat' is in the hook table already"):
        made.table.stage(add=[Provider("cat", Cat())])
    with pytest.raises(DuplicateName):
        made.table.stage(add=[Provider("dog", Cat()), Provider("dog", Cat())])


def test_lh13_what_is_not_there_cannot_be_removed(zoo: Any) -> None:
    made = zoo(Contract, cat=Cat)
    stranger = Provider("cat", Cat())
    with pytest.raises(StateError, match="plugin 'cat' is not in the hook table"):
        made.table.stage(remove=[stranger])


def test_lh05_a_stage_overtaken_by_another_change_still_fits_or_fails_whole(zoo: Any) -> None:
    made = zoo(Contract, cat=Cat)
    cat = made.providers["cat"]
    dog, cow = Provider("dog", Cat()), Provider("cow", Cat())
    first, second = made.table.stage(add=[dog]), made.table.stage(add=[cow])
    made.table.commit(second)
    made.table.timing = True
    made.table.commit(first)
    assert made.hook.speak(is_loud=True) == ["Meow"] * 3
    removing, again = (
        made.table.stage(remove=[cat]),
        made.table.stage(remove=[cat], add=[Provider("ant", Cat())]),
    )
    made.table.commit(removing)
    with pytest.raises(StateError):
        made.table.commit(again)
    assert [provider.name for provider in made.table.providers()] == ["cow", "dog"]


def test_lh05_a_transaction_is_committed_once(zoo: Any) -> None:
    made = zoo(Contract)
    staged = made.table.stage(add=[Provider("cat", Cat())])
    made.table.commit(staged)
    made.table.commit(staged)
    assert made.hook.speak(is_loud=True) == ["Meow"]


def test_lh03_the_same_hook_in_two_contracts_must_have_one_signature() -> None:
    class Equal:
        @hookspec
        def speak(self, is_loud: bool) -> str:
            """The same."""

    class Other:
        @hookspec
        def speak(self, is_loud: bool = True) -> str:
            """Another default."""

        @hookspec
        def aaa(self) -> str:
            """A new hook, which must not get in."""

    table = HookTable()
    table.add_contract(Contract, name="animal")
    table.add_contract(Equal, name="toy")
    with pytest.raises(
        ContractDefinitionError,
        match=r"hook 'speak' of 'robot' is there already, from 'animal', as speak\(.*\) -> .* rename one of them",
    ):
        table.add_contract(Other, name="robot")
    assert list(table.hook) == ["sleep", "speak"]


@pytest.mark.parametrize("options", [{"firstresult": True}, {"historic": True}])
def test_lh03_ways_of_gathering_must_agree_too(options: Any) -> None:
    def speak(self: Any, is_loud: bool) -> str: ...

    other = type("Other", (), {"speak": hookspec(**options)(speak)})
    table = HookTable()
    table.add_contract(Contract, name="animal")
    with pytest.raises(ContractDefinitionError):
        table.add_contract(other, name="other")


def test_lh03_a_class_without_hookspecs_is_no_contract() -> None:
    class Nothing:
        def speak(self) -> None: ...

    with pytest.raises(
        ContractDefinitionError, match=r"Nothing has no hookspec of project 'zoo'.*HookspecMarker\('zoo'\)"
    ):
        HookTable("zoo").add_contract(Nothing, name="nothing")


def test_lh05_specs_that_come_late_find_the_implementations_that_wait(zoo: Any) -> None:
    class Late:
        @hookspec
        def dance(self, tempo: int) -> str:
            """Added after its implementation."""

    class Dancer:
        @hookimpl
        def dance(self) -> str:
            return "tango"

    made = zoo(Contract)
    made.table.commit(made.table.stage(add=[Provider("dancer", Dancer(), lenient=True)]))
    made.table.add_contract(Late, name="late")
    assert made.hook.dance(tempo=1) == ["tango"]
    made.table.commit(made.table.stage(remove=list(made.table.providers())))
    assert made.hook.dance(tempo=1) == []


def test_lh05_specs_that_come_late_are_held_against_what_waits(zoo: Any) -> None:
    class Late:
        @hookspec
        def dance(self, tempo: int) -> str:
            """Added after its implementation."""

    class Dancer:
        @hookimpl
        def dance(self, speed: int) -> str:
            return "tango"

    made = zoo(Contract)
    made.table.commit(made.table.stage(add=[Provider("dancer", Dancer(), lenient=True)]))
    with pytest.raises(ContractError, match="it takes 'speed'"):
        made.table.add_hookspecs(Late)
    assert "dance" not in made.hook


def test_lh05_warn_on_impl_warns_at_the_implementation() -> None:
    spec, impl = HookspecMarker("zoo"), HookimplMarker("zoo")
    specs = ModuleType("specs")

    def speak(is_loud: bool, old: int) -> str: ...

    old_goes = {"old": UserWarning("old goes")}
    mark = spec(warn_on_impl=FutureWarning("speak goes"), warn_on_impl_args=old_goes)
    specs.speak = mark(speak)  # type: ignore[attr-defined]  # marks are attributes that checkers do not see

    class Plugin:
        @impl
        def speak(self, old: int) -> str:
            return "…"

    table = HookTable("zoo")
    table.add_hookspecs(specs)
    with pytest.warns((FutureWarning, UserWarning), match="goes") as warned:
        table.stage(add=[Provider("plugin", Plugin())])
    assert [str(one.message) for one in warned] == ["speak goes", "old goes"]
    assert {one.filename for one in warned} == {__file__}


def test_dm14_implementations_are_read_without_running_anything() -> None:
    class Guarded:
        @property
        def trap(self) -> str:
            raise AssertionError("it ran")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for")

        @hookimpl
        def speak(self, is_loud: bool) -> str:
            return "…"

        @hookimpl(specname="speak")
        def zzz(self) -> str:
            return "second"

    found = HookTable().implementations(Guarded())
    assert list(found) == ["speak"]
    assert found["speak"].argnames == ("is_loud",)
    assert found["speak"].function.__name__ == "speak"
    assert found["speak"].opts["specname"] is None
    assert str(found["speak"]) == "plugin 'Guarded' in hook 'speak'"
