"""The markers are pluggy's: either library reads the other's."""

from __future__ import annotations

from typing import Any

import pluggy
import pytest

from pluginkit.contracts.samples import Animal
from pluginkit.errors import ContractDefinitionError
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import HookimplMarker, HookspecMarker, hookimpl, hookspec, implements


def test_lh05_pluggy_reads_our_marks() -> None:
    class Specs:
        @hookspec(firstresult=True)
        def speak(self, is_loud: bool) -> str:
            """A hook."""

    class Cat:
        @hookimpl(tryfirst=True)
        def speak(self, is_loud: bool) -> str:
            return "Meow"

    manager = pluggy.PluginManager("pluginkit")
    manager.add_hookspecs(Specs)
    manager.register(Cat())
    assert manager.hook.speak(is_loud=True) == "Meow"
    assert manager.hook.speak.get_hookimpls()[0].tryfirst


@pytest.mark.parametrize("options", [{}, {"firstresult": True}, {"historic": True}])
def test_lh05_spec_options_are_pluggys_and_required(options: Any) -> None:
    def function() -> None: ...

    HookspecMarker("zoo")(**options)(function)
    ours = function.zoo_spec  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    pluggy.HookspecMarker("zoo")(**options)(function)
    assert ours == {**function.zoo_spec, "required": True}  # type: ignore[attr-defined]  # marks are attributes that checkers do not see


@pytest.mark.parametrize(
    "options", [{}, {"wrapper": True}, {"specname": "x", "trylast": True, "optionalhook": True}]
)
def test_lh05_impl_options_are_pluggys(options: Any) -> None:
    def function() -> None: ...

    HookimplMarker("zoo")(**options)(function)
    ours = function.zoo_impl  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    pluggy.HookimplMarker("zoo")(**options)(function)
    assert ours == function.zoo_impl  # type: ignore[attr-defined]  # marks are attributes that checkers do not see


def test_lh05_markers_work_with_and_without_parentheses() -> None:
    assert hookspec.project_name == hookimpl.project_name == "pluginkit"

    def function() -> None: ...

    assert HookimplMarker("a")(function) is function
    assert HookimplMarker("b")()(function) is function
    assert HookspecMarker("c")(function) is function
    assert HookspecMarker("d")(required=False)(function) is function
    assert function.d_spec["required"] is False  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    assert function.c_spec["required"] is True  # type: ignore[attr-defined]  # marks are attributes that checkers do not see


def test_lh05_historic_and_firstresult_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="cannot have a historic firstresult hook"):
        HookspecMarker("zoo")(firstresult=True, historic=True)


def test_lh19_implements_marks_a_method_for_the_hook_it_names() -> None:
    class Cat:
        @implements(Animal.speak, tryfirst=True)
        def say(self, is_loud: bool) -> str:
            return "MEOW!" if is_loud else "Meow"

    class Around:
        @implements(Animal.speak, wrapper=True)
        def whatever(self, is_loud: bool) -> Any:
            return [*(yield), "around"]

    table = HookTable()
    table.add_contract(Animal, name="animal")
    table.commit(table.stage(add=[Provider("cat", Cat()), Provider("around", Around())]))
    assert table.view(Animal).speak(is_loud=True) == ["MEOW!", "around"]
    assert [one.opts["tryfirst"] for one in table.hook.speak.implementations()] == [False, True]


def test_lh19_implements_takes_the_project_of_the_spec() -> None:
    class Specs:
        @HookspecMarker("zoo")
        def speak(self) -> str:
            """A hook of another project."""

    class Cat:
        @implements(Specs.speak)  # type: ignore[call-overload, untyped-decorator]  # wrong on purpose
        def speak(self) -> str:
            return "Meow"

    assert Cat.speak.zoo_impl["specname"] == "speak"


@pytest.mark.parametrize("wrong", [len, 42, lambda: None, "speak"])
def test_lh19_implements_wants_a_hookspec(wrong: Any) -> None:
    with pytest.raises(ContractDefinitionError, match="is no hookspec; name one"):
        implements(wrong)
